import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { authorizationOf, enforcedRules, type EnforcedRules } from './authorization.ts'
import { settingsOf, type ClusterSettings } from './cluster.ts'
import { servingRuleFor, type MergedRule } from './destination-rule.ts'
import { isExportedTo } from './exports.ts'
import type { Route } from './http-route.ts'
import { KINDS } from './kinds.ts'
import { isHttpOrDetected } from './protocol.ts'
import { serviceExports, type MeshService, type ServicePort } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { ownPolicy } from './traffic-policy.ts'
import { waypointPolicies } from './waypoint-policies.ts'
import { waypointConnections, waypointRoutes, type WaypointConnections } from './waypoint-routes.ts'

/** What a waypoint does for one port of a service. */
export interface WaypointPort extends WaypointFilters {
  readonly service: MeshService
  readonly port: ServicePort
  readonly traffic:
    | { readonly kind: 'http'; readonly routes: readonly Route[] | 'default' }
    | ({ readonly kind: 'tcp' } & WaypointConnections)
  /** The DestinationRule that the waypoint applies; undefined: none. */
  readonly rule: MergedRule | undefined
  /** By subset, `''` being the whole service; empty without a rule. */
  readonly clusters: ReadonlyMap<string, ClusterSettings>
}

/** What a waypoint asks of everything that comes through. */
export interface WaypointFilters {
  readonly rules: EnforcedRules
  /** Oldest first in each namespace; none on TCP. */
  readonly requestAuthentications: readonly KubeObject[]
}

/** The ports of a service that a waypoint serves. istio: networking/core/listener_waypoint.go buildWaypointInternal. */
export function waypointPorts(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
): readonly WaypointPort[] {
  const rule = ruleAtWaypoint(snapshot, waypoint, service)
  return service.ports
    .filter(({ protocol }) => protocol !== 'udp')
    .map((port): WaypointPort => {
      const traffic = trafficAt(snapshot, waypoint, service, port)
      const filters = waypointFilters(snapshot, waypoint, traffic.kind, service)
      return { service, port, traffic, ...filters, rule, clusters: clustersOf(rule, service, port) }
    })
}

/** What a waypoint asks of requests or connections to a service, or to workloads that it serves by their own address. */
export function waypointFilters(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  protocol: 'http' | 'tcp',
  service?: MeshService,
): WaypointFilters {
  const policies = waypointPolicies(snapshot, KINDS.authorizationPolicy, waypoint, service)
  return {
    rules: enforcedRules(snapshot, authorizationOf(policies), protocol),
    requestAuthentications:
      protocol === 'tcp' ? [] : waypointPolicies(snapshot, KINDS.requestAuthentication, waypoint, service),
  }
}

/**
 * The DestinationRule that a waypoint applies for a service: from its own namespace first, as a client's. None for a service that its
 * namespace can't see. istio: networking/core/cluster_waypoint.go buildWaypointInboundVIP, model/sidecar.go DefaultSidecarScopeForGateway.
 */
export function ruleAtWaypoint(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
): MergedRule | undefined {
  const namespace = namespaceOf(waypoint)
  if (!isExportedTo(serviceExports(snapshot, service), namespace)) return undefined
  return servingRuleFor(snapshot, namespace, service)
}

function trafficAt(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
  { protocol, number }: ServicePort,
): WaypointPort['traffic'] {
  return isHttpOrDetected(protocol)
    ? { kind: 'http', routes: waypointRoutes(snapshot, waypoint, service, number) }
    : { kind: 'tcp', ...waypointConnections(snapshot, waypoint, service, number) }
}

/** A waypoint leaves a service without an address of its own to the address that was asked for. istio: cluster.go convertResolution. */
function clustersOf(
  rule: MergedRule | undefined,
  { resolution }: MeshService,
  { number }: ServicePort,
): ReadonlyMap<string, ClusterSettings> {
  if (rule === undefined) return new Map()
  const isBound = resolution === 'none' || resolution === 'dynamic-dns'
  const names = [undefined, ...rule.subsets.map(({ name }) => name)]
  return new Map(
    names.map((name) => {
      const settings = settingsOf(ownPolicy(rule, number, name))
      return [name ?? '', isBound ? { ...settings, balancer: 'PASSTHROUGH' } : settings]
    }),
  )
}
