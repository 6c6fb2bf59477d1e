import { asList, asObject } from '../kube/json.ts'
import type { Client } from './destination-rule.ts'
import { hostsOverlap, isWildcard, shortNames } from './hosts.ts'
import { httpRoutes, type Route } from './http-route.ts'
import { isHttp, isHttpOrDetected } from './protocol.ts'
import { portOf, type MeshService } from './registry.ts'
import { claimants, httpListenerFor, routeQuery } from './routes.ts'
import { virtualServicesOf } from './scope-contents.ts'
import type { EgressListener, Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { VirtualService } from './virtual-service.ts'
import { listenerServices } from './visibility.ts'

/** A port on which a proxy serves HTTP, and the services that its listener imports with that port, by host. */
export interface HttpPort {
  readonly port: number
  readonly listener: EgressListener
  readonly services: ReadonlyMap<string, MeshService>
}

/** A name and port for which a VirtualService made routes although no imported service offers them. */
export interface OrphanRoutes {
  readonly host: string
  readonly port: number
  readonly routes: readonly Route[]
}

/**
 * The ports on which a proxy serves HTTP for whatever name is asked, `hosts` being all that the registry has. A port is served because
 * some listener imports an HTTP service for it, but it is the first listener for that port which says what is there. A service whose
 * protocol has to be detected has its address for itself.
 * istio: networking/core/listener.go buildSidecarOutboundListeners, model/sidecar.go GetEgressListenerForRDS.
 */
export function httpPortsOf(snapshot: MeshSnapshot, scope: Scope, hosts: readonly string[]): readonly HttpPort[] {
  const served = new Set<number>()
  const imported = new Map<EgressListener, readonly MeshService[]>()
  for (const listener of scope.listeners) {
    const services = hosts.flatMap((host) => listenerServices(snapshot, scope, listener, host))
    imported.set(listener, services)
    for (const service of services) {
      if (service.resolution === 'alias') continue
      for (const { number, protocol } of service.ports) {
        // a listener for one port speaks what the Sidecar says, whatever its services do
        const spoken = listener.port === undefined ? protocol : listener.protocol
        if (isHttp(spoken) || (isHttpOrDetected(spoken) && !hasAddress(service))) served.add(number)
      }
    }
  }
  return [...served].flatMap((port) => {
    const listener = httpListenerFor(scope, port)
    if (listener === undefined) return []
    const offered = (imported.get(listener) ?? []).filter((service) => portOf(service, port) !== undefined)
    return [{ port, listener, services: new Map(offered.map((service) => [service.host, service])) }]
  })
}

/**
 * Routes for names that no imported service has: on each HTTP port those of a VirtualService that also routes a service there, and on
 * port 80 those of one that routes no service at all. A name belongs to the VirtualService that comes to it first, and one that is a
 * short form of a service's to whoever routes that service, if that comes first.
 * istio: networking/core/route/route.go buildSidecarVirtualHostsForVirtualService, networking/core/httproute.go dedupeDomains.
 */
export function orphanRoutes(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  { port, listener, services }: HttpPort,
): readonly OrphanRoutes[] {
  const found: OrphanRoutes[] = []
  const taken = new Set<string>()
  const query = routeQuery(snapshot, scope, client, port)
  for (const virtualService of virtualServicesOf(snapshot, scope, listener)) {
    const routes = httpRoutes(virtualService, query)
    if (routes.length === 0) continue
    const routed = virtualService.hosts
      .flatMap((host) => routedServices(snapshot, scope, listener, virtualService, host, services))
      .filter((service) => isHttpOrDetected(portOf(service, port)?.protocol ?? 'tcp'))
    if (routed.length === 0 && port !== 80) continue
    for (const host of virtualService.hosts) {
      if (taken.has(host) || matchesService(host, services)) continue
      taken.add(host)
      found.push({ host, port, routes })
    }
    for (const { host } of routed) for (const name of shortNames(host, scope.namespace)) taken.add(name)
  }
  return found
}

/** istio: networking/core/listener.go buildSidecarOutboundHTTPListenerOpts. */
function hasAddress({ source, object }: MeshService): boolean {
  return source === 'Service' || asList(asObject(object.spec).addresses).length > 0
}

function matchesService(host: string, services: ReadonlyMap<string, MeshService>): boolean {
  if (!isWildcard(host)) return services.has(host)
  for (const known of services.keys()) if (hostsOverlap(host, known)) return true
  return false
}

/**
 * The services that a VirtualService routes by one of its hosts: the one it names, or those for which its wildcard is the most
 * specific name. istio: networking/core/route/route.go separateVSHostsAndServices.
 */
function routedServices(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  { object }: VirtualService,
  host: string,
  services: ReadonlyMap<string, MeshService>,
): readonly MeshService[] {
  if (!isWildcard(host)) {
    const service = services.get(host)
    return service === undefined ? [] : [service]
  }
  return [...services.values()].filter(
    (service) =>
      hostsOverlap(host, service.host) &&
      claimants(snapshot, scope, listener, service.host).some((claimant) => claimant.object === object),
  )
}
