import { asObject } from '../kube/json.ts'
import { aliasesOf } from './aliases.ts'
import type { Duration } from '../kube/duration.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { membersOf, nodeKey, nodeOf, nodesBehind, type CallNode } from './call-node.ts'
import { knownCalls, knownCallsTo, type KnownCall } from './call-sources.ts'
import { destinationRuleFor, type Client } from './destination-rule.ts'
import { texts } from './fields.ts'
import { httpRoutes, type Destination, type Forward } from './http-route.ts'
import { gatewayKey, virtualServicesByDestination, virtualServicesByGateway } from './indexes.ts'
import { servicesInFrontOf } from './inbound.ts'
import { isHttpOrDetected } from './protocol.ts'
import { memo, memoByKey } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { servicesWithHost } from './registry.ts'
import { limitsOf, retryBudgetOf } from './resilience.ts'
import { isConnectLevel, maxTries, retriesOf, worstLatency, type Retries } from './retries.ts'
import { routesTo } from './routes.ts'
import { scopeFor } from './sidecar.ts'
import { isSameObject, type MeshSnapshot } from './snapshot.ts'
import { effectivePolicy } from './traffic-policy.ts'
import { mergedVirtualService } from './virtual-service.ts'
import { visibleService } from './visibility.ts'

/** One node calling another: the worst of the routes between them. */
export interface CallEdge {
  readonly from: CallNode
  readonly to: CallNode
  /** The host that is called; routes may send the call elsewhere. */
  readonly host: string
  readonly port: number
  /** Requests that may reach `to` for one that `from` makes. */
  readonly tries: number
  /** Are all retries such that the request never reached an application? They then multiply no work. */
  readonly isConnectLevel: boolean
  readonly retries: Retries | undefined
  readonly timeout: Duration | undefined
  /** The longest that `from` may wait; undefined: without end. */
  readonly latency: Duration | undefined
  readonly client: Client
  readonly destination: Destination
  /** Where the route is written; undefined for the default route. */
  readonly route: { readonly object: KubeObject; readonly field: string } | undefined
  /** What says that this call is made. */
  readonly evidence: { readonly object: KubeObject; readonly field: string }
}

/** The calls of a node, with what becomes of each. Nothing that calls itself. */
export function callsFrom(snapshot: MeshSnapshot, from: CallNode): readonly CallEdge[] {
  return callsOfMesh(snapshot).from(from)
}

/** The calls to a node. */
export function callsTo(snapshot: MeshSnapshot, to: CallNode): readonly CallEdge[] {
  return callsOfMesh(snapshot).to(to)
}

/** Every way in which calls come to a node by the routes of a VirtualService, the better ones too. */
export function callsBy(snapshot: MeshSnapshot, virtualService: KubeObject, to: CallNode): readonly CallEdge[] {
  return callsOfMesh(snapshot)
    .arriving(to)
    .filter(({ route }) => route !== undefined && isSameObject(route.object, virtualService))
}

/** The calls found so far in a mesh: a search for paths comes to the same nodes again and again. */
const callsOfMesh = memo((snapshot: MeshSnapshot) => {
  const arriving = memoByKey(nodeKey, (to: CallNode) => findCallsTo(snapshot, to))
  return {
    arriving,
    by: memoByKey(String, (host: string) => findCallsBy(snapshot, host)),
    from: memoByKey(nodeKey, (from: CallNode) => findCallsFrom(snapshot, from)),
    to: memoByKey(nodeKey, (to: CallNode) => worstEdges(arriving(to), 'from')),
  }
})

function findCallsFrom(snapshot: MeshSnapshot, from: CallNode): readonly CallEdge[] {
  return worstEdges(from.kind === 'gateway' ? gatewayEdges(snapshot, from) : workloadEdges(snapshot, from), 'to')
}

