import ipaddr from 'ipaddr.js'

import { matchesGlob } from '../kube/glob.ts'
import { isList, isObject, own, type Json } from '../kube/json.ts'
import { isPathTemplate, matchesPathTemplate } from './path-template.ts'
import type { Request } from './request.ts'

/** Where a request arrives. */
export interface Arrival {
  readonly request: Request
  readonly port: number
  /** Of the workload; empty where it is not known. */
  readonly address: string
  /** Does the workload look at tokens at all? Without that, a token says nothing. */
  readonly readsTokens: boolean
}

/** Something that a rule can ask about a request. istio: security/authz/model/generator.go. */
export interface Attribute {
  /** HTTP only: unknown where the port is treated as TCP. */
  readonly isHttpOnly: boolean
  /** Which side of an Envoy RBAC policy it belongs to. */
  readonly side: 'permission' | 'principal'
  /** Can the value be used at all? */
  readonly accepts: (value: string) => boolean
  readonly matches: (value: string, arrival: Arrival, policyNamespace: string) => boolean
}

/** The attribute behind the key of a `when`, or undefined for one that Istio does not know. */
export function attributeOf(key: string): Attribute | undefined {
  if (Object.hasOwn(BY_KEY, key)) return BY_KEY[key]
  if (key.startsWith('request.headers')) return headerAttribute(key.slice('request.headers'.length))
  if (key.startsWith('request.auth.claims')) return claimAttribute(key.slice('request.auth.claims'.length))
  return key.startsWith('experimental.envoy.filters.') ? UNKNOWABLE : undefined
}

type Matches = Attribute['matches']

const any = (): boolean => true

function ofConnection(side: Attribute['side'], matches: Matches, accepts: Attribute['accepts'] = any): Attribute {
  return { isHttpOnly: false, side, accepts, matches }
}

function ofHttp(side: Attribute['side'], matches: Matches, accepts: Attribute['accepts'] = any): Attribute {
  return { isHttpOnly: true, side, accepts, matches }
}

const sourceIp = ofConnection('principal', (value, { request }) => isInRange(request.ip, value), isRange)

/** Names as in `when`; `operation.…` are those of `to`. */
export const ATTRIBUTES = {
  'source.ip': sourceIp,
  // without a proxy in between that is believed, the same address
  'remote.ip': sourceIp,
  'source.namespace': ofConnection('principal', (value, { request }) =>
    matchesGlob(`*/ns/${value}/*`, spiffe(request.principal)),
  ),
  'source.trustDomain': ofConnection('principal', (value, { request }) => matchesTrustDomain(value, request.principal)),
  'source.serviceAccount': ofConnection('principal', (value, { request }, namespace) =>
    matchesServiceAccount(value, request.principal, namespace),
  ),
  'source.principal': ofConnection('principal', (value, { request }) => matchesPrincipal(value, request.principal)),
  'request.auth.principal': ofHttp('principal', matchesRequestPrincipal),
  'request.auth.audiences': ofHttp('principal', (value, arrival) => matchesClaim(['aud'], value, arrival)),
  'request.auth.presenter': ofHttp('principal', (value, arrival) => matchesClaim(['azp'], value, arrival)),
  'destination.ip': ofConnection('permission', (value, { address }) => isInRange(address, value), isRange),
  'destination.port': ofConnection('permission', (value, { port }) => Number(value) === port, isPort),
  // the name that a client of the mesh sends is of Istio's own making
  'connection.sni': ofConnection('permission', () => false),
  'operation.hosts': ofHttp('permission', (value, { request }) =>
    matchesText(value.toLowerCase(), request.host.toLowerCase()),
  ),
  'operation.methods': ofHttp('permission', (value, { request }) => matchesText(value, request.method)),
  'operation.paths': ofHttp('permission', (value, { request }) => matchesPath(value, request.path)),
} as const satisfies Readonly<Record<string, Attribute>>

const BY_KEY: Readonly<Record<string, Attribute>> = ATTRIBUTES

// what an Envoy filter left behind can't be known here
const UNKNOWABLE: Attribute = ofConnection('permission', () => false)

/** `*` is any value, a star at one end is any text there. istio: security/authz/matcher/string.go StringMatcher. */
function matchesText(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false
  if (pattern === '*') return true
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1))
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1))
  return pattern === value
}

/** As `matchesText`, but `*` wants at least one character, as a regular expression `.+` does. */
function matchesSome(pattern: string, value: string | undefined): boolean {
  return pattern === '*' ? value !== undefined && value !== '' : matchesText(pattern, value)
}

function spiffe(principal: string | undefined): string {
  return principal === undefined ? '' : `spiffe://${principal}`
}

function matchesPrincipal(pattern: string, principal: string | undefined): boolean {
  if (principal === undefined) return false
  if (pattern === '*') return true
  return matchesText(pattern.startsWith('*') ? pattern : `spiffe://${pattern}`, spiffe(principal))
}

