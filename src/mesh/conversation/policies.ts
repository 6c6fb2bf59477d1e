import { asList, asObject } from '../../kube/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { judgeByRules, type Judgement } from '../access.ts'
import type { EnforcedRule, EnforcedRules } from '../authorization.ts'
import { block, blocks, text } from '../fields.ts'
import { issuersOf } from '../inbound.ts'
import type { Request } from '../request.ts'
import { answered, fails, objectName, step, unknown, type Decider, type Ending, type Walk } from './step.ts'

/** The AuthorizationPolicies that a proxy asks about a request. */
export interface PolicyGate {
  readonly rules: EnforcedRules
  /** The ALLOW policies behind the rules, those too of which no rule is left. */
  readonly allowing: readonly KubeObject[]
  /** The RequestAuthentications that it knows; none on TCP. */
  readonly authentications: readonly KubeObject[]
  readonly request: Request
  /** The client in words. */
  readonly who: string
  readonly port: number
  /** Of the server; empty where it is not known. */
  readonly address: string
  /** Is it known whether the client has an identity, and which? */
  readonly identity: 'known' | 'unknown'
  /** What a refused client sees. */
  readonly refusedAs: '403' | 'connection reset'
}

/** What policies make of a request: its token first, then DENY, then ALLOW. */
export function* walkPolicies(gate: PolicyGate): Walk {
  const { rules, allowing, authentications, refusedAs, request, who, port, address } = gate
  const issuers = issuersOf(authentications)
  const [authentication] = authentications
  if (authentication !== undefined && request.jwt !== undefined && !issuers.has(request.jwt.issuer)) {
    const why = `its token is of the issuer "${request.jwt.issuer}", which the server does not know`
    return fails('401', why, { object: authentication, field: 'spec.jwtRules' })
  }
  const arrival = { request, port, address, readsTokens: issuers.size > 0 }
  const judgement = judgeByRules(arrival, rules)
  const stranger = gate.identity === 'unknown' ? turnedBy(judgement, rules, asksForIdentity) : undefined
  if (stranger !== undefined) {
    return unknown('policies ask for the identity of the client, which is not here', ruleDecider(stranger))
  }
  const doubt = request.ip === '' ? turnedBy(judgement, rules, asksForAddress) : undefined
  if (doubt !== undefined) {
    return unknown('policies ask for the address of the client, which is not here', ruleDecider(doubt))
  }
  const { verdict, rule } = judgement
  if (verdict !== 'allow') {
    if (rule !== undefined) return fails(refusedAs, `a rule denies it to ${who}`, ruleDecider(rule))
    const what = refusedAs === '403' ? `${request.method} ${request.path}` : 'the connection'
    const { why, by } = deniedByDefault(allowing)
    return fails(refusedAs, `${why} allows ${what} of ${who}`, by)
  }
  const custom = rules.CUSTOM?.find((candidate) => candidate.matches(arrival))
  if (custom !== undefined) return unknown('an external authorizer has the last word', ruleDecider(custom))
  if (rule !== undefined) {
    yield step('policy', `allowed to ${who}`, ruleDecider(rule))
    return answered('an answer', 'a policy allows it', ruleDecider(rule))
  }
  yield step('policy', Object.keys(rules).length === 0 ? 'none: everybody may call' : 'no rule forbids it')
  return answered('an answer', 'no policy forbids it')
}

/** With any ALLOW policy, everything is denied that none allows. The one to name is the one that says what is allowed. */
function deniedByDefault(allowing: readonly KubeObject[]): Pick<Ending, 'why' | 'by'> {
  const [first] = allowing
  if (first === undefined) return { why: 'no policy', by: undefined }
  const spoken = allowing.find((policy) => asList(asObject(policy.spec).rules).length > 0)
  if (spoken === undefined) {
    return { why: `${objectName(first)} allows nothing, and nothing else`, by: { object: first, field: 'spec.rules' } }
  }
  const others = allowing.length === 1 ? '' : ` or ${allowing.length - 1} more`
  return { why: `no rule of ${objectName(spoken)}${others}`, by: { object: spoken, field: 'spec.rules' } }
}

/** A rule that asks for something of the client and so might turn a verdict that was found without it. */
function turnedBy(
  { verdict, rule }: Judgement,
  rules: EnforcedRules,
  asks: (policy: KubeObject) => boolean,
): EnforcedRule | undefined {
  const turning = verdict === 'allow' ? rules.DENY : rule === undefined ? rules.ALLOW : undefined
  return [...(rule === undefined ? [] : [rule]), ...(turning ?? [])].find(({ policy }) => asks(policy))
}

function asksForAddress(policy: KubeObject): boolean {
  return asksFor(policy, ADDRESS_FIELDS, ADDRESS_KEYS)
}

function asksForIdentity(policy: KubeObject): boolean {
  return asksFor(policy, IDENTITY_FIELDS, IDENTITY_KEYS)
}

function asksFor(policy: KubeObject, fields: readonly string[], keys: ReadonlySet<string>): boolean {
  return blocks(asObject(policy.spec).rules).some(
    (rule) =>
      blocks(rule.from).some(({ source }) => fields.some((field) => block(source)?.[field] !== undefined)) ||
      blocks(rule.when).some(({ key }) => keys.has(text(key) ?? '')),
  )
}

function ruleDecider({ policy, index }: EnforcedRule): Decider {
  return { object: policy, field: `spec.rules[${index}]` }
}

const ADDRESS_FIELDS = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const
const ADDRESS_KEYS: ReadonlySet<string> = new Set(['source.ip', 'remote.ip'])
const IDENTITY_FIELDS = [
  'principals',
  'notPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const
const IDENTITY_KEYS: ReadonlySet<string> = new Set([
  'source.principal',
  'source.namespace',
  'source.serviceAccount',
  'source.trustDomain',
])