function findCallsTo(snapshot: MeshSnapshot, to: CallNode): readonly CallEdge[] {
  const gateways = new Map<string, CallNode>()
  const edges: CallEdge[] = []
  for (const host of hostsLeadingTo(snapshot, to)) {
    edges.push(...(callsOfMesh(snapshot).by(host).get(nodeKey(to)) ?? []))
    for (const gateway of gatewaysTo(snapshot, host)) gateways.set(nodeKey(gateway), gateway)
  }
  for (const gateway of gateways.values()) {
    edges.push(...[...gatewayEdges(snapshot, gateway)].filter((edge) => nodeKey(edge.to) === nodeKey(to)))
  }
  return edges.filter((edge) => nodeKey(edge.from) !== nodeKey(to))
}

/** The calls that are made by a host, by the node that they come to. */
function findCallsBy(snapshot: MeshSnapshot, host: string): ReadonlyMap<string, readonly CallEdge[]> {
  const edges = knownCallsTo(snapshot, host).flatMap((call) => [...edgesOfCall(snapshot, nodeOf(call.caller), call)])
  return Map.groupBy(edges, ({ to }) => nodeKey(to))
}

/** What keeps retries down however many are allowed: a budget or a limit of the DestinationRule that the caller uses. */
export function retryBoundOf(snapshot: MeshSnapshot, edge: CallEdge): 'retryBudget' | 'maxRetries' | undefined {
  const { client, destination } = edge
  const service = visibleService(snapshot, scopeFor(snapshot, client), destination.host)
  if (service === undefined) return undefined
  const rule = destinationRuleFor(snapshot, client, service)
  const policy = effectivePolicy(snapshot, rule, destination.port, destination.subset)
  if (retryBudgetOf(policy) !== undefined) return 'retryBudget'
  return limitsOf(policy).maxRetries === undefined ? undefined : 'maxRetries'
}

/** The worst edge for each node at the other end; nothing that calls itself. */
function worstEdges(edges: Iterable<CallEdge>, end: 'from' | 'to'): readonly CallEdge[] {
  const worst = new Map<string, CallEdge>()
  for (const edge of edges) {
    if (nodeKey(edge.to) === nodeKey(edge.from)) continue
    const key = nodeKey(edge[end])
    const known = worst.get(key)
    if (known === undefined || isWorse(edge, known)) worst.set(key, edge)
  }
  return [...worst.values()]
}

/** What an edge multiplies the work behind it by: retries on connection failure alone multiply nothing. */
export function factorOf(edge: CallEdge): number {
  return edge.isConnectLevel ? 1 : edge.tries
}

function isWorse(a: CallEdge, b: CallEdge): boolean {
  return factorOf(a) > factorOf(b) || (factorOf(a) === factorOf(b) && a.tries > b.tries)
}

function* workloadEdges(snapshot: MeshSnapshot, from: CallNode): Generator<CallEdge> {
  for (const member of membersOf(snapshot, from)) {
    for (const call of knownCalls(snapshot, member)) yield* edgesOfCall(snapshot, from, call)
  }
}

function* edgesOfCall(snapshot: MeshSnapshot, from: CallNode, call: KnownCall): Generator<CallEdge> {
  const { caller, host } = call
  const scope = scopeFor(snapshot, caller)
  for (const port of portsOf(snapshot, call)) {
    const routes = routesTo(snapshot, scope, caller, host, port)
    const query = { from, client: caller, host, port, evidence: call }
    if (routes === undefined || routes === 'default') {
      const retries = routes === undefined ? undefined : defaultRetries(snapshot)
      const to = [{ host, port, subset: undefined, weight: undefined }]
      yield* edgesOf(snapshot, query, { to, timeout: undefined, retries }, undefined)
      continue
    }
    for (const { action, entry } of routes) {
      if (action.kind === 'forward') yield* edgesOf(snapshot, query, action, entry)
    }
  }
}

