import { labelsOf, labelValue, type KubeObject } from '../kube/object.ts'
import { isHttpServer, isTlsServer, serversOf, type GatewayServer } from './gateway-servers.ts'
import { gatewaysOfPod } from './gateway-workloads.ts'
import { servicesInFrontOf } from './inbound.ts'
import { memo, memoByKey } from './memo.ts'
import { isHttp } from './protocol.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { resolvePort, type Workload } from './workloads.ts'

/** What becomes of a server at a gateway pod. */
export interface Placement {
  readonly server: GatewayServer
  /** Of the pod. */
  readonly port: number
  /** Undefined: it is served. */
  readonly conflict: ServerConflict | undefined
}

/** Why a server is skipped, and the server that was there before. */
export interface ServerConflict {
  /**
   * `duplicate-host`: where a server says anything of TLS, its names on that port are its own. `protocol`: the port has plain text, with
   * which only HTTP can share it, with HTTP. `duplicate-port-name`: two HTTPS servers of one Gateway with one port and port name.
   */
  readonly reason: 'duplicate-host' | 'protocol' | 'duplicate-port-name'
  readonly by: GatewayServer
  /** The names in dispute; none for the other reasons. */
  readonly hosts: readonly string[]
}

/** Servers of one port, protocol and address. istio: model/gateway.go MergedServers. */
export interface ServerGroup {
  readonly port: number
  readonly bind: string
  readonly isHttp: boolean
  readonly servers: readonly GatewayServer[]
}

/** All Gateways of a pod as one. */
export interface MergedGateway extends MergedServers {
  readonly pod: Workload
}

export interface MergedServers {
  /** Of every server of every Gateway that is for the pod, oldest Gateway first. */
  readonly placements: readonly Placement[]
  readonly groups: readonly ServerGroup[]
  /** The servers that share the routes of a server: plain HTTP ones of its port and address; an HTTPS server has its own. */
  readonly sharingRoutes: (server: GatewayServer, port: number) => readonly GatewayServer[]
}

/**
 * Which servers a gateway pod opens on which of its ports, and which it skips because of an earlier one.
 * istio: model/gateway.go mergeGateways.
 */
export function mergedGateway(snapshot: MeshSnapshot, pod: Workload): MergedGateway {
  return { pod, ...mergeServers(gatewaysOfPod(snapshot, pod))(targetPorts(snapshot, pod)) }
}

/** The placements of a merged gateway by Gateway, `namespace/name`. */
export const placementsByGateway: (placements: readonly Placement[]) => ReadonlyMap<string, readonly Placement[]> =
  memo((placements) => Map.groupBy(placements, ({ server }) => server.gatewayName))

/** Replicas have the same Gateways and ports, so they share the result. */
const mergeServers = memo((gateways: readonly KubeObject[]) =>
  memoByKey(
    (targets: ReadonlyMap<number, number>) => JSON.stringify([...targets]),
    (targets): MergedServers => mergedServers(gateways.flatMap(serversOf), targets),
  ),
)

/** What becomes of servers, in their order, at a pod whose ports lead elsewhere: `targets` has the pod's port for a Service's. */
export function mergedServers(servers: readonly GatewayServer[], targets: ReadonlyMap<number, number>): MergedServers {
  const merge: Merge = { ports: new Map(), groups: new Map(), routes: new Map() }
  const placements = servers.map((server) => {
    const port = targets.get(server.port) ?? server.port
    return { server, port, conflict: place(merge, server, port) }
  })
  return {
    placements,
    groups: [...merge.groups.values()],
    sharingRoutes: (server, port) => merge.routes.get(routeName(server, port)) ?? [],
  }
}

/**
 * The pod's port behind each port of the Services in front of it; of several the oldest Service's counts. A port that no
 * Service has is the pod's own. istio: model/gateway.go resolvePorts.
 */
export function targetPorts(snapshot: MeshSnapshot, pod: Workload): ReadonlyMap<number, number> {
  const targets = new Map<number, number>()
  for (const { object, ports } of servicesInFrontOf(snapshot, pod)) {
    if (labelValue(labelsOf(object), UNTRANSLATED) !== undefined) continue
    for (const { number, target } of ports) {
      const resolved = resolvePort(pod, target)
      if (resolved !== undefined && !targets.has(number)) targets.set(number, resolved)
    }
  }
  return targets
}

