/**
 * The principals that a policy means when it names one: a trust domain that is the mesh's, one of its aliases, or the placeholder
 * `cluster.local` stands for the mesh's own and all aliases. Others stay as they are.
 * istio: security/trustdomain/bundle.go ReplaceTrustDomainAliases.
 */
export function principalsMeant(principal: string, trustDomains: readonly string[]): readonly string[] {
  const parts = principal.split('/')
  const [domain = ''] = parts
  if (parts.length !== IDENTITY_PARTS || domain === '*') return [principal]
  if (domain !== 'cluster.local' && !trustDomains.some((known) => overlap(domain, known))) return [principal]
  const identity = principal.slice(domain.length)
  return trustDomains.map((known) => (endsLike(known, domain) ? principal : known + identity))
}

/** The trust domains that a policy means when it names one. istio: ExpandTrustDomainAliases. */
export function trustDomainsMeant(value: string, trustDomains: readonly string[]): readonly string[] {
  return trustDomains.includes(value) ? trustDomains : [value]
}

/** Either may be a pattern with a star at one end. istio: security/trustdomain/util.go stringMatch. */
function overlap(a: string, b: string): boolean {
  return a === b || b === '*' || startsLike(a, b) || startsLike(b, a) || endsLike(a, b) || endsLike(b, a)
}

function startsLike(value: string, pattern: string): boolean {
  return pattern.endsWith('*') && value.startsWith(pattern.slice(0, -1))
}

function endsLike(value: string, pattern: string): boolean {
  return pattern.startsWith('*') && value.endsWith(pattern.slice(1))
}

/** `domain/ns/namespace/sa/account`. */
const IDENTITY_PARTS = 5
