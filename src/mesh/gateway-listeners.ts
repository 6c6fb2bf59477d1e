import { tcpRouteOf, tlsRoutesOf, type ConnectionRoute } from './gateway-l4.ts'
import type { ServerGroup } from './gateway-merge.ts'
import { isUnprivileged } from './gateway-pod.ts'
import { virtualHosts, type GatewayProxy, type VirtualHost } from './gateway-routes.ts'
import { isHttpServer, isPassthroughServer, sniHosts, type GatewayServer } from './gateway-servers.ts'
import { serverTls, type ServerTls } from './gateway-tls.ts'

/** An open port of a gateway pod. */
export interface GatewayListener {
  readonly port: number
  /** The address it listens on; empty: all. */
  readonly bind: string
  readonly chains: readonly GatewayChain[]
}

/** What a listener does with the connections that ask for one of some names. */
export interface GatewayChain {
  /** The names of the TLS handshake; undefined: any. */
  readonly sni: readonly string[] | undefined
  /** Undefined: plain text. */
  readonly tls: ServerTls | undefined
  /** Several only for plain HTTP. */
  readonly servers: readonly GatewayServer[]
  /** `onward`: TLS goes to whatever host of the mesh it names. */
  readonly traffic:
    | { readonly kind: 'http'; readonly hosts: readonly VirtualHost[] }
    | { readonly kind: 'tcp'; readonly route: ConnectionRoute }
    | { readonly kind: 'onward' }
}

/**
 * The ports that a gateway pod opens. A server without anything to do has no chain, a port without chains is not opened, nor is one
 * that the pod has no privilege for. istio: networking/core/gateway.go buildGatewayListeners.
 */
export function gatewayListeners(proxy: GatewayProxy): readonly GatewayListener[] {
  return listen(proxy, (group, taken) => {
    if (group.isHttp) return [plainHttpChain(proxy, group)]
    return group.servers.flatMap((server) =>
      isHttpServer(server) ? [httpsChain(proxy, server, group.port)] : connectionChains(proxy, server, taken),
    )
  })
}

/** The ports that a gateway pod opens for what is not HTTP to it. */
export function connectionListeners(proxy: GatewayProxy): readonly GatewayListener[] {
  return listen(proxy, ({ isHttp, servers }, taken) =>
    isHttp ? [] : servers.flatMap((server) => (isHttpServer(server) ? [] : connectionChains(proxy, server, taken))),
  )
}

function listen(
  proxy: GatewayProxy,
  chainsOf: (group: ServerGroup, taken: Map<string, string>) => readonly GatewayChain[],
): readonly GatewayListener[] {
  const listeners = new Map<string, GatewayListener & { readonly chains: GatewayChain[] }>()
  const names = new Map<number, Map<string, string>>()
  for (const group of proxy.merged.groups) {
    const { port, bind } = group
    if (isBeyondPrivilege(proxy, port)) continue
    const taken = names.get(port) ?? new Map<string, string>()
    names.set(port, taken)
    const chains = chainsOf(group, taken)
    if (chains.length === 0) continue
    const key = `${bind} ${port}`
    const listener = listeners.get(key) ?? { port, bind, chains: [] }
    listeners.set(key, listener)
    listener.chains.push(...chains)
  }
  return [...listeners.values()]
}

/** Can't the pod open the port? */
export function isBeyondPrivilege({ merged: { pod } }: GatewayProxy, port: number): boolean {
  return port < FIRST_UNPRIVILEGED_PORT && isUnprivileged(pod)
}

/** The chains of a server that does not speak HTTP itself. `taken` are the names in use on its port. */
function connectionChains(
  proxy: GatewayProxy,
  server: GatewayServer,
  taken: Map<string, string>,
): readonly GatewayChain[] {
  const tls = serverTls(proxy.snapshot, proxy.merged.pod.namespace, server)
  if (server.mode === 'AUTO_PASSTHROUGH') {
    return [{ sni: namesAskedFor(server), tls, servers: [server], traffic: { kind: 'onward' } }]
  }
  const routes = isPassthroughServer(server)
    ? tlsRoutesOf(proxy, server, taken)
    : [tcpRouteOf(proxy, server) ?? []].flat()
  return routes.map((route) => ({
    sni: route.sni === undefined ? namesAskedFor(server) : anyOr(route.sni),
    tls,
    servers: [server],
    traffic: { kind: 'tcp', route },
  }))
}

function plainHttpChain(proxy: GatewayProxy, { servers: [first], servers, port }: ServerGroup): GatewayChain {
  const sharing = first === undefined ? [] : proxy.merged.sharingRoutes(first, port)
  return {
    sni: undefined,
    tls: undefined,
    servers,
    traffic: { kind: 'http', hosts: virtualHosts(proxy, sharing) },
  }
}

function httpsChain(proxy: GatewayProxy, server: GatewayServer, port: number): GatewayChain {
  return {
    sni: namesAskedFor(server),
    tls: serverTls(proxy.snapshot, proxy.merged.pod.namespace, server),
    servers: [server],
    traffic: { kind: 'http', hosts: virtualHosts(proxy, proxy.merged.sharingRoutes(server, port)) },
  }
}

/** The names by which a server is chosen; undefined: any. */
function namesAskedFor(server: GatewayServer): readonly string[] | undefined {
  return server.tls === undefined ? undefined : anyOr(sniHosts(server))
}

function anyOr(names: readonly string[]): readonly string[] | undefined {
  return names.includes('*') ? undefined : names
}

const FIRST_UNPRIVILEGED_PORT = 1024
