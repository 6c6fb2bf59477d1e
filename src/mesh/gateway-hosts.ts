import { coveringPatterns, isWildcard } from './hosts.ts'
import { compareText } from './age.ts'
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
    for (const own of namesUnder(server, host)) {
      if (own !== host && isAccepted(own)) found.push({ domain: own, host })
    }
  }
  return found
}

/** The namespaces whose VirtualServices may use a host at a server; `*` for all. */
export function namespacesAccepting(server: GatewayServer, host: string): readonly string[] {
  const accepted = acceptedBy(server)
  const found = new Set<string>()
  for (const pattern of coveringPatterns(host)) for (const own of accepted.get(pattern) ?? []) found.add(own)
  if (isWildcard(host)) {
    for (const name of namesUnder(server, host)) for (const own of accepted.get(name) ?? []) found.add(own)
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

/** The names of a server that a wildcard covers. O(log n) beside what is found. */
function* namesUnder(server: GatewayServer, wildcard: string): Generator<string> {
  const names = byEnding(server)
  const ending = backwards(wildcard.slice(1))
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((names[middle]?.reversed ?? '') < ending) low = middle + 1
    else high = middle
  }
  for (let index = low; names[index]?.reversed.startsWith(ending) === true; index++) yield names[index]?.name ?? ''
}

/** The names of a server in the order of their letters from the end, so that those with one ending stand together. */
const byEnding: (server: GatewayServer) => readonly { readonly name: string; readonly reversed: string }[] = memo(
  (server) =>
    [...acceptedBy(server).keys()]
      .map((name) => ({ name, reversed: backwards(name) }))
      .sort((a, b) => compareText(a.reversed, b.reversed)),
)

function backwards(name: string): string {
  return name.split('').reverse().join('')
}

const ANY = '*'
