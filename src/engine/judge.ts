import { formatPath, type FieldPath } from '../kube/field-path.ts'
import type { JsonObject } from '../kube/json.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import type { BoundPolicy, Enforcement } from '../policy/policy-set.ts'
import type { Action } from '../policy/policy.ts'
import type { Finding } from './decision.ts'
import { findAll, type RawFinding } from './evaluate-policy.ts'
import { whyUnknown, type MeshSight } from './mesh-knowledge.ts'
import { meshView } from './mesh-view.ts'
import { OldPlaces } from './old-place.ts'
import type { AdmissionRequest } from './request.ts'
import { meetsConditions, policyScope, requestScope, type PolicyScope, type RequestScope } from './scope.ts'

const STRENGTH: Readonly<Record<Action, number>> = { Audit: 0, Warn: 1, Deny: 2 }

type Found = Exclude<RawFinding, { readonly kind: 'skip' }>

/** What one bound policy makes of a request, and whether its rules were looked at at all. */
export interface Judgement {
  readonly findings: readonly Finding[]
  readonly evaluated: boolean
  /** Places that could not be judged for want of knowledge. */
  readonly skipped: number
}

/** Judges one request by one policy after another. The old object is judged only where that can matter. */
export class Judge {
  private readonly request: AdmissionRequest
  private readonly enforcement: Enforcement
  private readonly scope: RequestScope
  private readonly mesh: MeshContext
  private old: { readonly scope: RequestScope; readonly places: OldPlaces } | undefined

  constructor(
    request: AdmissionRequest,
    object: JsonObject | null,
    { mesh, sight }: { readonly mesh: MeshContext; readonly sight: MeshSight },
    enforcement: Enforcement,
  ) {
    this.request = request
    this.enforcement = enforcement
    this.mesh = mesh
    this.scope = requestScope(request, mesh, object, sight)
  }

  /** All findings of one policy, with what they lead to. */
  judge(bound: BoundPolicy): Judgement {
    const { program } = bound.policy
    if (program === undefined) return { findings: [this.cannotCompile(bound)], evaluated: true, skipped: 0 }
    const raw = rawFindings(policyScope(this.scope, bound, program))
    if (raw === undefined) return { findings: [], evaluated: false, skipped: 0 }
    const found = raw.filter((finding) => finding.kind !== 'skip')
    const skipped = raw.length - found.length
    if (found.length === 0) return { findings: [], evaluated: true, skipped }
    const known = this.placesBefore(bound)
    return {
      findings: found.map((finding) => this.toFinding(bound, finding, known(finding))),
      evaluated: true,
      skipped,
    }
  }

  /** The finding of a policy that could not be evaluated as a whole; it acts by the failure policy. */
  cannotEvaluate(bound: BoundPolicy, message: string, remediation = whatToDoAboutErrors(bound)): Finding {
    return { ...this.toFinding(bound, { kind: 'error', path: [], message }, false), remediation }
  }

  private cannotCompile(bound: BoundPolicy): Finding {
    const [issue] = bound.policy.issues
    const where = issue === undefined ? '' : `: ${issue.file}:${issue.line}:${issue.column}: ${issue.message}`
    return this.cannotEvaluate(bound, `this policy does not compile${where}`)
  }

  private toFinding(bound: BoundPolicy, raw: Found, unchanged: boolean): Finding {
    const { policy } = bound
    const actions = this.actionsOf(bound, raw, unchanged)
    return {
      code: policy.code,
      policy: policy.name,
      outcome: raw.kind === 'fail' ? 'fail' : 'error',
      action: strongest(actions),
      actions,
      severity: policy.severity,
      field: formatPath(raw.path),
      path: raw.path,
      message: raw.kind === 'fail' ? raw.message : `the rule could not be evaluated: ${raw.message}`,
      remediation: remediationOf(bound, raw),
      ...(raw.kind === 'fail' && raw.fix.length > 0 ? { fix: raw.fix } : {}),
      ...(raw.kind === 'fail' && raw.related.length > 0 ? { related: raw.related } : {}),
      ...(unchanged ? { unchanged } : {}),
    }
  }

