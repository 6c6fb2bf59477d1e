import type { JsonObject } from '../kube/json.ts'
import { nameOf, type ObjectRef } from '../kube/object.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import type { BoundPolicy, PolicySet } from '../policy/policy-set.ts'
import { applies } from './applies.ts'
import { hasChanged } from './changed.ts'
import type { Decision, Finding } from './decision.ts'
import { fillDefaults, type Completed } from './fill.ts'
import { Judge, strongest } from './judge.ts'
import type { AdmissionRequest } from './request.ts'
import { namespaceLabels } from './scope.ts'

export interface DecideInput {
  readonly request: AdmissionRequest
  readonly policies: PolicySet
  readonly mesh: MeshSnapshot
  /** mutate: fill defaults; validate: find what is wrong; both: fill, then judge the completed object. */
  readonly phase: 'mutate' | 'validate' | 'both'
}

/**
 * The one decision function: webhook, dry run and command line differ only in where its inputs come from and how the
 * decision is shown. Pure and synchronous; never throws for any JSON (nested no deeper than the edges allow).
 */
export function decide({ request, policies, mesh, phase }: DecideInput): Decision {
  const candidates = policies.matching(request.resource.group, resourceName(request), request.operation)
  if (policies.enforcement === 'off' || candidates.length === 0 || isUnchanged(request)) return untouched(request)
  const labels = namespaceLabels(request, mesh)
  const applicable: BoundPolicy[] = []
  const undecided: { readonly bound: BoundPolicy; readonly namespace: string }[] = []
  for (const bound of candidates) {
    const answer = applies(bound, request, labels)
    if (answer === 'yes') applicable.push(bound)
    else if (answer !== 'no') undecided.push({ bound, namespace: answer.unknownNamespace })
  }
  const completed = phase === 'validate' ? unfilled(request) : complete(request, policies, mesh, applicable)
  const judge = new Judge(request, completed.object, mesh, policies.enforcement)
  const findings: Finding[] = []
  const evaluated: string[] = []
  if (phase !== 'mutate') {
    for (const bound of applicable) {
      const judgement = judge.judge(bound)
      if (judgement.evaluated) evaluated.push(bound.policy.name)
      findings.push(...judgement.findings)
    }
    for (const { bound, namespace } of undecided) findings.push(judge.cannotEvaluate(bound, unknownLabels(namespace)))
  }
  const merged = mergeBindings(findings)
  return {
    uid: request.uid,
    object: refOf(request),
    allowed: merged.every(({ action }) => action !== 'Deny'),
    judged: true,
    findings: merged,
    patch: completed.patch,
    filled: completed.filled,
    evaluated,
    skipped: 0,
  }
}

/** What a person calls the object of a request. */
export function refOf(request: AdmissionRequest): ObjectRef {
  const { group, version, kind } = request.kind
  const clusterScoped = request.resource.group === '' && request.resource.resource === 'namespaces'
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    namespace: clusterScoped ? '' : request.namespace,
    name: request.name === '' ? nameOf(request.object ?? request.oldObject) : request.name,
  }
}

function complete(
  request: AdmissionRequest,
  policies: PolicySet,
  mesh: MeshSnapshot,
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
  return { object: request.object, patch: [], filled: [], errors: [] }
}

/** An UPDATE that changes nothing that is judged is neither judged nor completed. */
function isUnchanged({ operation, object, oldObject }: AdmissionRequest): boolean {
  return operation === 'UPDATE' && object !== null && oldObject !== null && !hasChanged(object, oldObject)
}

function untouched(request: AdmissionRequest): Decision {
  return {
    uid: request.uid,
    object: refOf(request),
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

function unknownLabels(namespace: string): string {
  return `the labels of namespace "${namespace}" are not known here; give its Namespace along with the object, or by --context`
}
