import type { Json, JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf } from '../kube/object.ts'
import { accessTo, type PortAccess } from './access.ts'
import { enforcedRuleName } from './authorization.ts'
import { clientKey } from './client-key.ts'
import { clustersFor } from './cluster.ts'
import { destinationRuleFor, ruleName } from './destination-rule.ts'
import { discoveredMesh } from './discovery.ts'
import { clusterFact } from './fact-cluster.ts'
import { retriesFact, routeFact } from './fact-route.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { httpPortsOf, orphanRoutes } from './orphan-routes.ts'
import { effectiveMtls } from './peer-authentication.ts'
import type { Protocol } from './protocol.ts'
import { allServices, portOf, type MeshService } from './registry.ts'
import type { Request } from './request.ts'
import { retriesOf } from './retries.ts'
import { routesTo } from './routes.ts'
import { visibleServices } from './scope-contents.ts'
import { outboundPolicyOf, scopeFor, type Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { visibleService } from './visibility.ts'
import { allWorkloads, hasSidecar, type Workload } from './workloads.ts'

/** What of each workload with a sidecar is told under a name of its own. */
export const COLUMNS = ['sidecar', 'outboundPolicy', 'inbound', 'outbound', 'routes', 'otherRoutes', 'access'] as const
export type Column = (typeof COLUMNS)[number]

/**
 * What the mesh really does, for everything that runs with a sidecar: whom it sees and how it talks to them, what its ports accept, and
 * what becomes of sample requests. The vocabulary is that of the oracle corpus, docs/conformance.md. Each fact is worked out
 * when it is asked for, so that a large mesh need not be in memory as facts; workloads are best asked in their order.
 */
export interface SidecarFacts {
  /** By namespace. */
  readonly workloads: readonly Workload[]
  readonly services: readonly JsonObject[]
  /** Undefined where there is nothing to tell. Workloads that are alike share the same object. */
  readonly columns: Readonly<Record<Column, (workload: Workload) => Json | undefined>>
  /** The retries of default routes; null where no workload has one. */
  readonly defaultRetries: () => Json
}

/** `hidden`: whether hosts that a workload does not see are told as `null` or left out; in a large mesh they are nearly all there is. */
export function sidecarFacts(
  whole: MeshSnapshot,
  requests: readonly Request[],
  hidden: 'null' | 'left-out' = 'null',
): SidecarFacts {
  const snapshot = discoveredMesh(whole)
  const workloads = sidecarWorkloads(snapshot)
  const registry = readRegistry(snapshot)
  const clientOf = keepClients(snapshot)
  const outbound = memo((client: SidecarClient) => outboundFact(snapshot, registry, client, hidden))
  const routes = memo((client: SidecarClient) => routesFacts(snapshot, registry, client))
  return {
    workloads,
    services: registry.services.map(serviceFact),
    columns: {
      sidecar: (workload) => sidecarFact(clientOf(workload)),
      outboundPolicy: (workload) => outboundPolicyOf(snapshot, clientOf(workload).scope),
      inbound: (workload) => inboundFact(snapshot, workload),
      outbound: (workload) => outbound(clientOf(workload)),
      routes: (workload) => routes(clientOf(workload)).routes,
      otherRoutes(workload) {
        const { otherRoutes } = routes(clientOf(workload))
        return Object.keys(otherRoutes).length === 0 ? undefined : otherRoutes
      },
      access: (workload) => accessFact(snapshot, workload, requests),
    },
    defaultRetries() {
      const isUsed = workloads.some((workload) => Object.values(routes(clientOf(workload)).routes).includes('default'))
      return isUsed ? retriesFact(retriesOf(meshConfigOf(snapshot).defaultHttpRetryPolicy, false)) : null
    },
  }
}

/** All of it at once. */
export function facts(snapshot: MeshSnapshot, requests: readonly Request[]): JsonObject {
  const { workloads, services, columns, defaultRetries } = sidecarFacts(snapshot, requests)
  const told = COLUMNS.map((column) => {
    const byWorkload = workloads.map((workload) => [
      `${workload.namespace}/${workload.name}`,
      columns[column](workload),
    ])
    return [column, Object.fromEntries(byWorkload.filter(([, fact]) => fact !== undefined))] as const
  })
  return { services, ...Object.fromEntries(told), defaultRetries: defaultRetries() }
}

/** Everything that runs with a sidecar, by namespace and name. */
function sidecarWorkloads(snapshot: MeshSnapshot): readonly Workload[] {
  return allWorkloads(snapshot).filter((workload) => hasSidecar(snapshot, workload))
}

/** All hosts of the registry, with the ports that any service has under each. */
interface Registry {
  readonly services: readonly MeshService[]
  readonly ports: ReadonlyMap<string, readonly number[]>
}

function readRegistry(snapshot: MeshSnapshot): Registry {
  const services = allServices(snapshot)
  const ports = new Map<string, readonly number[]>()
  for (const service of services) {
    const known = ports.get(service.host) ?? []
    ports.set(service.host, [...new Set([...known, ...service.ports.map(({ number }) => number)])])
  }
  return { services, ports }
}

/** Workloads that see the same and do the same, one of them speaking for all. */
interface SidecarClient {
  readonly workload: Workload
  readonly scope: Scope
  readonly seen: ReadonlyMap<string, MeshService>
}

/** Clients of two namespaces are never alike: those of one are kept until another is asked for. */
function keepClients(snapshot: MeshSnapshot): (workload: Workload) => SidecarClient {
  const clients = new Map<string, SidecarClient>()
  let kept: string | undefined
  return (workload) => {
    if (workload.namespace !== kept) clients.clear()
    kept = workload.namespace
    const key = clientKey(snapshot, workload)
    const known = clients.get(key)
    if (known !== undefined) return known
    const scope = scopeFor(snapshot, workload)
    const client = { workload, scope, seen: visibleServices(snapshot, scope) }
    clients.set(key, client)
    return client
  }
}

function sidecarFact({ scope: { sidecar } }: SidecarClient): string | null {
  return sidecar === undefined ? null : `${namespaceOf(sidecar)}/${nameOf(sidecar)}`
}

function outboundFact(
  snapshot: MeshSnapshot,
  registry: Registry,
  { workload, seen }: SidecarClient,
  hidden: 'null' | 'left-out',
): JsonObject {
  const config = meshConfigOf(snapshot)
  const fact: Record<string, Json> = {}
  for (const [host, numbers] of registry.ports) {
    const service = seen.get(host)
    const rule = service === undefined ? undefined : destinationRuleFor(snapshot, workload, service)
    for (const number of numbers) {
      const port = service === undefined ? undefined : portOf(service, number)
      if (service === undefined || port === undefined) {
        if (hidden === 'null') fact[`${host}:${number}`] = null
        continue
      }
      const clusters = clustersFor(snapshot, workload, service, port)
      fact[`${host}:${number}`] = {
        namespace: service.namespace,
        ...(rule === undefined ? {} : { destinationRule: ruleName(rule) }),
        clusters: Object.fromEntries([...clusters].map(([subset, cluster]) => [subset, clusterFact(cluster, config)])),
      }
    }
  }
  return fact
}

/** Routes by target; those under a name and port that the client sees are its routes to it, whoever made them. */
function routesFacts(
  snapshot: MeshSnapshot,
  registry: Registry,
  { workload, scope, seen }: SidecarClient,
): { readonly routes: JsonObject; readonly otherRoutes: JsonObject } {
  const routes: Record<string, Json> = {}
  const otherRoutes: Record<string, Json> = {}
  for (const [host, ports] of registry.ports) {
    if (!seen.has(host)) continue
    for (const port of ports) {
      const found = routesTo(snapshot, scope, workload, host, port)
      if (found !== undefined) routes[`${host}:${port}`] = found === 'default' ? found : found.map(routeFact)
    }
  }
  for (const httpPort of httpPortsOf(snapshot, scope, [...seen.keys()])) {
    for (const orphan of orphanRoutes(snapshot, scope, workload, httpPort)) {
      const service = seen.get(orphan.host) ?? visibleService(snapshot, scope, orphan.host)
      const isSeen = service !== undefined && portOf(service, orphan.port) !== undefined
      const target = isSeen ? routes : otherRoutes
      target[`${orphan.host}:${orphan.port}`] = orphan.routes.map(routeFact)
    }
  }
  return { routes, otherRoutes }
}

function inboundFact(snapshot: MeshSnapshot, workload: Workload): JsonObject {
  const fact: Record<string, Json> = {}
  for (const { number } of workload.ports) fact[number] = effectiveMtls(snapshot, workload, number).mode
  fact.other = effectiveMtls(snapshot, workload).mode
  return fact
}

function accessFact(snapshot: MeshSnapshot, workload: Workload, requests: readonly Request[]): JsonObject {
  return Object.fromEntries(
    accessTo(snapshot, workload).map((access) => [access.port.number, portFact(access, requests)]),
  )
}

function portFact({ port, rules, judge }: PortAccess, requests: readonly Request[]): JsonObject {
  const names = Object.entries(rules).map(([action, list]) => [action, list.map(enforcedRuleName).sort()] as const)
  return {
    protocol: port.filters,
    ...(names.length === 0 ? {} : { rules: Object.fromEntries(names) }),
    results: Object.fromEntries(requests.map((request) => [request.id, judge(request).verdict])),
  }
}

export function serviceFact(service: MeshService): JsonObject {
  return {
    host: service.host,
    namespace: service.namespace,
    source: service.source,
    name: nameOf(service.object),
    ...(service.external ? { external: true } : {}),
    ...(service.source === 'Service' && service.resolution === 'none' ? { headless: true } : {}),
    ports: service.ports.map(({ number, protocol }) => `${number}/${protocolFact(protocol)}`),
  }
}

/** Istio's own word for a protocol that it has to detect. */
function protocolFact(protocol: Protocol): string {
  return protocol === 'unsupported' ? 'unsupportedprotocol' : protocol
}
