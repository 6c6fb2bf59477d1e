import { asObject, type JsonObject } from '../kube/json.ts'
import { namespaceOf } from '../kube/object.ts'
import { blocks, number, texts } from './fields.ts'
import { servedDomains } from './gateway-hosts.ts'
import { onlyPort, type GatewayProxy } from './gateway-routes.ts'
import type { GatewayServer } from './gateway-servers.ts'
import { destinationOf, type Destination } from './http-route.ts'
import { scopeOf, type Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { RouteEntry, VirtualService } from './virtual-service.ts'
import { visibleService } from './visibility.ts'
import type { Client } from './destination-rule.ts'

/** Where connections go, by an entry of `tcp` or `tls`. */
export interface ConnectionRoute {
  readonly virtualService: VirtualService
  readonly entry: RouteEntry
  /** The names that a client may ask for in its TLS handshake; undefined: any, or those of the server. */
  readonly sni: readonly string[] | undefined
  readonly to: readonly Destination[]
}

/**
 * The route of a server that takes connections as they are, or opens their TLS: the first `tcp` entry of the VirtualServices with a
 * host of the server. Undefined: the server does nothing. istio: networking/core/gateway.go buildGatewayNetworkFiltersFromTCPRoutes.
 */
export function tcpRouteOf(proxy: GatewayProxy, server: GatewayServer): ConnectionRoute | undefined {
  for (const virtualService of boundVirtualServices(proxy, server)) {
    for (const entry of virtualService.tcp) {
      const matches = blocks(entry.spec.match)
      const isFor = matches.length === 0 || matches.some((match) => matchesServer(match, server))
      const to = isFor ? connectionTargets(proxy, entry, server.port) : []
      if (to.length > 0) return { virtualService, entry, sni: undefined, to }
    }
  }
  return undefined
}

/**
 * The routes of a server that passes TLS on, by the names that clients ask for. `taken` holds the names that are in use on the port and
 * is added to: two routes can't have one name. istio: networking/core/gateway.go buildGatewayNetworkFiltersFromTLSRoutes.
 */
export function tlsRoutesOf(
  proxy: GatewayProxy,
  server: GatewayServer,
  taken: Map<string, string>,
): readonly ConnectionRoute[] {
  const routes: ConnectionRoute[] = []
  for (const virtualService of boundVirtualServices(proxy, server)) {
    for (const entry of virtualService.tls) {
      const to = connectionTargets(proxy, entry, server.port)
      if (to.length === 0) continue
      for (const match of blocks(entry.spec.match)) {
        const sni = texts(match.sniHosts)
        if (!matchesServer(match, server) || sni.some((name) => taken.get(name) === server.bind)) continue
        for (const name of sni) taken.set(name, server.bind)
        routes.push({ virtualService, entry, sni, to })
      }
    }
  }
  return routes
}

function connectionTargets(proxy: GatewayProxy, { spec }: RouteEntry, port: number): readonly Destination[] {
  const client = proxy.merged.pod
  return targetsOf(proxy.snapshot, { client, scope: scopeOf(client.namespace, undefined), port }, spec)
}

/** The proxy that got a connection, what it sees, and the port that it got it on. */
export interface ConnectionPlace {
  readonly client: Client
  readonly scope: Scope
  readonly port: number
}

/**
 * Where an entry of `tcp` or `tls` sends connections that a proxy got on a port. Those without a weight get none, unless
 * there is one destination only. istio: networking/core/networkfilter.go buildOutboundNetworkFilters.
 */
export function targetsOf(
  snapshot: MeshSnapshot,
  { client, scope, port }: ConnectionPlace,
  entry: JsonObject,
): readonly Destination[] {
  const listed = blocks(entry.route)
  const query = {
    place: { client, port, gateways: NO_GATEWAYS },
    onlyPortOf: (host: string) => onlyPort(visibleService(snapshot, scope, host)),
  }
  if (listed.length === 1) return [destinationOf(asObject(listed[0]?.destination), query, undefined)]
  return listed
    .filter(({ weight }) => (number(weight) ?? 0) > 0)
    .map(({ destination, weight }) => destinationOf(asObject(destination), query, number(weight)))
}

function boundVirtualServices(proxy: GatewayProxy, server: GatewayServer): readonly VirtualService[] {
  return proxy
    .virtualServicesOf(server.gatewayName)
    .filter(({ object, hosts }) => servedDomains(server, namespaceOf(object), hosts).length > 0)
}

/** Conditions on the source are not looked at. istio: networking/core/gateway.go l4SingleMatch. */
function matchesServer(match: JsonObject, server: GatewayServer): boolean {
  const port = number(match.port) ?? 0
  if (port !== 0 && port !== server.port) return false
  const gateways = texts(match.gateways)
  return gateways.length === 0 || gateways.includes(server.gatewayName)
}

const NO_GATEWAYS: ReadonlySet<string> = new Set()
