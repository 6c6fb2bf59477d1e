import { discoveredMesh } from '../../../mesh/discovery.ts'
import { actionOf } from '../../../mesh/authorization.ts'
import { labelValue } from '../../../kube/object.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import {
  effectiveMtls,
  modesWrittenIn,
  peerAuthenticationsFor,
  portsNamedBy,
} from '../../../mesh/peer-authentication.ts'
import { targetRefsOf } from '../../../mesh/policy-attachment.ts'
import { eachSelectedWorkload, selectionOf } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { isWaypointWorkload } from '../../../mesh/ambient-enrolment.ts'
import { GATEWAY_NAME } from '../../../mesh/waypoint-gateways.ts'
import { hasSidecar, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { sourceValues } from './source-values.ts'

/** Rules about who calls, for workloads that take plaintext only: there nobody has an identity. */
export const identitiesWithoutMtls: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const named = (['principal', 'namespace', 'account'] as const).flatMap((about) => sourceValues(object, about))
  if (named.length === 0 || targetRefsOf(object).length > 0) return []
  if (!mesh.all(KINDS.peerAuthentication).some((policy) => modesWrittenIn(policy).has('DISABLE'))) return []
  for (const workload of eachSelectedWorkload(mesh, object)) {
    const plain = plaintextOnly(mesh, workload)
    if (plain === undefined) continue
    const { port, decided } = plain
    const where = port === undefined ? '' : `port ${port} of `
    const name = nameOf(context, refOf(workload.object), params)
    const effect = actionOf(object) === 'DENY' ? 'it denies nobody there' : 'it lets nobody in there'
    const by = decided.object === undefined ? '' : ` by ${nameOf(context, refOf(decided.object), params)}`
    return firstOfEachRule(named).map(({ field, value, isExcluded }): MeshFinding => ({
      field,
      message: `"${value}" is an identity, and ${where}${name} takes plaintext only (mTLS mode DISABLE${by}), which has none: ${isExcluded ? 'it excludes nobody there' : effect}`,
      remediation: 'let the workload accept mTLS: set the mode of that PeerAuthentication to STRICT',
      related: decided.object === undefined ? [] : [relatedTo(context, refOf(decided.object), params, decided.field)],
    }))
  }
  return []
}

function plaintextOnly(mesh: MeshSnapshot, workload: Workload) {
  if (!hasSidecar(mesh, workload)) return undefined
  const ports = [undefined, ...portsNamedBy(peerAuthenticationsFor(mesh, workload).workload)]
  return ports
    .map((port) => ({ port, decided: effectiveMtls(mesh, workload, port) }))
    .find(({ decided }) => decided.mode === 'DISABLE')
}

function firstOfEachRule<T extends { readonly rule: number }>(values: readonly T[]): readonly T[] {
  const first = new Map<number, T>()
  for (const value of values) if (!first.has(value.rule)) first.set(value.rule, value)
  return [...first.values()]
}

/** A selector that selects pods of a Gateway of the Gateway API. istio: features.EnableSelectorBasedK8sGatewayPolicy. */
export const selectedGateways: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const selection = selectionOf(mesh, object)
  if (selection === undefined || Object.keys(selection.labels).length === 0 || targetRefsOf(object).length > 0)
    return []
  for (const workload of eachSelectedWorkload(mesh, object)) {
    const gateway = labelValue(workload.labels, GATEWAY_NAME)
    if (gateway === undefined) continue
    const { namespace } = workload
    const name = nameOf(context, { kind: 'Gateway', namespace, name: gateway }, params)
    const effect = isWaypointWorkload(workload)
      ? 'a waypoint does not look at selectors, so this has no effect there'
      : 'a Gateway of the Gateway API takes up a selector only as long as istiod is told to'
    return [
      {
        field: 'spec.selector',
        message: `the selector takes pods of ${name}: ${effect}`,
        remediation: `write targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: ${gateway}}] instead of the selector`,
        related: [relatedTo(context, { kind: 'Gateway', namespace, name: gateway }, params)],
      },
    ]
  }
  return []
}