/** istio: generator.go serviceAccountRegex. */
function matchesServiceAccount(value: string, principal: string | undefined, policyNamespace: string): boolean {
  if (principal === undefined) return false
  const slash = value.indexOf('/')
  const namespace = slash < 0 ? policyNamespace : value.slice(0, slash)
  const account = slash < 0 ? value : value.slice(slash + 1)
  const at = principal.indexOf(`/ns/${namespace}/`)
  if (at < 1) return false
  const rest = principal.slice(at + `/ns/${namespace}`.length)
  return rest.endsWith(`/sa/${account}`) || rest.includes(`/sa/${account}/`)
}

/** istio: generator.go srcTrustDomainGenerator. */
function matchesTrustDomain(pattern: string, principal: string | undefined): boolean {
  if (principal === undefined) return false
  if (pattern === '*') return true
  const [domain = ''] = principal.split('/', 1)
  return principal.includes('/') && matchesGlob(pattern, domain)
}

/** The last slash parts issuer and subject, since an issuer may be a URL. istio: requestPrincipalGenerator. */
function matchesRequestPrincipal(value: string, arrival: Arrival): boolean {
  const token = tokenOf(arrival)
  if (token === undefined) return false
  const slash = value.lastIndexOf('/')
  const [issuer, subject] = slash < 0 ? splitPattern(value) : [value.slice(0, slash), value.slice(slash + 1)]
  const isPattern = value.startsWith('*') || value.endsWith('*')
  if (!isPattern) return token.issuer === issuer && token.subject === subject
  // a star in front opens the issuer only, one at the end the subject only
  if (value.startsWith('*') && slash >= 0) return matchesSome(issuer, token.issuer) && token.subject === subject
  if (slash >= 0) return token.issuer === issuer && matchesSome(subject, token.subject)
  return matchesSome(issuer, token.issuer) && matchesSome(subject, token.subject)
}

function splitPattern(value: string): readonly [string, string] {
  if (value.startsWith('*')) return ['*', value]
  return [value, value.endsWith('*') ? '*' : '']
}

function tokenOf({ request, readsTokens }: Arrival): Request['jwt'] {
  return readsTokens ? request.jwt : undefined
}

function headerAttribute(suffix: string): Attribute {
  const name = /^\[(.*)\]$/.exec(suffix)?.[1]?.toLowerCase()
  return ofHttp(
    'principal',
    (value, { request }) => name !== undefined && matchesText(value, headerOf(request, name)),
    () => name !== undefined,
  )
}

function headerOf(request: Request, name: string): string | undefined {
  if (name === ':authority' || name === 'host') return request.host
  if (name === ':method') return request.method
  if (name === ':path') return request.path
  return Object.hasOwn(request.headers, name) ? request.headers[name] : undefined
}

/** `[group]`, `[nested][role]`. istio: security/authz/model/util.go extractNameInNestedBrackets. */
function claimAttribute(suffix: string): Attribute {
  const isNested = /^(\[[^[\]]*\])+$/.test(suffix)
  const whole = /^\[(.*)\]$/.exec(suffix)?.[1]
  const path = isNested ? suffix.slice(1, -1).split('][') : whole === undefined ? undefined : [whole]
  return ofHttp(
    'principal',
    (value, arrival) => path !== undefined && matchesClaim(path, value, arrival),
    () => path !== undefined,
  )
}

/** A claim that is text, or a list with the text in it. istio: MetadataListValueMatcherForJWTClaims. */
function matchesClaim(path: readonly string[], pattern: string, arrival: Arrival): boolean {
  const token = tokenOf(arrival)
  if (token === undefined) return false
  let value: Json | undefined = { ...token.claims, iss: token.issuer, sub: token.subject }
  for (const key of path) value = isObject(value) ? own(value, key) : undefined
  const last = path.at(-1) ?? ''
  // envoy splits these two, so that each word counts
  const values = typeof value === 'string' && SPACE_DELIMITED.has(last) ? value.split(' ') : value
  const candidates = isList(values) ? values : [values]
  return candidates.some((candidate) => typeof candidate === 'string' && matchesSome(pattern, candidate))
}

function matchesPath(pattern: string, path: string): boolean {
  const [bare = ''] = path.split(/[?#]/, 1)
  return isPathTemplate(pattern) ? matchesPathTemplate(pattern, bare) : matchesSome(pattern, bare)
}

function isPort(value: string): boolean {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535
}

function isRange(value: string): boolean {
  return parseRange(value) !== undefined
}

function isInRange(address: string, range: string): boolean {
  const parsed = parseRange(range)
  if (parsed === undefined || !ipaddr.isValid(address)) return false
  const [base, bits] = parsed
  const own = ipaddr.process(address)
  return own.kind() === base.kind() && own.match(base, bits)
}

/** An address, or a range as CIDR writes it. */
function parseRange(value: string): ReturnType<typeof ipaddr.parseCIDR> | undefined {
  const [address = ''] = value.split('/', 1)
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return undefined
  if (!value.includes('/')) {
    const single = ipaddr.parse(address)
    return [single, single.kind() === 'ipv4' ? 32 : 128]
  }
  return ipaddr.isValidCIDR(value) ? ipaddr.parseCIDR(value) : undefined
}

const SPACE_DELIMITED: ReadonlySet<string> = new Set(['scope', 'permission'])
