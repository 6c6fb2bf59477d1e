import ipaddr from 'ipaddr.js'

/** The DNS suffix of a cluster, `--cluster-domain` of the kubelet. Istio is told it, not by MeshConfig. */
export const CLUSTER_DOMAIN = 'cluster.local'

/** `name.namespace.svc.cluster.local`. istio: kube/conversion.go ServiceHostname. */
export function serviceHost(name: string, namespace: string): string {
  return `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`
}

/**
 * A host as a configuration object in `namespace` means it: a name without a dot is a Service beside the object, anything else
 * stays as it is, `reviews.prod` too. Lower case. istio: model/config.go ResolveShortnameToFQDN.
 */
export function resolveHost(host: string, namespace: string): string {
  const lower = host.toLowerCase()
  if (lower === '' || lower === '*' || lower.includes('.') || ipaddr.IPv6.isValid(lower)) return lower
  return namespace === '' ? lower : serviceHost(lower, namespace)
}

/**
 * The shorter names by which a proxy in `namespace` also knows a Kubernetes Service; none for any other host.
 * istio: networking/core/httproute.go generateAltVirtualHostsForKubernetesService.
 */
export function shortNames(host: string, namespace: string): readonly string[] {
  const suffix = `.${CLUSTER_DOMAIN}`
  if (!host.endsWith(`.svc${suffix}`)) return []
  const inCluster = host.slice(0, -suffix.length)
  const ofNamespace = inCluster.slice(0, -'.svc'.length)
  const [name = '', ...rest] = ofNamespace.split('.')
  return [inCluster, ofNamespace, ...(rest.join('.') === namespace ? [name] : [])]
}

/** The host of an entry `namespace/host`, as Sidecars and Gateways write it, or `host`. */
export function hostOfEntry(entry: string): string {
  return entry.slice(entry.indexOf('/') + 1)
}

/** True for `*` and anything that begins with it. */
export function isWildcard(host: string): boolean {
  return host.startsWith('*')
}

/** Do the two names have a host in common? istio: host/name.go Matches. */
export function hostsOverlap(a: string, b: string): boolean {
  if (isWildcard(a)) {
    if (!isWildcard(b)) return b.endsWith(a.slice(1))
    return a.length > b.length ? a.slice(1).endsWith(b.slice(1)) : b.slice(1).endsWith(a.slice(1))
  }
  return isWildcard(b) ? a.endsWith(b.slice(1)) : a === b
}

/** Is every host of `inner` one of `outer`? istio: host/name.go SubsetOf. */
export function isCoveredBy(inner: string, outer: string): boolean {
  if (isWildcard(inner)) {
    if (!isWildcard(outer) || inner.length < outer.length) return false
    return inner.slice(1).endsWith(outer.slice(1))
  }
  return isWildcard(outer) ? inner.endsWith(outer.slice(1)) : inner === outer
}

/** Order of hosts: exact before wildcard, longer first, then by letter. istio: host/name.go MoreSpecific. */
export function compareSpecificity(a: string, b: string): number {
  const wild = Number(isWildcard(a)) - Number(isWildcard(b))
  if (wild !== 0) return wild
  if (a.length !== b.length) return b.length - a.length
  return a < b ? -1 : Number(a > b)
}

/**
 * The patterns that cover a host, itself first, then from the longest wildcard to `*`. With it a map from pattern to
 * value answers "the most specific match" in time that depends on the length of the name only.
 */
export function* coveringPatterns(host: string): Generator<string> {
  yield host
  const start = isWildcard(host) ? 2 : 0
  for (let index = start; index < host.length; index++) yield `*${host.slice(index)}`
  if (host !== '*') yield '*'
}

/** True for a name that istio takes for an address, of either family. */
export function isAddress(host: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host)
}
