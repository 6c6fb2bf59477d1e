import { asObject, type Json, type JsonObject } from '../kube/json.ts'
import { aliasTarget, concreteHost } from './aliases.ts'
import { destinationRuleFor, type Client, type MergedRule } from './destination-rule.ts'
import { block, blocks, number, text } from './fields.ts'
import { importsService } from './host-imports.ts'
import { coveringPatterns, isWildcard } from './hosts.ts'
import { httpRoutes, type Route, type RouteQuery } from './http-route.ts'
import { destinationRulesWithHash, HASHED, virtualServicesByHost } from './indexes.ts'
import { meshConfigOf } from './mesh-config.ts'
import { isHttpOrDetected } from './protocol.ts'
import { portOf, type MeshService } from './registry.ts'
import { listenerForPort, type EgressListener, type Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { VirtualService } from './virtual-service.ts'
import { importedVirtualServices, listenerServices, visibleService } from './visibility.ts'

/**
 * The routes of a client towards a host and port: those of a VirtualService, in order, or `default`: one for everything, to that host
 * and port, without a timeout, with the mesh's retries. Undefined where the client has no HTTP route for it: the host is not
 * imported by the listener of that port, or the port is not HTTP. The name of an ExternalName Service that no VirtualService
 * claims is one more name of what it stands for.
 * istio: networking/core/httproute.go BuildSidecarOutboundVirtualHosts.
 */
export function routesTo(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  host: string,
  port: number,
): readonly Route[] | 'default' | undefined {
  const listener = httpListenerFor(scope, port)
  if (listener === undefined) return undefined
  const concrete = concreteHost(snapshot, host)
  const routes = namedRoutes(snapshot, scope, client, listener, { host, port })
  if (concrete === host || typeof routes === 'object') return routes
  if (concrete === undefined || !importsName(snapshot, scope, listener, host, concrete)) return undefined
  return namedRoutes(snapshot, scope, client, listener, { host: concrete, port })
}

function namedRoutes(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  listener: EgressListener,
  { host, port }: Target,
): readonly Route[] | 'default' | undefined {
  const isOffered = (by: EgressListener): boolean => offersHttp(listenerServices(snapshot, scope, by, host), port)
  if (!isOffered(listener)) return undefined
  // a listener that speaks TCP makes no routes, unless a listener for all ports asks for them
  const isTcp = listener.port !== undefined && !isHttpOrDetected(listener.protocol)
  if (isTcp && !scope.listeners.some((other) => other.port === undefined && isOffered(other))) return undefined
  const query = routeQuery(snapshot, scope, client, port)
  for (const virtualService of claimants(snapshot, scope, listener, host)) {
    const routes = httpRoutes(virtualService, query)
    // one that leaves nothing for this client and port makes room for the next
    if (routes.length > 0) return routes
  }
  return 'default'
}

interface Target {
  readonly host: string
  readonly port: number
}

/** Of several services with one host, the last with the port counts. */
function offersHttp(services: readonly MeshService[], port: number): boolean {
  const found = services.findLast((service) => portOf(service, port) !== undefined)
  return found !== undefined && isHttpOrDetected(portOf(found, port)?.protocol ?? 'tcp')
}

/** Does a listener import another name of a service? istio: model/sidecar.go matchingAliasService. */
function importsName(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  alias: string,
  host: string,
): boolean {
  return listenerServices(snapshot, scope, listener, host).some((service) =>
    importsService(listener.imports, alias, service.namespace),
  )
}

/** The VirtualService whose routes a client uses towards a host and port; undefined where the default route is used. */
export function virtualServiceFor(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  host: string,
  port: number,
): VirtualService | undefined {
  const routes = routesTo(snapshot, scope, client, host, port)
  return routes === 'default' ? undefined : routes?.[0]?.virtualService
}

/** The listener whose imports are served as HTTP on a port, if HTTP is served there. */
export function httpListenerFor(scope: Scope, port: number): EgressListener | undefined {
  return RESERVED_PORTS.has(port) ? undefined : listenerForPort(scope, port)
}

/**
 * The VirtualServices that may route a host for the clients of a listener, in the order in which they are asked. Those that name
 * it are all asked; one with a wildcard only where its wildcard is the most specific host of all.
 * istio: networking/core/route/route.go separateVSHostsAndServices, model/sidecar.go computeWildcardHostVirtualServiceIndex.
 */
export function claimants(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  host: string,
): readonly VirtualService[] {
  for (const pattern of coveringPatterns(host)) {
    const candidates = snapshot.find(virtualServicesByHost, pattern)
    if (candidates.length === 0) continue
    const imported = importedVirtualServices(snapshot, scope, listener, candidates)
    if (imported.length === 0) continue
    return isWildcard(pattern) ? imported.slice(0, 1) : imported
  }
  return []
}

/** What routes depend on beside their VirtualService; `gateways` has `mesh` for a sidecar, the name of the Gateway for its pod. */
export function routeQuery(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  port: number,
  gateways: ReadonlySet<string> = MESH,
): RouteQuery {
  return {
    place: { client, port, gateways },
    defaultRetries: meshConfigOf(snapshot).defaultHttpRetryPolicy,
    meantBy: (host) => {
      const target = aliasTarget(snapshot, host)
      const listener = target === undefined ? undefined : httpListenerFor(scope, port)
      if (target === undefined || listener === undefined) return host
      const services = listenerServices(snapshot, scope, listener, host)
      // a sidecar has only what is on the port of the request before it
      const isKnown =
        gateways === MESH ? services.some((each) => portOf(each, port) !== undefined) : services.length > 0
      return isKnown ? target : host
    },
    isHashed: (destination) => {
      if (!snapshot.has(destinationRulesWithHash, HASHED)) return false
      const service = visibleService(snapshot, scope, text(destination.host) ?? '')
      if (service === undefined) return false
      return isHashed(destinationRuleFor(snapshot, client, service), destination)
    },
  }
}

/** Does a rule choose the endpoints of a destination by a hash? istio: networking/core/route/route.go HashForHTTPDestination. */
export function isHashed(rule: MergedRule | undefined, destination: JsonObject): boolean {
  if (rule === undefined) return false
  const port = number(asObject(destination.port).number)
  const subset = rule.subsets.find(({ name }) => name === (text(destination.subset) ?? ''))
  return [subset?.trafficPolicy?.policy, rule.trafficPolicy?.policy].some(
    (policy) => hashesPort(policy, port) || hashes(policy?.loadBalancer),
  )
}

function hashesPort(policy: JsonObject | undefined, port: number | undefined): boolean {
  if (port === undefined) return false
  const entry = blocks(policy?.portLevelSettings).find((item) => number(asObject(item.port).number) === port)
  return hashes(entry?.loadBalancer)
}

function hashes(loadBalancer: Json | undefined): boolean {
  return block(asObject(loadBalancer).consistentHash) !== undefined
}

// istio: the proxy's own listeners: outbound and inbound traffic, health and metrics
const RESERVED_PORTS: ReadonlySet<number> = new Set([15001, 15006, 15021, 15090])
const MESH: ReadonlySet<string> = new Set(['mesh'])
