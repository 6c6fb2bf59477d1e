import type { MatchAttribute, MatchField, ZtunnelMatch, ZtunnelPolicy, ZtunnelRule } from './ztunnel-policy.ts'
import { isInCidr } from './ztunnel-values.ts'

/** A connection to a captured pod that came through no waypoint. */
export interface Connection {
  /** Without `spiffe://`; undefined: plaintext. */
  readonly principal: string | undefined
  readonly ip: string
  /** Of the pod. */
  readonly port: number
  /** The pod's; empty where it is not known. */
  readonly address: string
}

/** Does the rule hold for any connection at all, for every one, or does it depend? */
export type RuleEffect = 'never' | 'always' | 'conditional'

/** istio: ztunnel src/rbac.rs Authorization::matches. A rule without clauses always holds, an empty match never does. */
export function effectOfRule({ clauses }: ZtunnelRule): RuleEffect {
  if (clauses.length === 0) return 'always'
  return clauses.some((clause) => clause.every(isEmptyMatch)) ? 'never' : 'conditional'
}

/** The first rule of a policy that holds for a connection. */
export function matchingRule({ rules }: ZtunnelPolicy, connection: Connection): ZtunnelRule | undefined {
  return rules.find(({ clauses }) => clauses.every((clause) => clause.some((match) => holds(match, connection))))
}

/** Did the match lose all that it asked for? */
export function isEmptyMatch(match: ZtunnelMatch): boolean {
  return Object.keys(match).length === 0
}

function holds(match: ZtunnelMatch, connection: Connection): boolean {
  if (isEmptyMatch(match)) return false
  return CHECKS.every(([field, negated, fits]) => {
    const wanted = match[field]
    if (wanted !== undefined && !wanted.some((value) => fits(value, connection))) return false
    return match[negated]?.some((value) => fits(value, connection)) !== true
  })
}

/** `*` is any value, a star at one end any text there. istio: ztunnel src/rbac.rs StringMatch. */
function matchesText(pattern: string, value: string): boolean {
  if (pattern === '*') return value !== ''
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1))
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1))
  return pattern === value
}

/** The namespace and the service account of `domain/ns/namespace/sa/account`; empty for anything else. */
function identityOf(principal: string | undefined): { readonly namespace: string; readonly account: string } {
  const [, , namespace = '', , account = ''] = principal?.split('/') ?? []
  return { namespace, account }
}

type Fits = (value: string, connection: Connection) => boolean

const CHECKS: readonly (readonly [MatchAttribute, MatchField, Fits])[] = [
  ['destinationIps', 'notDestinationIps', (cidr, { address }) => isInCidr(address, cidr)],
  ['sourceIps', 'notSourceIps', (cidr, { ip }) => isInCidr(ip, cidr)],
  ['destinationPorts', 'notDestinationPorts', (value, { port }) => Number(value) === port],
  [
    'serviceAccounts',
    'notServiceAccounts',
    (value, { principal }) => {
      const { namespace, account } = identityOf(principal)
      return value === `${namespace}/${account}`
    },
  ],
  [
    'principals',
    'notPrincipals',
    (pattern, { principal }) => principal !== undefined && matchesText(pattern, principal),
  ],
  ['namespaces', 'notNamespaces', (pattern, { principal }) => matchesText(pattern, identityOf(principal).namespace)],
]
