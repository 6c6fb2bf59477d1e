import { asObject, type JsonObject } from '../kube/json.ts'
import { matchesLabels } from '../kube/selector.ts'
import { blocks, number, text, texts } from './fields.ts'
import { targetsOf, type ConnectionPlace, type ConnectionRoute } from './gateway-l4.ts'
import { coveringPatterns, hostsOverlap, isAddress, isWildcard } from './hosts.ts'
import { virtualServicesByHost } from './indexes.ts'
import { KINDS } from './kinds.ts'
import type { Protocol } from './protocol.ts'
import { portOf, type MeshService, type ServicePort } from './registry.ts'
import { listenerForPort, type EgressListener, type Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { RouteEntry, VirtualService } from './virtual-service.ts'
import { importedVirtualServices, listenerServices } from './visibility.ts'
import type { Workload } from './workloads.ts'
import { isInCidr, readAddresses } from './ztunnel-values.ts'

/** Where a sidecar sends some of the connections to a host. */
export interface SidecarConnectionRoute extends ConnectionRoute {
  /** The addresses, as ranges, for which it is; none: any. */
  readonly subnets: readonly string[]
}

/** The connections of a client with a sidecar to a port that is not HTTP. */
export interface ConnectionQuery {
  readonly scope: Scope
  readonly client: Workload
  readonly service: MeshService
  readonly port: ServicePort
}

/**
 * The routes of a sidecar for connections to a port of a host, by the `tls` of VirtualServices where the port is TLS, else by their `tcp`.
 * None: all of them go to the host itself. Other hosts on the port that have no address of their own are not looked at.
 * istio: networking/core/tls.go buildSidecarOutboundTLSFilterChainOpts, buildSidecarOutboundTCPFilterChainOpts.
 */
export function connectionRoutes(snapshot: MeshSnapshot, query: ConnectionQuery): readonly SidecarConnectionRoute[] {
  const virtualServices = connectionClaimants(snapshot, query)
  return isTls(query.port.protocol)
    ? tlsRoutes(snapshot, query, virtualServices)
    : tcpRoutes(snapshot, query, virtualServices)
}

/** TLS that a sidecar passes on unopened. istio: protocol.Instance IsTLS. */
export function isTls(protocol: Protocol): boolean {
  return protocol === 'https' || protocol === 'tls'
}

/**
 * The route that takes a connection: of those for the closest range around the address, the one for the most specific name. Undefined:
 * none. `sni`: the name that its TLS asks for, or undefined. envoy: listener_manager/filter_chain_manager_impl.cc findFilterChain.
 */
export function routeForConnection(
  routes: readonly SidecarConnectionRoute[],
  address: string,
  sni: string | undefined,
): SidecarConnectionRoute | undefined {
  const [closest] = routes
    .flatMap(({ subnets }) => subnets.filter((range) => isInCidr(address, range)))
    .sort((a, b) => bitsOf(b) - bitsOf(a))
  const near = routes.filter(({ subnets }) =>
    closest === undefined ? subnets.length === 0 : subnets.includes(closest),
  )
  const isForAll = (route: SidecarConnectionRoute): boolean =>
    route.subnets.length === 0 && (route.sni === undefined || route.sni.includes('*'))
  return routeForName(near, sni) ?? routes.find(isForAll)
}

/** The address that clients of a host connect to; empty where it has none, or not one only. */
export function addressOfService({ object, source }: MeshService): string {
  const { clusterIP, addresses } = asObject(object.spec)
  const [address = '', ...others] = source === 'Service' ? [text(clusterIP) ?? ''] : texts(addresses)
  return others.length === 0 && isAddress(address) ? address : ''
}

/** The VirtualServices that name a host, in the order of the listener that serves it; unlike for HTTP, not only the most specific. */
function connectionClaimants(
  snapshot: MeshSnapshot,
  { scope, service: { host }, port }: ConnectionQuery,
): readonly VirtualService[] {
  const isServing = (listener: EgressListener): boolean =>
    [undefined, port.number].includes(listener.port) &&
    listenerServices(snapshot, scope, listener, host).some((service) => portOf(service, port.number) !== undefined)
  const listener = scope.listeners.find(isServing) ?? listenerForPort(scope, port.number)
  if (listener === undefined) return []
  const candidates = isWildcard(host)
    ? snapshot.all(KINDS.virtualService)
    : new Set([...coveringPatterns(host)].flatMap((pattern) => snapshot.find(virtualServicesByHost, pattern)))
  return importedVirtualServices(snapshot, scope, listener, candidates).filter(({ hosts }) =>
    hosts.some((own) => hostsOverlap(own, host)),
  )
}

function tcpRoutes(
  snapshot: MeshSnapshot,
  query: ConnectionQuery,
  virtualServices: readonly VirtualService[],
): readonly SidecarConnectionRoute[] {
  const routes: SidecarConnectionRoute[] = []
  for (const { virtualService, entry } of entriesOf(virtualServices, 'tcp')) {
    const to = targetsOf(snapshot, placeOf(query), entry.spec)
    const matches = blocks(entry.spec.match)
    const fitting = matches.filter((match) => isForPlace(match, placeOf(query)))
    if (to.length === 0 || (matches.length > 0 && fitting.length === 0)) continue
    const ranges = fitting.map((match) => texts(match.destinationSubnets))
    const isForAll = matches.length === 0 || ranges.some((range) => range.length === 0)
    const subnets = isForAll ? [] : readAddresses(ranges.flat())
    routes.push({ virtualService, entry, sni: undefined, to, subnets })
    if (isForAll) break
  }
  return routes
}

function tlsRoutes(
  snapshot: MeshSnapshot,
  query: ConnectionQuery,
  virtualServices: readonly VirtualService[],
): readonly SidecarConnectionRoute[] {
  const routes: SidecarConnectionRoute[] = []
  const taken = new Set<string>()
  let subnets: readonly string[] = []
  for (const { virtualService, entry } of entriesOf(virtualServices, 'tls')) {
    const to = targetsOf(snapshot, placeOf(query), entry.spec)
    if (to.length === 0) continue
    for (const match of blocks(entry.spec.match)) {
      if (!isForPlace(match, placeOf(query))) continue
      const sni = texts(match.sniHosts)
      const ranges = texts(match.destinationSubnets)
      // the ranges of a condition hold for those behind it as well, unless they have their own
      if (ranges.length > 0) subnets = readAddresses(ranges)
      const condition = JSON.stringify([sni, ranges])
      if (!taken.has(condition)) routes.push({ virtualService, entry, sni, to, subnets })
      taken.add(condition)
    }
  }
  return routes
}

function entriesOf(
  virtualServices: readonly VirtualService[],
  kind: 'tcp' | 'tls',
): readonly { readonly virtualService: VirtualService; readonly entry: RouteEntry }[] {
  return virtualServices.flatMap((virtualService) => virtualService[kind].map((entry) => ({ virtualService, entry })))
}

function placeOf({ client, scope, port }: ConnectionQuery): ConnectionPlace {
  return { client, scope, port: port.number }
}

/** All that a condition says of the client and the port; unlike for HTTP, of the client also where it names gateways. istio: matchTCP, matchTLS. */
function isForPlace(match: JsonObject, { client, port }: ConnectionPlace): boolean {
  const gateways = texts(match.gateways)
  if (gateways.length > 0 && !gateways.includes('mesh')) return false
  return (
    [0, port].includes(number(match.port) ?? 0) &&
    matchesLabels(match.sourceLabels, client.labels) &&
    ['', client.namespace].includes(text(match.sourceNamespace) ?? '')
  )
}

function routeForName(
  routes: readonly SidecarConnectionRoute[],
  name: string | undefined,
): SidecarConnectionRoute | undefined {
  for (const pattern of name === undefined ? [] : coveringPatterns(name)) {
    const found = routes.find(({ sni }) => sni?.includes(pattern) === true)
    if (found !== undefined) return found
  }
  return routes.find(({ sni }) => sni === undefined || sni.length === 0)
}

function bitsOf(range: string): number {
  return Number(range.slice(range.indexOf('/') + 1))
}
