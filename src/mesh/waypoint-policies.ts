import type { JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { byAge } from './age.ts'
import { text } from './fields.ts'
import type { KindName } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import { targetRefsOf } from './policy-attachment.ts'
import type { MeshService } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** What a `targetRefs` entry of a policy can mean at a waypoint. */
export type WaypointTarget = 'Gateway' | 'GatewayClass' | 'Service' | 'ServiceEntry'

/**
 * The policies of a kind that hold at a waypoint for a service, or for workloads that it serves directly: only those that name the
 * waypoint, its class or the service, never by a selector. istio: model/policyattachment.go ShouldAttachPolicy.
 */
export function waypointPolicies(
  snapshot: MeshSnapshot,
  kind: KindName,
  waypoint: KubeObject,
  service: MeshService | undefined,
): readonly KubeObject[] {
  const { rootNamespace } = meshConfigOf(snapshot)
  const namespaces = new Set([
    rootNamespace,
    namespaceOf(waypoint),
    ...(service === undefined ? [] : [service.namespace]),
  ])
  return [...namespaces].flatMap((namespace) =>
    byAge(snapshot.inNamespace(kind, namespace)).filter((policy) =>
      targetRefsOf(policy).some((target) => means(target, policy, { waypoint, service, rootNamespace })),
    ),
  )
}

/** What a target is, as far as a waypoint understands it. */
export function targetKind({ group, kind }: JsonObject): WaypointTarget | undefined {
  const name = text(kind) ?? ''
  const ownGroup = text(group) === 'core' ? '' : (text(group) ?? '')
  return TARGETS.find((target) => target === name && GROUPS[target] === ownGroup)
}

interface Place {
  readonly waypoint: KubeObject
  readonly service: MeshService | undefined
  readonly rootNamespace: string
}

function means(target: JsonObject, policy: KubeObject, { waypoint, service, rootNamespace }: Place): boolean {
  const name = text(target.name) ?? ''
  const kind = targetKind(target)
  switch (kind) {
    case 'Service':
    case 'ServiceEntry':
      return service?.source === kind && nameOf(service.object) === name && service.namespace === namespaceOf(policy)
    case 'GatewayClass':
      return name === 'istio-waypoint' && namespaceOf(policy) === rootNamespace
    case 'Gateway': {
      const namespace = text(target.namespace) || namespaceOf(waypoint)
      const isNeighbour = namespaceOf(policy) === namespaceOf(waypoint) && namespace === namespaceOf(waypoint)
      return isNeighbour && name === nameOf(waypoint)
    }
    case undefined:
      return false
  }
}

const TARGETS: readonly WaypointTarget[] = ['Gateway', 'GatewayClass', 'Service', 'ServiceEntry']
const GROUPS: Readonly<Record<WaypointTarget, string>> = {
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
  Service: '',
  ServiceEntry: 'networking.istio.io',
}