function* gatewayEdges(snapshot: MeshSnapshot, from: CallNode): Generator<CallEdge> {
  const gateway = `${from.namespace}/${from.name}`
  const client = { namespace: from.namespace, labels: {} }
  for (const object of snapshot.find(virtualServicesByGateway, gateway)) {
    const virtualService = mergedVirtualService(snapshot, object)
    if (virtualService === undefined) continue
    const routes = httpRoutes(virtualService, {
      place: { client, port: GATEWAY_PORT, gateways: new Set([gateway]) },
      defaultRetries: meshConfigOf(snapshot).defaultHttpRetryPolicy,
      isHashed: () => false,
    })
    for (const { action, entry } of routes) {
      const [host = ''] = virtualService.hosts
      const query = { from, client, host, port: GATEWAY_PORT, evidence: { object, field: 'spec.gateways' } }
      if (action.kind === 'forward') yield* edgesOf(snapshot, query, action, entry)
    }
  }
}

interface EdgeQuery {
  readonly from: CallNode
  readonly client: Client
  readonly host: string
  readonly port: number
  readonly evidence: { readonly object: KubeObject; readonly field: string }
}

function* edgesOf(
  snapshot: MeshSnapshot,
  query: EdgeQuery,
  forward: Pick<Forward, 'to' | 'timeout' | 'retries'>,
  route: { readonly object: KubeObject; readonly field: string } | undefined,
): Generator<CallEdge> {
  const { retries, timeout } = forward
  const { from, host, port } = query
  for (const destination of forward.to) {
    for (const to of nodesBehind(snapshot, destination.host)) {
      yield {
        from,
        to,
        host,
        port,
        tries: maxTries(retries, timeout),
        isConnectLevel: retries === undefined || isConnectLevel(retries),
        retries,
        timeout,
        latency: worstLatency(retries, timeout),
        client: query.client,
        destination,
        route: route === undefined ? undefined : { object: route.object, field: route.field },
        evidence: { object: query.evidence.object, field: query.evidence.field },
      }
    }
  }
}

function defaultRetries(snapshot: MeshSnapshot): Retries | undefined {
  return retriesOf(meshConfigOf(snapshot).defaultHttpRetryPolicy, false)
}

/** The ports that a call may be to: the one it names, else every HTTP port of the host. */
function portsOf(snapshot: MeshSnapshot, call: KnownCall): readonly number[] {
  if (call.port !== undefined) return [call.port]
  const ports = servicesWithHost(snapshot, call.host).flatMap((service) =>
    service.ports.filter(({ protocol }) => isHttpOrDetected(protocol)).map((port) => port.number),
  )
  return ports.length === 0 ? [80] : [...new Set(ports)]
}

/** One VirtualService may have thousands of hosts, which all lead to the same nodes. */
const MOST_HOSTS = 20

/** The hosts by which a node is called: those of its services, and those that VirtualServices send to them. */
function hostsLeadingTo(snapshot: MeshSnapshot, node: CallNode): ReadonlySet<string> {
  const concrete =
    node.kind === 'outside'
      ? [node.name]
      : membersOf(snapshot, node).flatMap((workload) => servicesInFrontOf(snapshot, workload).map(({ host }) => host))
  const own = concrete.flatMap((host) => [host, ...aliasesOf(snapshot, host)])
  const hosts = new Set(own)
  for (const host of own) {
    for (const object of snapshot.find(virtualServicesByDestination, host)) {
      for (const other of mergedVirtualService(snapshot, object)?.hosts.slice(0, MOST_HOSTS) ?? []) hosts.add(other)
    }
  }
  return hosts
}

function gatewaysTo(snapshot: MeshSnapshot, host: string): readonly CallNode[] {
  return snapshot.find(virtualServicesByDestination, host).flatMap((object) =>
    texts(asObject(object.spec).gateways)
      .map((name) => gatewayKey(name, namespaceOf(object)))
      .filter((key) => key !== 'mesh')
      .map((key): CallNode => {
        const slash = key.indexOf('/')
        return { kind: 'gateway', namespace: key.slice(0, slash), name: key.slice(slash + 1) }
      }),
  )
}

// routes of a gateway rarely depend on its port; those that do are for another one
const GATEWAY_PORT = 80
