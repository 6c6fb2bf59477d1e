import type { KubeObject } from '../kube/object.ts'
import type { Client } from './destination-rule.ts'
import { hostsOverlap, isWildcard } from './hosts.ts'
import { httpRoutes, type Route } from './http-route.ts'
import { isHttpOrDetected } from './protocol.ts'
import { portOf, type MeshService } from './registry.ts'
import { claimants, httpListenerFor, routeQuery } from './routes.ts'
import type { EgressListener, Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { VirtualService } from './virtual-service.ts'
import { importedVirtualServices, listenerServices } from './visibility.ts'

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
 * The ports on which a proxy serves HTTP, `hosts` being all that the registry has. A port is served because some listener imports an
 * HTTP service for it, but it is the first listener for that port which says what is there.
 * istio: networking/core/listener.go buildSidecarOutboundListeners, model/sidecar.go GetEgressListenerForRDS.
 */
export function httpPortsOf(snapshot: MeshSnapshot, scope: Scope, hosts: readonly string[]): readonly HttpPort[] {
  const served = new Set<number>()
  const imported = new Map<EgressListener, readonly MeshService[]>()
  for (const listener of scope.listeners) {
    const services = hosts
      .flatMap((host) => listenerServices(snapshot, scope, listener, host))
      .filter(({ resolution }) => resolution !== 'alias')
    imported.set(listener, services)
    for (const { ports } of services) {
      for (const { number, protocol } of ports) {
        // a listener for one port speaks what the Sidecar says, whatever its services do
        if (isHttpOrDetected(listener.port === undefined ? protocol : listener.protocol)) served.add(number)
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
 * port 80 those of one that routes no service at all. `candidates` are the VirtualServices that may matter.
 * istio: networking/core/route/route.go buildSidecarVirtualHostsForVirtualService, separateVSHostsAndServices.
 */
export function orphanRoutes(
  snapshot: MeshSnapshot,
  scope: Scope,
  client: Client,
  { port, listener, services }: HttpPort,
  candidates: readonly KubeObject[],
): readonly OrphanRoutes[] {
  const found = new Map<string, OrphanRoutes>()
  const query = routeQuery(snapshot, scope, client, port)
  for (const virtualService of importedVirtualServices(snapshot, scope, listener, candidates)) {
    const orphans = virtualService.hosts.filter((host) => !matchesService(host, services))
    if (orphans.length === 0) continue
    const routes = httpRoutes(virtualService, query)
    if (routes.length === 0) continue
    const routed = [...services.values()].filter((service) =>
      claims(snapshot, scope, listener, virtualService, service),
    )
    const routesHttp = routed.some((service) => isHttpOrDetected(portOf(service, port)?.protocol ?? 'tcp'))
    if (!routesHttp && port !== 80) continue
    for (const host of orphans) if (!found.has(host)) found.set(host, { host, port, routes })
  }
  return [...found.values()]
}

function matchesService(host: string, services: ReadonlyMap<string, MeshService>): boolean {
  if (!isWildcard(host)) return services.has(host)
  for (const known of services.keys()) if (hostsOverlap(host, known)) return true
  return false
}

function claims(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  virtualService: VirtualService,
  service: MeshService,
): boolean {
  const names = virtualService.hosts.some((host) => hostsOverlap(host, service.host))
  if (!names) return false
  return claimants(snapshot, scope, listener, service.host).some(({ object }) => object === virtualService.object)
}
