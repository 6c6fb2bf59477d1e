import { asObject, type JsonObject } from '../kube/json.ts'
import { labelValue, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import type { Client } from './destination-rule.ts'
import { block, blocks, text } from './fields.ts'
import type { KindName } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { byAge } from './age.ts'
import { GATEWAY_NAME } from './waypoint-gateways.ts'

/**
 * The policies of a kind with `selector` or `targetRefs` that hold for a sidecar or a gateway: of the root namespace first, then of
 * its own, each by age. Waypoints have rules of their own. istio: model/policyattachment.go ShouldAttachPolicy.
 */
export function policiesFor(snapshot: MeshSnapshot, kind: KindName, workload: Client): readonly KubeObject[] {
  const { rootNamespace } = meshConfigOf(snapshot)
  const namespaces = new Set([rootNamespace, workload.namespace])
  return [...namespaces].flatMap((namespace) =>
    byAge(snapshot.inNamespace(kind, namespace)).filter((policy) => holdsFor(policy, workload)),
  )
}

/** Does a policy of the workload's or the root namespace hold for it? */
export function holdsFor(policy: KubeObject, workload: Client): boolean {
  const targets = targetRefsOf(policy)
  if (targets.length === 0) return selects(policy, workload.labels)
  const gateway = labelValue(workload.labels, GATEWAY_NAME)
  if (gateway === undefined || namespaceOf(policy) !== workload.namespace) return false
  return targets.some(
    (target) =>
      target.kind === 'Gateway' &&
      target.group === 'gateway.networking.k8s.io' &&
      target.name === gateway &&
      [undefined, '', workload.namespace].includes(text(target.namespace)),
  )
}

/** The `targetRefs` of a policy, or its older `targetRef`. */
export function targetRefsOf(policy: KubeObject): readonly JsonObject[] {
  const spec = asObject(policy.spec)
  const listed = blocks(spec.targetRefs)
  const single = block(spec.targetRef)
  return listed.length === 0 && single !== undefined ? [single] : listed
}

/** Does the policy's selector take these labels? None and an empty one take all. */
export function selects(policy: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  return matchesLabels(asObject(asObject(policy.spec).selector).matchLabels, labels)
}
