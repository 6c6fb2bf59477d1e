import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareAge } from './age.ts'
import { isExportedTo } from './exports.ts'
import { servedDomains, type ServedDomain } from './gateway-hosts.ts'
import { mergedGateway, type MergedGateway } from './gateway-merge.ts'
import type { GatewayServer } from './gateway-servers.ts'
import { compareSpecificity } from './hosts.ts'
import { isCatchAll } from './http-match.ts'
import { httpRoutes, type Route } from './http-route.ts'
import { virtualServicesByGateway } from './indexes.ts'
import { serviceExports, servicesWithHost, type MeshService } from './registry.ts'
import { routeQuery } from './routes.ts'
import { scopeOf } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { mergedVirtualService, virtualServiceExports, type VirtualService } from './virtual-service.ts'
import { visibleService } from './visibility.ts'
import type { Workload } from './workloads.ts'

/** A gateway pod, with what it makes of its Gateways and the VirtualServices that it uses for each. */
export interface GatewayProxy {
  readonly snapshot: MeshSnapshot
  readonly merged: MergedGateway
  /** By the name of the Gateway. */
  readonly virtualServicesOf: (gateway: string) => readonly VirtualService[]
}

/** Names that a gateway answers to on one port, and the routes behind them. */
export interface VirtualHost {
  /** The most specific first. */
  readonly domains: readonly string[]
  /** Plain requests are sent to HTTPS before any route is asked. */
  readonly httpsRedirect: boolean
  /** In order; those that take every request come last. */
  readonly routes: readonly Route[]
}

/** The routes of one VirtualService at one server, and the names under which it serves them. */
export interface ServedRoutes {
  readonly server: GatewayServer
  readonly virtualService: VirtualService
  readonly domains: readonly ServedDomain[]
  readonly routes: readonly Route[]
}

/** A gateway pod with everything that it uses. */
export function gatewayProxy(snapshot: MeshSnapshot, pod: Workload): GatewayProxy {
  const known = new Map<string, readonly VirtualService[]>()
  return {
    snapshot,
    merged: mergedGateway(snapshot, pod),
    virtualServicesOf(gateway) {
      const found = known.get(gateway) ?? virtualServicesOfGateway(snapshot, pod.namespace, gateway)
      known.set(gateway, found)
      return found
    },
  }
}

/** The VirtualServices that a gateway pod of a namespace uses for a Gateway, in order. */
export function virtualServicesOfGateway(
  snapshot: MeshSnapshot,
  podNamespace: string,
  gateway: string,
): readonly VirtualService[] {
  return inOrderOfProxy(snapshot, podNamespace, snapshot.find(virtualServicesByGateway, gateway))
}

/**
 * The VirtualServices of these that a gateway or waypoint of a namespace may use: those exported to that namespace only, then those
 * exported to it among others, then those for everybody; each by age. istio: model/push_context.go VirtualServicesForGateway.
 */
export function inOrderOfProxy(
  snapshot: MeshSnapshot,
  proxyNamespace: string,
  objects: readonly KubeObject[],
): readonly VirtualService[] {
  const found: { readonly rank: number; readonly virtualService: VirtualService }[] = []
  for (const object of objects) {
    const exports = virtualServiceExports(snapshot, object)
    if (!isExportedTo(exports, proxyNamespace)) continue
    const virtualService = mergedVirtualService(snapshot, object)
    if (virtualService === undefined) continue
    const rank = exports === 'everywhere' ? 2 : namespaceOf(object) === proxyNamespace ? 0 : 1
    found.push({ rank, virtualService })
  }
  found.sort((a, b) => a.rank - b.rank || compareAge(a.virtualService.object, b.virtualService.object))
  return found.map(({ virtualService }) => virtualService)
}

/**
 * What VirtualServices serve at servers that share their routes, in Istio's order. Those of one Gateway and VirtualService are the same
 * routes at each server, made for the port of the first. istio: networking/core/gateway.go buildGatewayHTTPRouteConfig.
 */
