import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { annotationsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { ATTRIBUTES, attributeOf, type Arrival, type Attribute } from './authorization-attributes.ts'
import type { Client } from './destination-rule.ts'
import { blocks, isTrue, text, texts, wordIn } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { policiesFor } from './policy-attachment.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { principalsMeant, trustDomainsMeant } from './trust-domain.ts'

export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'

/** The AuthorizationPolicies that hold for a workload, by action; dry runs are not among them. */
export type Authorization = Readonly<Record<Action, readonly KubeObject[]>>

/** A rule as a port enforces it. */
export interface EnforcedRule {
  readonly policy: KubeObject
  /** In `spec.rules`; 0 also for a policy without rules, which matches nothing. */
  readonly index: number
  readonly matches: (arrival: Arrival) => boolean
}

/** What a port enforces, by action. An action without policies is absent; one whose rules all fell away is empty. */
export type EnforcedRules = Readonly<Partial<Record<Action, readonly EnforcedRule[]>>>

/** istio: model/authorization.go ListAuthorizationPolicies. */
export function authorizationFor(snapshot: MeshSnapshot, workload: Client): Authorization {
  return authorizationOf(policiesFor(snapshot, KINDS.authorizationPolicy, workload))
}

/** Policies by action, without those that are only logged. */
export function authorizationOf(policies: readonly KubeObject[]): Authorization {
  const result: Record<Action, KubeObject[]> = { ALLOW: [], DENY: [], AUDIT: [], CUSTOM: [] }
  for (const policy of policies) {
    const action = actionOf(policy)
    if (action !== undefined && !isDryRun(policy)) result[action].push(policy)
  }
  return result
}

/** ALLOW where none is written; undefined for one that Istio does not know. */
export function actionOf(policy: KubeObject): Action | undefined {
  const { action } = asObject(policy.spec)
  return action === undefined || action === null ? 'ALLOW' : wordIn(ACTIONS, action)
}

/** Is the policy only to be logged? istio: security/authz/builder/builder.go isDryRun. */
export function isDryRun(policy: KubeObject): boolean {
  return isTrue(labelValue(annotationsOf(policy), 'istio.io/dry-run'))
}

/**
 * The rules that a port enforces. On a port that is not HTTP an ALLOW rule that asks for anything of HTTP falls away, and a DENY
 * rule loses what asks for it. istio: security/authz/builder/builder.go build, model/model.go Generate.
 */
export function enforcedRules(
  snapshot: MeshSnapshot,
  authorization: Authorization,
  protocol: 'http' | 'tcp',
): EnforcedRules {
  const { trustDomain, trustDomainAliases } = meshConfigOf(snapshot)
  const domains = [trustDomain, ...trustDomainAliases]
  const found: Partial<Record<Action, readonly EnforcedRule[]>> = {}
  for (const action of ORDER) {
    const policies = authorization[action]
    if (policies.length === 0) continue
    found[action] = policies.flatMap((policy) => policyRules(policy, action, protocol, domains))
  }
  return found
}

/** Is everything denied that no ALLOW rule lets in? */
export function isClosed(authorization: Authorization): boolean {
  return authorization.ALLOW.length > 0
}

/** Does the policy let everything in: an ALLOW rule without any condition? */
export function allowsAll(policy: KubeObject): boolean {
  if (actionOf(policy) !== 'ALLOW' || isDryRun(policy)) return false
  return asList(asObject(policy.spec).rules).some((rule) => isUnconditional(asObject(rule)))
}

/** Does the policy let nothing in, and so close what it selects: an ALLOW policy without rules? */
export function allowsNothing(policy: KubeObject): boolean {
  if (actionOf(policy) !== 'ALLOW' || isDryRun(policy)) return false
  return asList(asObject(policy.spec).rules).length === 0
}

/** A rule without conditions matches every request; empty lists are no conditions. */
export function isUnconditional(rule: JsonObject): boolean {
  return [rule.from, rule.to, rule.when].every((list) => asList(list).length === 0)
}

function policyRules(
  policy: KubeObject,
  action: Action,
  protocol: 'http' | 'tcp',
  domains: readonly string[],
): readonly EnforcedRule[] {
  const rules = parsedRules(policy)
  if (rules.length === 0) return [{ policy, index: 0, matches: () => false }]
  return rules.flatMap(({ index, sources, operations }) => {
    const usable = (group: Group): Group | undefined => usableConditions(group, action, protocol)
    const principals = sources.map(usable)
    const permissions = operations.map(usable)
    if (principals.includes(undefined) || permissions.includes(undefined)) return []
    const holds = (groups: readonly (Group | undefined)[], arrival: Arrival): boolean =>
      groups.some((group) => group?.every((condition) => isMet(condition, arrival, namespaceOf(policy), domains)))
    const matches = (arrival: Arrival): boolean => holds(principals, arrival) && holds(permissions, arrival)
    return [{ policy, index, matches }]
  })
}

/** One attribute with the values of which one has to match, and those of which none may. */
interface Condition {
  readonly attribute: Attribute
  readonly values: readonly string[]
  readonly notValues: readonly string[]
}

/** Conditions that all have to hold. */
type Group = readonly Condition[]

interface ParsedRule {
  readonly index: number
  /** One of the sources has to match, and one of the operations; what `when` asks is in each. */
  readonly sources: readonly Group[]
  readonly operations: readonly Group[]
}

/** istio: security/authz/model/model.go New. A rule with an attribute that Istio does not know is skipped. */
const parsedRules: (policy: KubeObject) => readonly ParsedRule[] = memo((policy) =>
  asList(asObject(policy.spec).rules).flatMap((item, index): readonly ParsedRule[] => {
    const rule = asObject(item)
    const when: Group[] = []
    for (const condition of blocks(rule.when)) {
      const attribute = attributeOf(text(condition.key) ?? '')
      if (attribute === undefined) return []
      when.push(conditionOf(attribute, texts(condition.values), texts(condition.notValues)))
    }
    const ofSide = (side: Attribute['side']): Group => when.flat().filter(({ attribute }) => attribute.side === side)
    const from = blocks(rule.from).map((entry) => fieldConditions(asObject(entry.source), SOURCE_FIELDS))
    const to = blocks(rule.to).map((entry) => fieldConditions(asObject(entry.operation), OPERATION_FIELDS))
    return [
      {
        index,
        sources: (from.length === 0 ? [[]] : from).map((group) => [...group, ...ofSide('principal')]),
        operations: (to.length === 0 ? [[]] : to).map((group) => [...group, ...ofSide('permission')]),
      },
    ]
  }),
)

function fieldConditions(block: JsonObject, fields: Readonly<Record<string, Attribute>>): Group {
  return Object.entries(fields).flatMap(([field, attribute]) => {
    const negated = `not${field.charAt(0).toUpperCase()}${field.slice(1)}`
    return conditionOf(attribute, texts(block[field]), texts(block[negated]))
  })
}

function conditionOf(attribute: Attribute, values: readonly string[], notValues: readonly string[]): Group {
  return values.length === 0 && notValues.length === 0 ? [] : [{ attribute, values, notValues }]
}

/**
 * The conditions that can be used on a port. For ALLOW one that can't makes the rule useless, so that less is allowed; for the others it
 * is left out, so that more is denied. istio: model.go checkError.
 */
function usableConditions(group: Group, action: Action, protocol: 'http' | 'tcp'): Group | undefined {
  const isUsable = ({ attribute }: Condition, value: string): boolean =>
    attribute.accepts(value) && !(attribute.isHttpOnly && protocol === 'tcp')
  const kept: Condition[] = []
  for (const condition of group) {
    const values = condition.values.filter((value) => isUsable(condition, value))
    const notValues = condition.notValues.filter((value) => isUsable(condition, value))
    const isWhole = values.length === condition.values.length && notValues.length === condition.notValues.length
    if (!isWhole && action === 'ALLOW') return undefined
    kept.push({ attribute: condition.attribute, values, notValues })
  }
  return kept
}

function isMet(condition: Condition, arrival: Arrival, namespace: string, domains: readonly string[]): boolean {
  const { attribute, values, notValues } = condition
  const matches = (value: string): boolean =>
    meant(attribute, value, domains).some((each) => attribute.matches(each, arrival, namespace))
  if (values.length > 0 && !values.some(matches)) return false
  return !notValues.some(matches)
}

/** istio: model.go MigrateTrustDomain. */
function meant(attribute: Attribute, value: string, domains: readonly string[]): readonly string[] {
  if (attribute === ATTRIBUTES['source.principal']) return principalsMeant(value, domains)
  if (attribute === ATTRIBUTES['source.trustDomain']) return trustDomainsMeant(value, domains)
  return [value]
}

/** `namespace/name#index`. */
export function enforcedRuleName({ policy, index }: EnforcedRule): string {
  return `${namespaceOf(policy)}/${nameOf(policy)}#${index}`
}

const SOURCE_FIELDS: Readonly<Record<string, Attribute>> = {
  principals: ATTRIBUTES['source.principal'],
  requestPrincipals: ATTRIBUTES['request.auth.principal'],
  serviceAccounts: ATTRIBUTES['source.serviceAccount'],
  trustDomains: ATTRIBUTES['source.trustDomain'],
  namespaces: ATTRIBUTES['source.namespace'],
  remoteIpBlocks: ATTRIBUTES['remote.ip'],
  ipBlocks: ATTRIBUTES['source.ip'],
}
const OPERATION_FIELDS: Readonly<Record<string, Attribute>> = {
  hosts: ATTRIBUTES['operation.hosts'],
  methods: ATTRIBUTES['operation.methods'],
  paths: ATTRIBUTES['operation.paths'],
  ports: ATTRIBUTES['destination.port'],
}
const ACTIONS: Readonly<Record<string, Action>> = { ALLOW: 'ALLOW', DENY: 'DENY', AUDIT: 'AUDIT', CUSTOM: 'CUSTOM' }
/** In which a proxy asks. */
const ORDER: readonly Action[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW']
// strconv.ParseBool
