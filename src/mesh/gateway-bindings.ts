import { asObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { isExportedTo } from './exports.ts'
import { placedTexts } from './fields.ts'
import { namespacesAccepting, servedDomains } from './gateway-hosts.ts'
import { connectionListeners, isBeyondPrivilege, type GatewayChain } from './gateway-listeners.ts'
import { placementsByGateway, type Placement } from './gateway-merge.ts'
import { gatewayProxy, servedRoutes, type GatewayProxy } from './gateway-routes.ts'
import { isHttpServer, serversOf, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import { hostsOverlap, resolveHost } from './hosts.ts'
import { kubernetesGateway, listensFor } from './kubernetes-gateway.ts'
import { memo } from './memo.ts'
import { gatewayNamed, gatewayReferences, type GatewayReference } from './references.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { mergedVirtualService, virtualServiceExports, type VirtualService } from './virtual-service.ts'
import type { Workload } from './workloads.ts'

/** Where a host of a VirtualService is served by gateways, with a route of that VirtualService. */
export interface HostBinding {
  /** As written. */
  readonly host: string
  /** `spec.hosts[0]`. */
  readonly field: string
  readonly served: readonly { readonly pod: Workload; readonly server: GatewayServer }[]
  /** Why it is served nowhere; undefined where it is served. */
  readonly obstacle: BindingObstacle | undefined
}

/**
 * What keeps a host from being served: of all its gateways, pods and servers the one that came closest, in this order. Whether a
 * Gateway takes a host is asked first, since that is so with and without pods.
 * `privileged-port`: the pod lacks the privilege to open the server's port. `conflict`: the server is skipped. `no-route`: its protocol wants
 * another kind of route, no condition holds there, or an earlier VirtualService took the connections.
 */
export const OBSTACLES = [
  'no-such-gateway',
  'host-not-accepted',
  'namespace-not-accepted',
  'unused-gateway',
  'not-exported',
  'privileged-port',
  'conflict',
  'no-route',
] as const

export interface BindingObstacle {
  readonly reason: (typeof OBSTACLES)[number]
  /** `namespace/name`, as the VirtualService means it. */
  readonly gateway: string
  readonly pod: Workload | undefined
  readonly placement: Placement | undefined
}

/** The hosts of a VirtualService at the gateways that it names; none for one that only routes inside the mesh, or is a delegate. */
export function hostBindings(snapshot: MeshSnapshot, object: KubeObject): readonly HostBinding[] {
  return bindHosts(snapshot, object, keepProxies(snapshot, likelyPodsOfGateway))
}

/** The gateway pods of a mesh, each looked at once. */
export interface GatewayProxies {
  readonly podsOf: (gateway: KubeObject) => readonly Workload[]
  readonly proxyOf: (pod: Workload) => GatewayProxy
}

/** `podsOf` says which pods a Gateway is taken to be for: surely, or likely. */
export function keepProxies(
  snapshot: MeshSnapshot,
  podsOf: (snapshot: MeshSnapshot, gateway: KubeObject) => readonly Workload[],
): GatewayProxies {
  return {
    podsOf: memo((gateway) => podsOf(snapshot, gateway)),
    proxyOf: memo((pod) => gatewayProxy(snapshot, pod)),
  }
}

/** `hostBindings` for a caller that asks for many VirtualServices and keeps the gateway pods. */
export function bindHosts(snapshot: MeshSnapshot, object: KubeObject, proxies: GatewayProxies): readonly HostBinding[] {
  const virtualService = mergedVirtualService(snapshot, object)
  const gateways = virtualService?.gateways.filter((gateway) => gateway !== 'mesh') ?? []
  if (virtualService === undefined || gateways.length === 0) return []
  const sites = gateways.flatMap((gateway) => sitesOf(snapshot, virtualService, gateway, proxies))
  return placedTexts(asObject(object.spec).hosts).map(([index, host]) => {
    const served: { readonly pod: Workload; readonly server: GatewayServer }[] = []
    let obstacle: BindingObstacle | undefined
    const name = resolveHost(host, namespaceOf(object))
    for (const { gateway, pod, placement, judge } of sites) {
      const reason = judge(name)
      if (reason === undefined) {
        if (pod !== undefined && placement !== undefined) served.push({ pod, server: placement.server })
      } else if (obstacle === undefined || OBSTACLES.indexOf(reason) > OBSTACLES.indexOf(obstacle.reason)) {
        obstacle = { reason, gateway, pod, placement }
      }
    }
    return { host, field: `spec.hosts[${index}]`, served, obstacle: served.length > 0 ? undefined : obstacle }
  })
}

/** Does a Gateway take a host of a VirtualService in a namespace, whether it has pods or not? */
export function takesHost(gateway: KubeObject, host: string, namespace: string): boolean {
  return judgeByServers(serversOf(gateway), namespace)(host) === undefined
}

/** The Gateways in a VirtualService's list that there are, and that take none of its hosts, whether they have pods or not. */
export function gatewaysWithoutHosts(snapshot: MeshSnapshot, object: KubeObject): readonly GatewayReference[] {
  const virtualService = mergedVirtualService(snapshot, object)
  if (virtualService === undefined) return []
  return gatewayReferences(object).filter(({ gateway, field }) => {
    if (!field.startsWith('spec.gateways[')) return false
    const own = gatewayNamed(snapshot, gateway)
    const ofGatewayApi = kubernetesGateway(snapshot, gateway)
    if (own === undefined && ofGatewayApi === undefined) return false
    return !virtualService.hosts.some(
      (host) =>
        (own !== undefined && takesHost(own, host, namespaceOf(object))) ||
        (ofGatewayApi !== undefined && listensFor(ofGatewayApi, host)),
    )
  })
}

/** A place where the hosts of a VirtualService may be served. */
interface Site extends Pick<BindingObstacle, 'gateway' | 'pod' | 'placement'> {
  /** What keeps a host from being served there; undefined: it is served. */
  readonly judge: (host: string) => BindingObstacle['reason'] | undefined
}

function sitesOf(
  snapshot: MeshSnapshot,
  virtualService: VirtualService,
  gateway: string,
  { podsOf, proxyOf }: GatewayProxies,
): readonly Site[] {
  const object = gatewayNamed(snapshot, gateway)
  const nowhere = (pod: Workload | undefined, judge: Site['judge']): Site => ({
    gateway,
    pod,
    placement: undefined,
    judge,
  })
  if (object === undefined) return [nowhere(undefined, () => 'no-such-gateway')]
  const own = namespaceOf(virtualService.object)
  const judgeHere = judgeByServers(serversOf(object), own)
  const pods = podsOf(object)
  if (pods.length === 0) return [nowhere(undefined, (host) => judgeHere(host) ?? 'unused-gateway')]
  const exports = virtualServiceExports(snapshot, virtualService.object)
  return pods.flatMap((pod): readonly Site[] => {
    if (!isExportedTo(exports, pod.namespace)) return [nowhere(pod, (host) => judgeHere(host) ?? 'not-exported')]
    const proxy = proxyOf(pod)
    const placements = placementsByGateway(proxy.merged.placements).get(gateway)
    if (placements === undefined) return [nowhere(pod, judgeHere)]
    return placements.map((placement) => ({
      gateway,
      pod,
      placement,
      judge: judgeAt(proxy, placement, virtualService),
    }))
  })
}

function judgeByServers(servers: readonly GatewayServer[], own: string): Site['judge'] {
  return (host) => {
    const namespaces = new Set(servers.flatMap((server) => namespacesAccepting(server, host)))
    if (namespaces.size === 0) return 'host-not-accepted'
    return namespaces.has('*') || namespaces.has(own) ? undefined : 'namespace-not-accepted'
  }
}

function judgeAt(proxy: GatewayProxy, placement: Placement, virtualService: VirtualService): Site['judge'] {
  const { server, port, conflict } = placement
  const judgeHere = judgeByServers([server], namespaceOf(virtualService.object))
  let hosts: ReadonlySet<string> | undefined
  return (host) => {
    const reason = judgeHere(host)
    if (reason !== undefined) return reason
    if (isBeyondPrivilege(proxy, port)) return 'privileged-port'
    if (conflict !== undefined) return 'conflict'
    hosts ??= isHttpServer(server)
      ? httpHosts(proxy, placement, virtualService)
      : connectionHosts(proxy, server, virtualService)
    return hosts.has(host) ? undefined : 'no-route'
  }
}

/** The hosts of a VirtualService that a server serves by its `http` routes. */
function httpHosts(
  proxy: GatewayProxy,
  { server, port }: Placement,
  virtualService: VirtualService,
): ReadonlySet<string> {
  const alone = { ...proxy, virtualServicesOf: onlyFor(virtualService) }
  const sharing = proxy.merged.sharingRoutes(server, port).filter((each) => each.gatewayName === server.gatewayName)
  const served = servedRoutes(alone, sharing).filter((each) => each.server === server)
  return new Set(served.flatMap(({ domains }) => domains.map(({ host }) => host)))
}

/** The hosts of a VirtualService that a server serves by its `tcp` or `tls` routes: the latter only those that clients can ask for. */
function connectionHosts(
  proxy: GatewayProxy,
  server: GatewayServer,
  { object, hosts }: VirtualService,
): ReadonlySet<string> {
  const served = new Set<string>()
  for (const { servers, traffic } of connectionsOf(proxy)) {
    if (traffic.kind !== 'tcp' || !servers.includes(server)) continue
    const { virtualService, sni } = traffic.route
    if (virtualService.object !== object) continue
    for (const { host } of servedDomains(server, namespaceOf(object), hosts)) {
      if (sni === undefined || sni.some((name) => hostsOverlap(name, host))) served.add(host)
    }
  }
  return served
}

function onlyFor(virtualService: VirtualService): GatewayProxy['virtualServicesOf'] {
  const list = [virtualService]
  return (gateway) => (virtualService.gateways.includes(gateway) ? list : [])
}

/** The chains of a pod that are not HTTP. */
const connectionsOf: (proxy: GatewayProxy) => readonly GatewayChain[] = memo((proxy) =>
  connectionListeners(proxy).flatMap(({ chains }) => chains),
)
