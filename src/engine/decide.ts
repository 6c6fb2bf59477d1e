import type { CelProgram } from '../cel/types.ts'
import type { JsonObject } from '../kube/json.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import type { Policy } from '../policy/policy.ts'
import type { BoundPolicy, PolicySet } from '../policy/policy-set.ts'
import { applies } from './applies.ts'
import { hasChanged } from './changed.ts'
import type { Decision, Finding } from './decision.ts'
import { fillDefaults, type Completed } from './fill.ts'
import { Judge, strongest } from './judge.ts'
import { whyUnknown, type MeshKnowledge } from './mesh-knowledge.ts'
import { meshView } from './mesh-view.ts'
import type { AdmissionRequest } from './request.ts'
import { namespaceLabels } from './scope.ts'
import { subjectOf } from './subject.ts'

export interface DecideInput {
  readonly request: AdmissionRequest
  readonly policies: PolicySet
  /** The mesh as it is before the request. */
  readonly mesh: MeshSnapshot
  /** The mesh with the object of the request, where the caller has it. It is used as long as no default changes the object. */
  readonly meshAfter?: MeshSnapshot
  /** mutate: fill defaults; validate: find what is wrong; both: fill, then judge the completed object. */
  readonly phase: 'mutate' | 'validate' | 'both'
  /** How much of the mesh is known; all of it when left out. */
  readonly knowledge?: MeshKnowledge
  /** Is the time over that whoever asks will wait? Asked before each validation that reads the mesh; never over when left out. */
  readonly isLate?: () => boolean
}

/**
 * The one decision function: webhook, dry run and command line differ only in where its inputs come from and how the
 * decision is shown. Pure and synchronous; never throws for any JSON (nested no deeper than the edges allow).
 */
export function decide({
  request,
  policies,
  mesh,
  meshAfter,
  phase,
  knowledge = 'whole',
  isLate = () => false,
}: DecideInput): Decision {
  const candidates = policies.matching(request.resource.group, resourceName(request), request.operation)
  if (policies.enforcement === 'off' || candidates.length === 0 || isUnchanged(request) || isCleanup(request))
    return untouched(request)
  const labels = namespaceLabels(request, mesh)
  const applicable: BoundPolicy[] = []
  const undecided: { readonly bound: BoundPolicy; readonly namespace: string }[] = []
  for (const bound of candidates) {
    const answer = applies(bound, request, labels)
    if (answer === 'yes') applicable.push(bound)
    else if (answer !== 'no') undecided.push({ bound, namespace: answer.unknownNamespace })
  }
  const around = { before: mesh, after: meshAfter, knowledge: knowledge === 'partial' ? 'partial' : 'whole' } as const
  const view = meshView(request, around)
  const sight = { knowledge, isLate }
  const fillable = applicable.filter(({ policy }) => whyUnknown(programsOfDefaults(policy), sight) === undefined)
  const completed = phase === 'validate' ? unfilled(request) : complete(request, policies, view, fillable)
  const judged = completed.patch.length === 0 ? view : meshView(request, around, completed.object)
  const judge = new Judge(request, completed.object, { mesh: judged, sight }, policies.enforcement)
  const findings: Finding[] = []
  const evaluated: string[] = []
  let skipped = 0
  if (phase !== 'mutate') {
    for (const bound of applicable) {
      const judgement = judge.judge(bound)
      if (judgement.evaluated) evaluated.push(bound.policy.name)
      findings.push(...judgement.findings)
      skipped += judgement.skipped
    }
    for (const { bound, namespace } of undecided)
      findings.push(
        judge.cannotEvaluate(bound, `the labels of namespace "${namespace}" are not known here`, GIVE_LABELS),
      )
  }
  const merged = mergeBindings(findings)
  return {
    uid: request.uid,
    object: subjectOf(request),
    allowed: merged.every(({ action }) => action !== 'Deny'),
    judged: true,
    findings: merged,
    patch: completed.patch,
    filled: completed.filled,
    evaluated,
    skipped,
  }
}

function complete(
  request: AdmissionRequest,
  policies: PolicySet,
  mesh: MeshContext,
  applicable: readonly BoundPolicy[],
): Completed | Unfilled {
  const { object } = request
  // Under `warn` the installation changes nothing: what is missing is a warning.
  if (object === null || policies.enforcement !== 'enforce') return unfilled(request)
  return fillDefaults(request, object, mesh, applicable)
}

/** A request whose object is as it came; on DELETE it has none. */
type Unfilled = Omit<Completed, 'object'> & { readonly object: JsonObject | null }

function unfilled(request: AdmissionRequest): Unfilled {
  return { object: request.object, patch: [], filled: [] }
}

/** An UPDATE that changes nothing that is judged is neither judged nor completed. */
function isUnchanged({ operation, object, oldObject }: AdmissionRequest): boolean {
  return operation === 'UPDATE' && object !== null && oldObject !== null && !hasChanged(object, oldObject)
}

function untouched(request: AdmissionRequest): Decision {
  return {
    uid: request.uid,
    object: subjectOf(request),
    allowed: true,
    judged: false,
    findings: [],
    patch: [],
    filled: [],
    evaluated: [],
    skipped: 0,
  }
}

/** Several bindings of one policy may find the same: one finding remains, with all their actions. */
function mergeBindings(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length < 2) return findings
  const merged = new Map<string, Finding>()
  for (const finding of findings) {
    const key = `${finding.code} ${finding.outcome} ${finding.field} ${finding.message}`
    const first = merged.get(key)
    if (first === undefined) {
      merged.set(key, finding)
      continue
    }
    const actions = [...new Set([...first.actions, ...finding.actions])]
    merged.set(key, { ...first, actions, action: strongest(actions) })
  }
  return [...merged.values()]
}

function resourceName({ resource, subResource }: AdmissionRequest): string {
  return subResource === '' ? resource.resource : `${resource.resource}/${subResource}`
}

/**
 * Kubernetes itself removes what was in a namespace or belonged to an object that is gone. A refusal would keep the
 * namespace for ever; known by the caller, since watches lag.
 */
function isCleanup({ operation, userInfo }: AdmissionRequest): boolean {
  return operation === 'DELETE' && CLEANERS.has(userInfo.username)
}

const CLEANERS: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:namespace-controller',
  'system:serviceaccount:kube-system:generic-garbage-collector',
])

const GIVE_LABELS = 'try again; where documents are checked, give its Namespace along with them or by --context'

/** What decides on the defaults of a policy. */
function programsOfDefaults({ program }: Policy): readonly (CelProgram | undefined)[] {
  if (program === undefined) return []
  const { matchConditions, variables, defaults } = program
  return [
    ...[...matchConditions, ...variables].map((named) => named.program),
    ...defaults.flatMap(({ when, set }) => [when, ...set.map((field) => field.program)]),
  ]
}