interface Merge {
  readonly ports: Map<number, PortState>
  readonly groups: Map<string, Group>
  /** By the name of the route configuration. */
  readonly routes: Map<string, GatewayServer[]>
}

interface PortState {
  /** The last server that opened plain text on the port. */
  plain: GatewayServer | undefined
  /** The servers that say something of TLS, by name. */
  readonly claims: Map<string, GatewayServer>
}

interface Group extends ServerGroup {
  readonly servers: GatewayServer[]
}

/** Puts a server on a port, or says why not. */
function place(merge: Merge, server: GatewayServer, port: number): ServerConflict | undefined {
  const known = merge.ports.get(port)
  const state = known ?? { plain: undefined, claims: new Map<string, GatewayServer>() }
  if (known === undefined) merge.ports.set(port, state)
  const disputed = server.tls === undefined ? undefined : claimHosts(state, server)
  if (disputed !== undefined) return disputed
  if (state.plain !== undefined) return joinPlain(merge, server, port, state.plain)
  if (known !== undefined && isTlsServer(server)) return joinTls(merge, server, port)
  // plain text on a port with TLS gets a chain of its own
  open(merge, server, port)
  return undefined
}

/** Names that a server on another address has are free. istio: model/gateway.go CheckDuplicates. */
function claimHosts({ claims }: PortState, server: GatewayServer): ServerConflict | undefined {
  const hosts = server.hosts.filter((host) => claims.get(host)?.bind === server.bind)
  const by = claims.get(hosts[0] ?? '')
  if (by !== undefined && hosts.length > 0) return { reason: 'duplicate-host', by, hosts }
  for (const host of server.hosts) claims.set(host, server)
  return undefined
}

function joinPlain(
  merge: Merge,
  server: GatewayServer,
  port: number,
  plain: GatewayServer,
): ServerConflict | undefined {
  if (plain.bind === server.bind) {
    if (!isHttp(server.protocol) || !isHttp(plain.protocol)) return { reason: 'protocol', by: plain, hosts: [] }
    merge.groups.get(groupKey(plain, port))?.servers.push(server)
    share(merge, server, port)
    return undefined
  }
  const group = merge.groups.get(groupKey(server, port))
  if (group === undefined) {
    open(merge, server, port)
  } else {
    group.servers.push(server)
    share(merge, server, port)
  }
  return undefined
}

function joinTls(merge: Merge, server: GatewayServer, port: number): ServerConflict | undefined {
  if (isHttpServer(server)) {
    const [by] = merge.routes.get(routeName(server, port)) ?? []
    if (by !== undefined) return { reason: 'duplicate-port-name', by, hosts: [] }
    merge.routes.set(routeName(server, port), [server])
  }
  const group = merge.groups.get(groupKey(server, port))
  if (group === undefined) merge.groups.set(groupKey(server, port), groupOf(server, port))
  else group.servers.push(server)
  return undefined
}

/** Starts a group, in the place of one that was there. istio: model/gateway.go addPlainTextServer. */
function open(merge: Merge, server: GatewayServer, port: number): void {
  const state = merge.ports.get(port)
  if (state !== undefined && !isTlsServer(server)) state.plain = server
  if (isHttpServer(server)) merge.routes.set(routeName(server, port), [server])
  merge.groups.set(groupKey(server, port), groupOf(server, port))
}

function share(merge: Merge, server: GatewayServer, port: number): void {
  const name = routeName(server, port)
  const sharing = merge.routes.get(name)
  if (sharing === undefined) merge.routes.set(name, [server])
  else sharing.push(server)
}

function groupOf(server: GatewayServer, port: number): Group {
  return { port, bind: server.bind, isHttp: isHttp(server.protocol), servers: [server] }
}

function groupKey({ protocolName, bind }: GatewayServer, port: number): string {
  return `${port} ${protocolName} ${bind}`
}

/** istio: model/gateway.go gatewayRDSRouteName. */
function routeName({ gatewayName, port, portName, protocol, bind }: GatewayServer, target: number): string {
  if (isHttp(protocol)) return `http.${target} ${bind}`
  return `https.${port}.${portName}.${gatewayName} ${bind}`
}

const UNTRANSLATED = 'experimental.istio.io/disable-gateway-port-translation'
