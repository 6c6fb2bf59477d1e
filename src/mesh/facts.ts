import type { Json, JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { accessTo, type PortAccess } from './access.ts'
import { enforcedRuleName } from './authorization.ts'
import { clustersFor } from './cluster.ts'
import { destinationRuleFor, ruleName } from './destination-rule.ts'
import { discoveredMesh } from './discovery.ts'
import { clusterFact } from './fact-cluster.ts'
import { retriesFact, routeFact } from './fact-route.ts'
import { KINDS } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import { httpPortsOf, orphanRoutes } from './orphan-routes.ts'
import { effectiveMtls } from './peer-authentication.ts'
import type { Protocol } from './protocol.ts'
import { allServices, portOf, type MeshService } from './registry.ts'
import type { Request } from './request.ts'
import { retriesOf } from './retries.ts'
import { routesTo } from './routes.ts'
import { outboundPolicyOf, scopeFor, type Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { visibleService } from './visibility.ts'
import { allWorkloads, hasSidecar, type Workload } from './workloads.ts'

/** How far the facts are. */
export interface FactsProgress {
  readonly done: number
  readonly total: number
}

/**
 * What the mesh really does, for every workload with a sidecar: whom it sees and how it talks to them, what its ports accept, and
 * what becomes of sample requests. The vocabulary is that of the oracle corpus, docs/conformance.md.
 */
export function facts(snapshot: MeshSnapshot, requests: readonly Request[]): JsonObject {
  const steps = collectFacts(snapshot, requests)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * `facts`, one workload at a time, for a caller that shows progress or must not block. `hidden`: whether hosts that a
 * workload does not see are told as `null` or left out; in a large mesh they are nearly all there is.
 */
export function* collectFacts(
  whole: MeshSnapshot,
  requests: readonly Request[],
  hidden: 'null' | 'left-out' = 'null',
): Generator<FactsProgress, JsonObject> {
  const snapshot = discoveredMesh(whole)
  const workloads = sidecarWorkloads(snapshot)
  const registry = readRegistry(snapshot)
  const clients = new Map<string, ClientFacts>()
  const columns: Record<Column, Record<string, Json>> = {
    sidecar: {},
    outboundPolicy: {},
    inbound: {},
    outbound: {},
    routes: {},
    otherRoutes: {},
    access: {},
  }
  for (const [done, workload] of workloads.entries()) {
    yield { done, total: workloads.length }
    const name = `${workload.namespace}/${workload.name}`
    const client = clientFacts({ snapshot, registry, workload, hidden }, clients)
    columns.sidecar[name] = client.sidecar
    columns.outboundPolicy[name] = client.outboundPolicy
    columns.outbound[name] = client.outbound
    columns.routes[name] = client.routes
    if (Object.keys(client.otherRoutes).length > 0) columns.otherRoutes[name] = client.otherRoutes
    columns.inbound[name] = inboundFact(snapshot, workload)
    columns.access[name] = accessFact(snapshot, workload, requests)
  }
  const hasDefaultRoute = Object.values(columns.routes).some((routes) =>
    Object.values(routes ?? {}).includes('default'),
  )
  const retries = retriesOf(meshConfigOf(snapshot).defaultHttpRetryPolicy, false)
  return {
    services: registry.services.map(serviceFact),
    ...columns,
    defaultRetries: hasDefaultRoute ? retriesFact(retries) : null,
  }
}

type Column = 'sidecar' | 'outboundPolicy' | 'inbound' | 'outbound' | 'routes' | 'otherRoutes' | 'access'

/** Everything that runs with a sidecar, by namespace and name. */
export function sidecarWorkloads(snapshot: MeshSnapshot): readonly Workload[] {
  return allWorkloads(snapshot).filter((workload) => hasSidecar(snapshot, workload))
}

/** All hosts of the registry, with the ports that any service has under each. */
interface Registry {
  readonly services: readonly MeshService[]
  readonly ports: ReadonlyMap<string, readonly number[]>
  readonly virtualServices: readonly KubeObject[]
  /** What is visible in each scope asked for so far. */
  readonly seen: Map<string, ReadonlyMap<string, MeshService>>
}

function readRegistry(snapshot: MeshSnapshot): Registry {
  const services = allServices(snapshot)
  const ports = new Map<string, readonly number[]>()
  for (const service of services) {
    const known = ports.get(service.host) ?? []
    ports.set(service.host, [...new Set([...known, ...service.ports.map(({ number }) => number)])])
  }
  return { services, ports, virtualServices: snapshot.all(KINDS.virtualService), seen: new Map() }
}

interface Client {
  readonly snapshot: MeshSnapshot
  readonly registry: Registry
  readonly workload: Workload
  readonly hidden: 'null' | 'left-out'
}

/** What a proxy sees depends on its namespace and its Sidecar alone, so clients that share these share the answer. */
function seenServices({ snapshot, registry }: Client, scope: Scope): ReadonlyMap<string, MeshService> {
  const key = `${scope.namespace} ${scope.sidecar === undefined ? '' : sidecarName(scope.sidecar)}`
  const known = registry.seen.get(key)
  if (known !== undefined) return known
  const seen = new Map<string, MeshService>()
  for (const host of registry.ports.keys()) {
    const service = visibleService(snapshot, scope, host)
    if (service !== undefined) seen.set(host, service)
  }
  registry.seen.set(key, seen)
  return seen
}

function sidecarName(sidecar: KubeObject): string {
  return `${namespaceOf(sidecar)}/${nameOf(sidecar)}`
}

interface ClientFacts {
  readonly sidecar: string | null
  readonly outboundPolicy: string
  readonly outbound: JsonObject
  readonly routes: JsonObject
  readonly otherRoutes: JsonObject
}

/** What a client sees depends on its namespace and labels alone, so pods of one template share it. */
function clientFacts(client: Client, known: Map<string, ClientFacts>): ClientFacts {
  const { snapshot, workload } = client
  const key = JSON.stringify([workload.namespace, workload.labels])
  const found = known.get(key)
  if (found !== undefined) return found
  const scope = scopeFor(snapshot, workload)
  const made: ClientFacts = {
    sidecar: scope.sidecar === undefined ? null : sidecarName(scope.sidecar),
    outboundPolicy: outboundPolicyOf(snapshot, scope),
    outbound: outboundFact(client, scope),
    ...routesFacts(client, scope),
  }
  known.set(key, made)
  return made
}

function outboundFact(client: Client, scope: Scope): JsonObject {
  const { snapshot, registry, workload, hidden } = client
  const config = meshConfigOf(snapshot)
  const seen = seenServices(client, scope)
  const fact: Record<string, Json> = {}
  for (const host of hidden === 'null' ? registry.ports.keys() : seen.keys()) {
    const service = seen.get(host)
    const rule = service === undefined ? undefined : destinationRuleFor(snapshot, workload, service)
    for (const number of registry.ports.get(host) ?? []) {
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
function routesFacts(client: Client, scope: Scope): Pick<ClientFacts, 'routes' | 'otherRoutes'> {
  const { snapshot, registry, workload } = client
  const seen = seenServices(client, scope)
  const routes: Record<string, Json> = {}
  const otherRoutes: Record<string, Json> = {}
  for (const host of seen.keys()) {
    for (const port of registry.ports.get(host) ?? []) {
      const found = routesTo(snapshot, scope, workload, host, port)
      if (found !== undefined) routes[`${host}:${port}`] = found === 'default' ? found : found.map(routeFact)
    }
  }
  for (const httpPort of httpPortsOf(snapshot, scope, [...seen.keys()])) {
    for (const orphan of orphanRoutes(snapshot, scope, workload, httpPort, registry.virtualServices)) {
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
