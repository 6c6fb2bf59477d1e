import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import type { Placement } from './gateway-merge.ts'
import { gatewayProxy, virtualHosts, type VirtualHost } from './gateway-routes.ts'
import { isHttpServer, sniHosts, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import { coveringPatterns } from './hosts.ts'
import { isCatchAll } from './http-match.ts'
import type { Route } from './http-route.ts'
import { memo } from './memo.ts'
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
    const { overlaps, judge } = guardedNames(snapshot)(pod)
    return (overlaps.get(name) ?? []).flatMap((overlap) => judge(overlap) ?? [])
  })
}

/** What a pod answers for the names that it guards; asked for each of its Gateways. */
const guardedNames = memo((snapshot: MeshSnapshot) =>
  memo((pod: Workload) => {
    const proxy = gatewayProxy(snapshot, pod)
    const answersOf = memo(({ server, port }: Placement) =>
      byDomain(virtualHosts(proxy, proxy.merged.sharingRoutes(server, port))),
    )
    const judge = memo(({ strict, relaxed, host }: Overlap): RelaxedSni | undefined => {
      const [first] = answering(answersOf(relaxed), host)?.routes ?? []
      if (first !== undefined && isRefusal(first)) return undefined
      return { pod, strict: strict.server, host, relaxed: relaxed.server, isServed: first !== undefined }
    })
    return { overlaps: overlapsByGateway(proxy.merged.placements), judge }
  }),
)

function isRefusal({ match, action }: Route): boolean {
  return isCatchAll(match) && action.kind === 'direct-response' && action.status === MISDIRECTED
}

/** A name of a server that demands a certificate, and a server with a wider name on the same port that demands none. */
interface Overlap {
  readonly strict: Placement
  readonly relaxed: Placement
  readonly host: string
}

/** By each of the two Gateways. Replicas share their placements, and so this. */
const overlapsByGateway: (placements: readonly Placement[]) => ReadonlyMap<string, readonly Overlap[]> = memo(
  (placements) => {
    const opened = placements.filter(isOpenHttps)
    const relaxed = new Map<string, Placement[]>()
    for (const placement of opened) {
      if (demandsCertificate(placement.server)) continue
      for (const host of new Set(sniHosts(placement.server))) {
        const key = `${placement.port} ${host}`
        const known = relaxed.get(key)
        if (known === undefined) relaxed.set(key, [placement])
        else known.push(placement)
      }
    }
    const found = new Map<string, Overlap[]>()
    for (const overlap of opened.flatMap((strict) => overlapsOf(strict, relaxed))) {
      const names = new Set([overlap.strict.server.gatewayName, overlap.relaxed.server.gatewayName])
      for (const name of names) {
        const known = found.get(name)
        if (known === undefined) found.set(name, [overlap])
        else known.push(overlap)
      }
    }
    return found
  },
)

/** Each server but once, as it can be wider in several of its names. */
function overlapsOf(strict: Placement, relaxed: ReadonlyMap<string, readonly Placement[]>): readonly Overlap[] {
  if (!demandsCertificate(strict.server)) return []
  return sniHosts(strict.server).flatMap((host) => {
    const wider = [...coveringPatterns(host)].filter((pattern) => pattern !== host)
    const servers = new Set(wider.flatMap((pattern) => relaxed.get(`${strict.port} ${pattern}`) ?? []))
    return [...servers].map((each): Overlap => ({ strict, relaxed: each, host }))
  })
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
