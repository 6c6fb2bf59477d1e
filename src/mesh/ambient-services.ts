import type { KubeObject } from '../kube/object.ts'
import { isCaptured } from './ambient-enrolment.ts'
import { ruleHost } from './destination-rule.ts'
import { workloadsOf } from './endpoints.ts'
import { memo } from './memo.ts'
import { servicesWithHost, type MeshService } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { mergedVirtualService } from './virtual-service.ts'
import { waypointOfService, type WaypointUse } from './waypoint-attachment.ts'
import { ruleAtWaypoint } from './waypoint-ports.ts'
import { virtualServicesAtWaypoint } from './waypoint-routes.ts'

/** A service of captured workloads that a DestinationRule or VirtualService is about. */
export interface AmbientService {
  readonly service: MeshService
  readonly use: WaypointUse
  /** Does the service's waypoint use the object? False also where it has no waypoint: ztunnel uses neither kind. */
  readonly isApplied: boolean
}

/** Does ztunnel capture any workload of the service? */
export function isAmbientService(snapshot: MeshSnapshot, service: MeshService): boolean {
  return workloadsOf(snapshot, service).some((workload) => isCaptured(snapshot, workload))
}

/**
 * The services of captured workloads that a DestinationRule names, and whether their waypoints apply it: only from the waypoint's, the service's
 * or the root namespace. istio: networking/core/cluster_waypoint.go.
 */
export function ambientServicesOfRule(snapshot: MeshSnapshot, rule: KubeObject): readonly AmbientService[] {
  const host = ruleHost(rule)
  return ambientServices(snapshot, [host], (waypoint, service) =>
    ruleAtWaypoint(snapshot, waypoint, service)?.from.includes(rule),
  )
}

/**
 * The services of captured workloads whose mesh traffic a VirtualService routes, and whether their waypoints use it: only from the waypoint's or
 * the service's namespace. None for one that only routes at gateways. istio: networking/core/listener_waypoint.go getVirtualServiceForWaypoint.
 */
export function ambientServicesOfVirtualService(snapshot: MeshSnapshot, object: KubeObject): readonly AmbientService[] {
  return servicesOfVirtualServices(snapshot)(object)
}

const servicesOfVirtualServices = memo((snapshot: MeshSnapshot) =>
  memo((object: KubeObject): readonly AmbientService[] => {
    const virtualService = mergedVirtualService(snapshot, object)
    if (virtualService?.gateways.includes('mesh') !== true) return []
    return ambientServices(snapshot, virtualService.hosts, (waypoint, service) =>
      virtualServicesAtWaypoint(snapshot, waypoint, service).some((used) => used.object === object),
    )
  }),
)

/** Wildcards stand for no service here. */
function ambientServices(
  snapshot: MeshSnapshot,
  hosts: readonly string[],
  applies: (waypoint: KubeObject, service: MeshService) => boolean | undefined,
): readonly AmbientService[] {
  return hosts
    .flatMap((host) => servicesWithHost(snapshot, host))
    .filter((service) => isAmbientService(snapshot, service))
    .map((service) => {
      const use = waypointOfService(snapshot, service.object)
      return { service, use, isApplied: use.waypoint !== undefined && applies(use.waypoint, service) === true }
    })
}
