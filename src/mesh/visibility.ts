import { asObject, equal, type JsonObject } from '../kube/json.ts'
import { labelsOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareAge } from './age.ts'
import { isExportedTo } from './exports.ts'
import { blocks, number, text } from './fields.ts'
import { importsService, importsVirtualService } from './host-imports.ts'
import { virtualServicesByDelegate, virtualServicesByDestination } from './indexes.ts'
import { memo } from './memo.ts'
import { portOf, serviceExports, servicesWithHost, type MeshService } from './registry.ts'
import type { EgressListener, Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import {
  destinationsOf,
  mergedVirtualService,
  virtualServiceExports,
  virtualServiceName,
  type RouteEntry,
  type VirtualService,
} from './virtual-service.ts'

/**
 * The service that a proxy sees under a host, with the ports that it sees; undefined where it sees none. Hosts come from the
 * listeners' imports and from the destinations of imported VirtualServices. What is not visible is not blocked.
 * istio: model/sidecar.go collectImportedServices.
 */
export function visibleService(snapshot: MeshSnapshot, scope: Scope, host: string): MeshService | undefined {
  let seen: MeshService | undefined
  for (const listener of scope.listeners) {
    for (const service of listenerServices(snapshot, scope, listener, host)) seen = joinServices(seen, service)
    for (const service of routedServices(snapshot, scope, listener, host)) seen = joinServices(seen, service)
  }
  return seen
}

/** Does a proxy see any service under a host? */
export function isVisibleHost(snapshot: MeshSnapshot, scope: Scope, host: string): boolean {
  return scope.listeners.some(
    (listener) =>
      listenerServices(snapshot, scope, listener, host).length > 0 ||
      routedServices(snapshot, scope, listener, host).length > 0,
  )
}

/**
 * The services with a host that a listener imports by its `hosts`: all of one namespace, usually one.
 * istio: model/sidecar.go selectServices, servicesForExactHosts.
 */
export function listenerServices(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  host: string,
): readonly MeshService[] {
  const candidates = listener.isExactOnly
    ? onePerNamespace(servicesWithHost(snapshot, host)).filter((service) => isVisible(snapshot, service, scope))
    : exportedServices(snapshot, scope, host)
  const imported = candidates.flatMap((service) => {
    if (!importsService(listener.imports, host, service.namespace)) return []
    return listener.matchesPort ? trimPorts(service, [listener.port ?? 0]) : [service]
  })
  if (imported.length < 2) return imported
  const namespace = chosenNamespace(imported, scope.namespace)
  return imported.filter((service) => service.namespace === namespace)
}

/** The VirtualServices, of those given, that a listener imports for sidecars, in the order in which Istio looks at them. */
export function importedVirtualServices(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  candidates: Iterable<KubeObject>,
): readonly VirtualService[] {
  const found: { readonly rank: number; readonly virtualService: VirtualService }[] = []
  for (const object of candidates) {
    const exports = virtualServiceExports(snapshot, object)
    if (!isExportedTo(exports, scope.namespace)) continue
    const virtualService = mergedVirtualService(snapshot, object)
    if (virtualService === undefined || !virtualService.gateways.includes('mesh')) continue
    if (!importsVirtualService(listener.imports, virtualService)) continue
    const isOwn = namespaceOf(object) === scope.namespace
    found.push({ rank: exports === 'everywhere' ? 2 : isOwn ? 0 : 1, virtualService })
  }
  found.sort((a, b) => a.rank - b.rank || compareAge(a.virtualService.object, b.virtualService.object))
  return found.map(({ virtualService }) => virtualService)
}

/** Services that a listener imports because an imported VirtualService sends traffic there. */
function routedServices(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
  host: string,
): readonly MeshService[] {
  const senders = sendersTo(snapshot, host)
  if (senders.length === 0) return []
  const target = routedService(snapshot, scope, host)
  if (target === undefined) return []
  return importedVirtualServices(snapshot, scope, listener, senders).flatMap((virtualService) => {
    const ports = destinationPorts(virtualService, host, scope.namespace)
    if (ports.length === 0) return []
    if (listener.matchesPort) return trimPorts(target, [listener.port ?? 0])
    return ports.includes(EVERY_PORT) ? [target] : trimPorts(target, ports)
  })
}

/** The VirtualServices that may send traffic to a host, themselves or through a delegate. */
function sendersTo(snapshot: MeshSnapshot, host: string): readonly KubeObject[] {
  const found = new Set<KubeObject>()
  for (const object of snapshot.find(virtualServicesByDestination, host)) {
    found.add(object)
    for (const root of snapshot.find(virtualServicesByDelegate, virtualServiceName(object))) found.add(root)
  }
  return [...found]
}

/** The ports of a host that a VirtualService names, as far as the namespace matters. istio: virtualServiceDestinationsFilteredBySourceNamespace. */
function destinationPorts(virtualService: VirtualService, host: string, namespace: string): readonly number[] {
  const named = destinationsByHost(virtualService).get(host) ?? []
  return named.filter(({ matches }) => concernsNamespace(matches, namespace)).map(({ port }) => port)
}

interface NamedPort {
  readonly host: string
  readonly port: number
  /** The conditions of an HTTP route; none of the others. */
  readonly matches: readonly JsonObject[]
}

const destinationsByHost: (virtualService: VirtualService) => ReadonlyMap<string, readonly NamedPort[]> = memo(
  ({ http, tcp, tls }) => {
    const named = (entry: RouteEntry, matches: readonly JsonObject[]): readonly NamedPort[] =>
      destinationsOf(entry.spec).map(({ destination }) => ({
        host: text(destination.host) ?? '',
        port: number(asObject(destination.port).number) ?? EVERY_PORT,
        matches,
      }))
    const all = [
      ...http.flatMap((entry) => named(entry, blocks(entry.spec.match))),
      ...[...tcp, ...tls].flatMap((entry) => named(entry, [])),
    ]
    return Map.groupBy(all, ({ host }) => host)
  },
)

function concernsNamespace(matches: readonly JsonObject[], namespace: string): boolean {
  const named = matches.map((match) => text(match.sourceNamespace) ?? '').filter((name) => name !== '')
  return named.length === 0 || named.includes(namespace)
}

/**
 * The service that a destination of a VirtualService means: the one of the proxy's own namespace, exported to it or not, else a
 * Kubernetes Service that is, else the oldest that is. istio: model/sidecar.go pickBestVisibleNamespace.
 */
function routedService(snapshot: MeshSnapshot, scope: Scope, host: string): MeshService | undefined {
  const byNamespace = onePerNamespace(servicesWithHost(snapshot, host))
  const own = byNamespace.find(({ namespace }) => namespace === scope.namespace)
  if (own !== undefined) return own
  const visible = byNamespace.filter((service) => isVisible(snapshot, service, scope))
  return visible.find(({ source }) => source === 'Service') ?? visible[0]
}

/** What is exported to the namespace by name comes before what everybody sees; each by age. istio: servicesExportedToNamespace. */
function exportedServices(snapshot: MeshSnapshot, scope: Scope, host: string): readonly MeshService[] {
  const named: MeshService[] = []
  const everywhere: MeshService[] = []
  for (const service of servicesWithHost(snapshot, host)) {
    const exports = serviceExports(snapshot, service)
    if (exports === 'everywhere') everywhere.push(service)
    else if (isExportedTo(exports, scope.namespace)) named.push(service)
  }
  return [...named, ...everywhere]
}

function isVisible(snapshot: MeshSnapshot, service: MeshService, scope: Scope): boolean {
  return isExportedTo(serviceExports(snapshot, service), scope.namespace)
}

/** In each namespace the Kubernetes Service, else the oldest. istio: ServiceIndex.HostnameAndNamespace. */
function onePerNamespace(services: readonly MeshService[]): readonly MeshService[] {
  const chosen = new Map<string, MeshService>()
  for (const service of services) {
    const known = chosen.get(service.namespace)
    if (known === undefined || (known.source !== 'Service' && service.source === 'Service')) {
      chosen.set(service.namespace, service)
    }
  }
  return services.filter((service) => chosen.get(service.namespace) === service)
}

/** One namespace for a host: the proxy's own, else that of a Kubernetes Service, else the first. */
function chosenNamespace(services: readonly MeshService[], own: string): string | undefined {
  if (services.some(({ namespace }) => namespace === own)) return own
  return (services.find(({ source }) => source === 'Service') ?? services[0])?.namespace
}

function trimPorts(service: MeshService, numbers: readonly number[]): readonly MeshService[] {
  const ports = service.ports.filter((port) => numbers.includes(port.number))
  if (ports.length === 0) return []
  return [ports.length === service.ports.length ? service : { ...service, ports }]
}

/** istio: model/sidecar.go appendSidecarServices, canMergeServices. */
function joinServices(seen: MeshService | undefined, service: MeshService): MeshService {
  if (seen === undefined) return service
  if (seen.source === 'Service' && service.source !== 'Service') return seen
  if (seen.source !== 'Service' && service.source === 'Service') return service
  if (!canMerge(seen, service)) return seen
  const added = service.ports.filter((port) => portOf(seen, port.number) === undefined)
  return added.length === 0 ? seen : { ...seen, ports: [...seen.ports, ...added] }
}

function canMerge(a: MeshService, b: MeshService): boolean {
  return (
    a.namespace === b.namespace &&
    a.resolution === b.resolution &&
    equal(labelsOf(a.object), labelsOf(b.object)) &&
    equal(a.selector, b.selector) &&
    a.exportTo.every((entry) => b.exportTo.includes(entry)) &&
    b.exportTo.every((entry) => a.exportTo.includes(entry))
  )
}

/** Stands for a destination without a port. */
const EVERY_PORT = 0
