import type { KubeObject } from '../kube/object.ts'
import { namespacesAccepting } from './gateway-hosts.ts'
import { gatewayProxy, virtualHosts, type GatewayProxy, type VirtualHost } from './gateway-routes.ts'
import { isHttpServer, sniHosts, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import { coveringPatterns, isCoveredBy } from './hosts.ts'
import { isCatchAll } from './http-match.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'

/**
 * A name for which a server demands a client certificate, and a server of the same port that can be asked for it without one: the client
 * names another host in its TLS handshake than in its request.
 */
export interface RelaxedSni {
  readonly pod: Workload
  readonly strict: GatewayServer
  readonly host: string
  readonly relaxed: GatewayServer
  /** Does the relaxed server answer requests for the name with routes? Otherwise a VirtualService added later may make it. */
  readonly isServed: boolean
}

/**
 * The names that a Gateway guards, or gives away, by a client certificate that another server of the same pod and port does not ask for. A
 * server that answers 421 for the name is no way around. istio: docs/ops/best-practices/security, "Handling SNI and Host mismatch".
 */
export function relaxedSni(snapshot: MeshSnapshot, gateway: KubeObject): readonly RelaxedSni[] {
  return likelyPodsOfGateway(snapshot, gateway).flatMap((pod) => {
    const proxy = gatewayProxy(snapshot, pod)
    const opened = proxy.merged.placements.filter(({ server, conflict }) => conflict === undefined && endsTls(server))
    const strict = opened.filter(({ server }) => demandsCertificate(server))
    const relaxed = opened.filter(({ server }) => !demandsCertificate(server))
    return strict.flatMap(({ server, port }) =>
      relaxed
        .filter((other) => other.port === port && [server.gateway, other.server.gateway].includes(gateway))
        .flatMap((other) =>
          sniHosts(server).flatMap((host) => wayAround(proxy, port, { strict: server, host, relaxed: other.server })),
        ),
    )
  })
}

function wayAround(
  proxy: GatewayProxy,
  port: number,
  pair: Pick<RelaxedSni, 'strict' | 'host' | 'relaxed'>,
): readonly RelaxedSni[] {
  const { host, relaxed } = pair
  const accepts = sniHosts(relaxed).some((own) => own !== host && isCoveredBy(host, own))
  if (!accepts || namespacesAccepting(relaxed, host).length === 0) return []
  const [first] = answering(virtualHosts(proxy, proxy.merged.sharingRoutes(relaxed, port)), host)?.routes ?? []
  const isRefused =
    first !== undefined &&
    isCatchAll(first.match) &&
    first.action.kind === 'direct-response' &&
    first.action.status === MISDIRECTED
  return isRefused ? [] : [{ ...pair, pod: proxy.merged.pod, isServed: first !== undefined }]
}

/** The entry with the most specific name for a host. */
function answering(hosts: readonly VirtualHost[], host: string): VirtualHost | undefined {
  for (const pattern of coveringPatterns(host)) {
    const found = hosts.find(({ domains }) => domains.includes(pattern))
    if (found !== undefined) return found
  }
  return undefined
}

function endsTls(server: GatewayServer): boolean {
  return server.protocol === 'https' && isHttpServer(server)
}

function demandsCertificate({ mode }: GatewayServer): boolean {
  return mode === 'MUTUAL' || mode === 'ISTIO_MUTUAL'
}

/** HTTP 421: this connection is not for that host. */
const MISDIRECTED = 421