  private actionsOf(bound: BoundPolicy, raw: Found, unchanged: boolean): readonly Action[] {
    let ceiling: Action = this.enforcement === 'enforce' ? 'Deny' : 'Warn'
    if (raw.kind === 'fail' && raw.atMost !== undefined) ceiling = weaker(ceiling, raw.atMost)
    if (raw.kind !== 'fail' && bound.policy.failurePolicy === 'Ignore') ceiling = weaker(ceiling, 'Warn')
    if (unchanged && bound.unchangedFindings === 'Warn') ceiling = weaker(ceiling, 'Warn')
    return [...new Set(bound.actions.map((action) => weaker(action, ceiling)))]
  }

  /** Tells of a finding whether the old object had it, same code and same place. */
  private placesBefore(bound: BoundPolicy): (finding: Found) => boolean {
    const { oldObject, operation } = this.request
    const { program } = bound.policy
    if (operation !== 'UPDATE' || oldObject === null || program === undefined) return () => false
    const { before, knowledge } = this.mesh
    this.old ??= {
      // The watch may not have seen the old object yet, or another version of it.
      scope: requestScope(
        this.request,
        meshView(this.request, { before, after: before, knowledge }, oldObject),
        oldObject,
        // What was found in time is compared with what was there before, whatever time that takes.
        { ...this.scope.sight, isLate: () => false },
      ),
      places: new OldPlaces(this.scope.root, oldObject),
    }
    const { scope, places } = this.old
    const raw = rawFindings(policyScope(scope, bound, program)) ?? []
    const had = new Set(raw.flatMap((finding) => pathsOf(finding).map((path) => `${finding.kind} ${formatPath(path)}`)))
    const wasAt = (kind: string, path: FieldPath): boolean => {
      const place = places.find(path)
      return place !== undefined && had.has(`${kind} ${formatPath(place)}`)
    }
    return (finding) => finding.kind !== 'unknown' && pathsOf(finding).every((path) => wasAt(finding.kind, path))
  }
}

/** Where the finding is, and where those are that it counts. */
function pathsOf(finding: RawFinding): readonly FieldPath[] {
  return finding.kind === 'fail' ? [finding.path, ...finding.alsoAt] : [finding.path]
}

/** What a policy finds in the object of its scope; undefined where its match conditions leave the object out. */
function rawFindings(scope: PolicyScope): readonly RawFinding[] | undefined {
  const unknown = whyUnknown(
    scope.program.matchConditions.map(({ program }) => program),
    scope.sight,
  )
  if (unknown !== undefined) return [{ kind: 'unknown', path: [], message: unknown }]
  const conditions = meetsConditions(scope)
  if (conditions === false) return undefined
  if (conditions === true) return findAll(scope)
  return [{ kind: 'error', path: [], message: `match condition: ${conditions.message}` }]
}

/** The strongest of several actions. */
export function strongest(actions: readonly Action[]): Action {
  return actions.reduce<Action>((best, action) => (STRENGTH[action] > STRENGTH[best] ? action : best), 'Audit')
}

function weaker(a: Action, b: Action): Action {
  return STRENGTH[a] <= STRENGTH[b] ? a : b
}

function remediationOf(bound: BoundPolicy, raw: Found): string {
  switch (raw.kind) {
    case 'fail':
      return raw.remediation
    case 'error':
      return whatToDoAboutErrors(bound)
    case 'unknown':
      return 'try again; if it lasts, show this to whoever runs Meshward'
  }
}

function whatToDoAboutErrors(bound: BoundPolicy): string {
  return `correct the field if it has an unexpected type, else show this to the owner of the policy "${bound.policy.name}"`
}
