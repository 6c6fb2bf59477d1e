import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { block, number, text, texts, wordIn } from './fields.ts'
import { isGatewayApi } from './gateway-api-backends.ts'
import { memo } from './memo.ts'
import { isHttp, parseProtocol, type Protocol } from './protocol.ts'
import { hostOfEntry } from './hosts.ts'

/** How a server of a Gateway treats TLS. */
export type ServerTlsMode =
  | 'PASSTHROUGH'
  | 'SIMPLE'
  | 'MUTUAL'
  | 'AUTO_PASSTHROUGH'
  | 'ISTIO_MUTUAL'
  | 'OPTIONAL_MUTUAL'

/** An entry of a Gateway's `servers`. */
export interface GatewayServer {
  readonly gateway: KubeObject
  /** `namespace/name`, as VirtualServices name the Gateway. */
  readonly gatewayName: string
  readonly index: number
  /** The port that the Gateway names: of a Service in front of the pod, or else of the pod. */
  readonly port: number
  readonly portName: string
  readonly protocol: Protocol
  /** The protocol as written: to Istio `HTTP` and `HTTP2` are two. */
  readonly protocolName: string
  /** The address to listen on; empty: all. */
  readonly bind: string
  /** `name` for VirtualServices of every namespace, `namespace/name` for those of one. */
  readonly hosts: readonly string[]
  /** Undefined: none written. On HTTP it can only ask for a redirect. */
  readonly tls: JsonObject | undefined
  /** Of `tls`; without a mode it is PASSTHROUGH. */
  readonly mode: ServerTlsMode | undefined
}

/** The servers of a Gateway that have a port. Never throws. */
export const serversOf: (gateway: KubeObject) => readonly GatewayServer[] = memo((gateway) =>
  asList(asObject(gateway.spec).servers).flatMap((item, index): readonly GatewayServer[] => {
    const spec = asObject(item)
    const port = block(spec.port)
    if (port === undefined) return []
    const tls = block(spec.tls)
    const protocolName = text(port.protocol) ?? ''
    return [
      {
        gateway,
        gatewayName: `${namespaceOf(gateway)}/${nameOf(gateway)}`,
        index,
        port: number(port.number) ?? 0,
        portName: text(port.name) ?? '',
        protocol: parseProtocol(protocolName),
        protocolName,
        bind: text(spec.bind) ?? '',
        hosts: acceptedHosts(texts(spec.hosts), namespaceOf(gateway)),
        tls,
        mode: tls === undefined ? undefined : (wordIn(MODES, tls.mode) ?? 'PASSTHROUGH'),
      },
    ]
  }),
)

/** `namespace/gateway#index`. */
export function serverName({ gatewayName, index }: GatewayServer): string {
  return `${gatewayName}#${index}`
}

/** Where the server is written: `spec.servers[2]`, of a Gateway of the Gateway API `spec.listeners[2]`. */
export function serverField({ gateway, index }: GatewayServer): string {
  return isGatewayApi(gateway) ? `spec.listeners[${index}]` : `spec.servers[${index}]`
}

/** TLS, terminated or passed on; an HTTP server with a redirect is none. istio: config/gateway IsTLSServer. */
export function isTlsServer({ tls, protocol }: GatewayServer): boolean {
  return tls !== undefined && !isHttp(protocol)
}

/** HTTP, or HTTPS that ends at the gateway. istio: config/gateway IsHTTPServer. */
export function isHttpServer(server: GatewayServer): boolean {
  return isHttp(server.protocol) || (server.protocol === 'https' && !isPassthroughServer(server))
}

/** TLS that is passed on unopened. istio: config/gateway IsPassThroughServer. */
export function isPassthroughServer({ mode }: GatewayServer): boolean {
  return mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH'
}

/** The names that a client of a TLS server may ask for. istio: model/gateway.go GetSNIHostsForServer. */
export const sniHosts: (server: GatewayServer) => readonly string[] = memo(({ hosts }) =>
  [...new Set(hosts.map(hostOfEntry))].sort(),
)

/**
 * The positions in `hosts` that istiod 1.31 does not survive: once all names of all namespaces are listed, it can't read an entry with a
 * star or a dot for its namespace; it crashes, and the mesh has no control plane. istio: model/gateway.go sanitizeServerHostNamespace.
 */
export function crashingHosts(hosts: readonly string[]): readonly number[] {
  const collapse = hosts.indexOf('*/*')
  if (collapse < 0) return []
  return [...hosts.keys()].filter((index) => {
    const [namespace, name] = splitHost(hosts[index] ?? '')
    return index > collapse && (namespace === '.' || (namespace === '*' && name !== '*'))
  })
}

/** Istio's form of `hosts`: a dot is the Gateway's namespace, a star is all, and all names of all namespaces replace the list. */
function acceptedHosts(hosts: readonly string[], own: string): readonly string[] {
  if (hosts.includes('*/*')) return ['*']
  return hosts.map((host) => {
    const [namespace, name] = splitHost(host.toLowerCase())
    if (namespace === undefined || namespace === '*') return name
    return `${namespace === '.' ? own : namespace}/${name}`
  })
}

function splitHost(host: string): readonly [string | undefined, string] {
  const slash = host.indexOf('/')
  return slash < 0 ? [undefined, host] : [host.slice(0, slash), host.slice(slash + 1)]
}

const MODES: Readonly<Record<string, ServerTlsMode>> = {
  PASSTHROUGH: 'PASSTHROUGH',
  SIMPLE: 'SIMPLE',
  MUTUAL: 'MUTUAL',
  AUTO_PASSTHROUGH: 'AUTO_PASSTHROUGH',
  ISTIO_MUTUAL: 'ISTIO_MUTUAL',
  OPTIONAL_MUTUAL: 'OPTIONAL_MUTUAL',
}
