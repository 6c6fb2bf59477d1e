import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import type { Placement } from './gateway-merge.ts'
import { gatewayProxy, virtualHosts, type GatewayProxy, type VirtualHost } from './gateway-routes.ts'
import { isHttpServer, sniHosts, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import { coveringPatterns } from './hosts.ts'
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
 * server that answers 421 for the name is no way around. istio: docs/ops/best-practices/security, the mismatch of SNI and Host.
 */
export function relaxedSni(snapshot: MeshSnapshot, gateway: KubeObject): readonly RelaxedSni[] {
  const name = `${namespaceOf(gateway)}/${nameOf(gateway)}`
  return likelyPodsOfGateway(snapshot, gateway).flatMap((pod) => {
    const proxy = gatewayProxy(snapshot, pod)
    const opened = proxy.merged.placements.filter(isOpenHttps)
    return opened
      .filter(({ server }) => server.gatewayName === name)
      .flatMap((own) => opened.flatMap((other) => relaxedBetween(proxy, own, other)))
  })
}

function relaxedBetween(proxy: GatewayProxy, own: Placement, other: Placement): readonly RelaxedSni[] {
  const isStrict = demandsCertificate(own.server)
  if (own.port !== other.port || isStrict === demandsCertificate(other.server)) return []
  const [strict, relaxed] = isStrict ? [own.server, other.server] : [other.server, own.server]
  const wider = new Set(sniHosts(relaxed))
  const covered = sniHosts(strict).filter((host) => isWithin(host, wider))
  if (covered.length === 0) return []
  const answers = byDomain(virtualHosts(proxy, proxy.merged.sharingRoutes(relaxed, own.port)))
  return covered.flatMap((host): readonly RelaxedSni[] => {
    const [first] = answering(answers, host)?.routes ?? []
    const isRefused =
      first !== undefined &&
      isCatchAll(first.match) &&
      first.action.kind === 'direct-response' &&
      first.action.status === MISDIRECTED
    return isRefused ? [] : [{ pod: proxy.merged.pod, strict, host, relaxed, isServed: first !== undefined }]
  })
}

function isWithin(host: string, wider: ReadonlySet<string>): boolean {
  return [...coveringPatterns(host)].some((pattern) => pattern !== host && wider.has(pattern))
}

function byDomain(hosts: readonly VirtualHost[]): ReadonlyMap<string, VirtualHost> {
  return new Map(hosts.flatMap((each) => each.domains.map((domain) => [domain, each] as const)))
}

/** The entry with the most specific name for a host. */
function answering(answers: ReadonlyMap<string, VirtualHost>, host: string): VirtualHost | undefined {
  for (const pattern of coveringPatterns(host)) {
    const found = answers.get(pattern)
    if (found !== undefined) return found
  }
  return undefined
}

function isOpenHttps({ server, conflict }: Placement): boolean {
  return conflict === undefined && server.protocol === 'https' && isHttpServer(server)
}

function demandsCertificate({ mode }: GatewayServer): boolean {
  return mode === 'MUTUAL' || mode === 'ISTIO_MUTUAL'
}

/** HTTP 421: this connection is not for that host. */
const MISDIRECTED = 421
