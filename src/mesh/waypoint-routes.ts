import { asObject, type JsonObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { blocks, number, text, texts } from './fields.ts'
import { targetsOf } from './gateway-l4.ts'
import { inOrderOfProxy, onlyPort } from './gateway-routes.ts'
import { coveringPatterns } from './hosts.ts'
import { httpRoutes, type Destination, type Route } from './http-route.ts'
import { virtualServicesByHost } from './indexes.ts'
import type { MeshService } from './registry.ts'
import { routeQuery } from './routes.ts'
import { scopeOf } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { RouteEntry, VirtualService } from './virtual-service.ts'
import { visibleService } from './visibility.ts'
import { waypointProxy } from './waypoint-gateways.ts'

/**
 * The VirtualServices that a waypoint uses for a service: of the service's namespace or its own, exported to its own. Nobody else can
 * route the service. istio: networking/core/listener_waypoint.go getVirtualServiceForWaypoint.
 */
export function virtualServicesAtWaypoint(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
): readonly VirtualService[] {
  const own = namespaceOf(waypoint)
  const named = new Set(
    [...coveringPatterns(service.host)].flatMap((host) => snapshot.find(virtualServicesByHost, host)),
  )
  const near = [...named].filter((object) => [own, service.namespace].includes(namespaceOf(object)))
  return inOrderOfProxy(snapshot, own, near).filter(({ gateways }) => gateways.includes('mesh'))
}

/**
 * The routes of a waypoint for a port of a service: those of all its VirtualServices, one after the other, also behind one that takes
 * every request. `default`: none; everything goes to the service. istio: networking/core/listener_waypoint.go
 * buildWaypointInboundHTTPRouteConfig.
 */
export function waypointRoutes(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
  port: number,
): readonly Route[] | 'default' {
  const client = waypointProxy(snapshot, waypoint)
  const scope = scopeOf(client.namespace, undefined)
  const query = {
    ...routeQuery(snapshot, scope, client, port),
    onlyPortOf: (host: string) => onlyPort(visibleService(snapshot, scope, host)),
  }
  const routes = virtualServicesAtWaypoint(snapshot, waypoint, service).flatMap((virtualService) =>
    httpRoutes(withoutSourceLabels(virtualService), query),
  )
  return routes.length === 0 ? 'default' : routes
}

/** Where a waypoint sends connections, and the entry of a VirtualService that says so; undefined: they go to the service itself. */
export interface WaypointConnections {
  readonly to: readonly Destination[]
  readonly entry: RouteEntry | undefined
}

/**
 * Where a waypoint sends the connections of a port that is not HTTP: by the first entry of `tls` that fits, else of `tcp`, else to the
 * service itself. istio: networking/core/listener_waypoint.go getWaypointTCPRoutes.
 */
export function waypointConnections(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
  port: number,
): WaypointConnections {
  const candidates = virtualServicesAtWaypoint(snapshot, waypoint, service)
  const entry =
    firstEntry(candidates, 'tls', (match) => takesConnection(match, port) && isFor(match, service.host)) ??
    firstEntry(candidates, 'tcp', (match) => takesConnection(match, port))
  const client = waypointProxy(snapshot, waypoint)
  const place = { client, scope: scopeOf(client.namespace, undefined), port }
  const targets = entry === undefined ? [] : targetsOf(snapshot, place, entry.spec)
  if (targets.length > 0) return { to: targets, entry }
  return { to: [{ host: service.host, port, subset: undefined, weight: undefined }], entry: undefined }
}

function firstEntry(
  virtualServices: readonly VirtualService[],
  kind: 'tls' | 'tcp',
  takes: (match: JsonObject) => boolean,
): RouteEntry | undefined {
  for (const virtualService of virtualServices) {
    const entry = virtualService[kind].find(({ spec }) => {
      const matches = blocks(spec.match)
      return (matches.length === 0 || matches.some(takes)) && blocks(spec.route).length > 0
    })
    if (entry !== undefined) return entry
  }
  return undefined
}

/** A waypoint knows no source, so that a condition on one is never met. istio: networking/core/tls.go matchTCP. */
function takesConnection(match: JsonObject, port: number): boolean {
  const gateways = texts(match.gateways)
  if (gateways.length > 0 && !gateways.includes('mesh')) return false
  if (Object.keys(asObject(match.sourceLabels)).length > 0 || text(match.sourceNamespace)) return false
  return [0, port].includes(number(match.port) ?? 0)
}

function isFor(match: JsonObject, host: string): boolean {
  const sni = texts(match.sniHosts)
  return sni.length === 1 && sni[0] === host
}

/** Conditions with labels of the source are dropped, whatever else they say. istio: listener_waypoint.go waypointInboundRoute. */
function withoutSourceLabels(virtualService: VirtualService): VirtualService {
  const http = virtualService.http.flatMap((entry): readonly RouteEntry[] => {
    const matches = blocks(entry.spec.match)
    const kept = matches.filter((match) => Object.keys(asObject(match.sourceLabels)).length === 0)
    if (kept.length === matches.length) return [entry]
    return kept.length === 0 ? [] : [{ ...entry, spec: { ...entry.spec, match: kept } }]
  })
  return { ...virtualService, http }
}
