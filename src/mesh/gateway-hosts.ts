import { coveringPatterns, isCoveredBy, isWildcard } from './hosts.ts'
import type { GatewayServer } from './gateway-servers.ts'
import { memo } from './memo.ts'

/** A name under which a server serves a VirtualService, and the host of the VirtualService that leads to it. */
export interface ServedDomain {
  readonly domain: string
  readonly host: string
}

/**
 * The names that a server and a VirtualService of a namespace have in common: of two that overlap the more specific.
 * istio: config/host/names.go NamesForNamespace, Intersection.
 */
export function servedDomains(
  server: GatewayServer,
  namespace: string,
  hosts: readonly string[],
): readonly ServedDomain[] {
  const accepted = acceptedBy(server)
  const isAccepted = (host: string): boolean =>
    accepted.get(host)?.some((who) => who === ANY || who === namespace) === true
  const found: ServedDomain[] = []
  for (const host of hosts) {
    const covering = coveringPatterns(host)
    if ([...covering].some(isAccepted)) found.push({ domain: host, host })
    if (!isWildcard(host)) continue
    for (const own of accepted.keys()) {
      if (own !== host && isCoveredBy(own, host) && isAccepted(own)) found.push({ domain: own, host })
    }
  }
  return found
}

/** The namespaces whose VirtualServices may use a host at a server; `*` for all. */
export function namespacesAccepting(server: GatewayServer, host: string): readonly string[] {
  const found = new Set<string>()
  for (const [own, namespaces] of acceptedBy(server)) {
    if (isCoveredBy(own, host) || isCoveredBy(host, own)) for (const namespace of namespaces) found.add(namespace)
  }
  return [...found]
}

/** The hosts of a server, and the namespaces that may use each. */
const acceptedBy: (server: GatewayServer) => ReadonlyMap<string, readonly string[]> = memo((server) => {
  const accepted = new Map<string, string[]>()
  for (const entry of server.hosts) {
    const slash = entry.indexOf('/')
    const host = entry.slice(slash + 1)
    const namespaces = accepted.get(host) ?? []
    accepted.set(host, namespaces)
    namespaces.push(slash < 0 ? ANY : entry.slice(0, slash))
  }
  return accepted
})

const ANY = '*'