export function servedRoutes(proxy: GatewayProxy, servers: readonly GatewayServer[]): readonly ServedRoutes[] {
  const made = new Map<string, Map<VirtualService, readonly Route[]>>()
  return servers.flatMap((server) => {
    const gateway = server.gatewayName
    const known = made.get(gateway) ?? new Map<VirtualService, readonly Route[]>()
    made.set(gateway, known)
    return proxy.virtualServicesOf(gateway).flatMap((virtualService): readonly ServedRoutes[] => {
      const domains = servedDomains(server, namespaceOf(virtualService.object), virtualService.hosts)
      if (domains.length === 0) return []
      const routes = known.get(virtualService) ?? gatewayRoutes(proxy, server, virtualService)
      if (routes.length === 0) return []
      known.set(virtualService, routes)
      return [{ server, virtualService, domains, routes }]
    })
  })
}

/**
 * The names that servers which share their routes answer to, the most specific first. Names with the same routes are one entry.
 * istio: networking/core/gateway.go collapseDuplicateRoutes, route.go SortVHostRoutes.
 */
export function virtualHosts(proxy: GatewayProxy, servers: readonly GatewayServer[]): readonly VirtualHost[] {
  const entries = new Map<string, { routes: Route[]; httpsRedirect: boolean }>()
  const entryOf = (domain: string): { routes: Route[]; httpsRedirect: boolean } => {
    const entry = entries.get(domain) ?? { routes: [], httpsRedirect: false }
    entries.set(domain, entry)
    return entry
  }
  for (const { server, domains, routes } of servedRoutes(proxy, servers)) {
    for (const domain of new Set(domains.map((each) => each.domain))) {
      const entry = entryOf(domain)
      entry.routes.push(...routes)
      entry.httpsRedirect ||= server.tls?.httpsRedirect === true
    }
  }
  for (const server of servers) {
    if (server.tls?.httpsRedirect !== true) continue
    // istiod leaves the namespace in the name, so that a host for one namespace redirects nothing
    for (const host of server.hosts) entryOf(host).httpsRedirect = true
  }
  return collapse(entries)
}

function collapse(entries: ReadonlyMap<string, { routes: Route[]; httpsRedirect: boolean }>): readonly VirtualHost[] {
  const collapsed: { domains: string[]; httpsRedirect: boolean; routes: readonly Route[] }[] = []
  const numbers = new Map<Route, number>()
  const latest = new Map<string, (typeof collapsed)[number]>()
  for (const domain of [...entries.keys()].sort(compareSpecificity)) {
    const { routes = [], httpsRedirect = false } = entries.get(domain) ?? {}
    for (const route of routes) if (!numbers.has(route)) numbers.set(route, numbers.size)
    const key = routes.map((route) => numbers.get(route)).join()
    const same = latest.get(key)
    if (same?.httpsRedirect === httpsRedirect) {
      same.domains.push(domain)
      continue
    }
    const entry = { domains: [domain], httpsRedirect, routes: catchAllsLast(routes) }
    latest.set(key, entry)
    collapsed.push(entry)
  }
  return collapsed
}

function catchAllsLast(routes: readonly Route[]): readonly Route[] {
  const isLast = ({ match }: Route): boolean => isCatchAll(match)
  return [...routes.filter((route) => !isLast(route)), ...routes.filter(isLast)]
}

/** The routes of a VirtualService for a server. None: it has no HTTP routes for that Gateway and port. */
export function gatewayRoutes(
  { snapshot, merged: { pod } }: GatewayProxy,
  server: GatewayServer,
  virtualService: VirtualService,
): readonly Route[] {
  const scope = scopeOf(pod.namespace, undefined)
  return httpRoutes(virtualService, {
    ...routeQuery(snapshot, scope, pod, server.port, new Set([server.gatewayName])),
    onlyPortOf: (host) => onlyPort(serviceMeant(snapshot, pod.namespace, virtualService, host)),
    scheme: server.tls === undefined ? 'http' : 'https',
  })
}

/** The service that a destination means: the VirtualService's neighbour if the pod can see it, else what the pod sees. */
function serviceMeant(
  snapshot: MeshSnapshot,
  podNamespace: string,
  { object }: VirtualService,
  host: string,
): MeshService | undefined {
  const neighbour = servicesWithHost(snapshot, host).find(({ namespace }) => namespace === namespaceOf(object))
  if (neighbour !== undefined && isExportedTo(serviceExports(snapshot, neighbour), podNamespace)) return neighbour
  return visibleService(snapshot, scopeOf(podNamespace, undefined), host)
}

/** istio: networking/core/route/route.go GetDestinationCluster. */
export function onlyPort(service: MeshService | undefined): number | undefined {
  return service?.ports.length === 1 ? service.ports[0]?.number : undefined
}
