import { asList, asObject, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { attributeOf } from './authorization-attributes.ts'
import { actionOf } from './authorization.ts'
import { blocks, text, texts } from './fields.ts'

/** A place in a policy that does less than it says, or more. */
export interface ShapeRisk {
  /**
   * `open-to-anonymous`: on a port that accepts plaintext, a caller without an identity slips through: past an ALLOW rule that
   * only says who may not, or past a DENY rule that says who may not. `tcp-drops-rule`: on a TCP port the ALLOW rule falls away.
   * `tcp-widens-rule`: there the DENY rule matches more.
   */
  readonly risk: 'open-to-anonymous' | 'tcp-drops-rule' | 'tcp-widens-rule'
  /** `spec.rules[0].from[1].source.notPrincipals`. */
  readonly field: string
}

/**
 * The risks that lie in the shape of an AuthorizationPolicy, whether or not a workload is there to suffer them. Plaintext has no
 * identity, so "not this one" is true of it and "this one" is not. istio: security/authz/model/generator.go.
 */
export function shapeRisks(policy: KubeObject): readonly ShapeRisk[] {
  const action = actionOf(policy)
  if (action !== 'ALLOW' && action !== 'DENY') return []
  const risks = new Map<string, ShapeRisk>()
  for (const [index, rule] of asList(asObject(policy.spec).rules).entries()) {
    const field = `spec.rules[${index}]`
    for (const group of groupsOf(asObject(rule), field)) {
      const namesSomebody = group.some(({ isIdentity, isNegative }) => isIdentity && !isNegative)
      for (const condition of group) {
        const isOpen = condition.isIdentity && (action === 'DENY' ? !condition.isNegative : !namesSomebody)
        if (isOpen) risks.set(`open ${condition.field}`, { risk: 'open-to-anonymous', field: condition.field })
        if (!condition.isHttp) continue
        const risk = action === 'ALLOW' ? 'tcp-drops-rule' : 'tcp-widens-rule'
        risks.set(`tcp ${condition.field}`, { risk, field: condition.field })
      }
    }
  }
  return [...risks.values()]
}

/** Does the rule ask for an identity anywhere, in whichever direction? */
export function asksForIdentity(rule: JsonObject): boolean {
  return groupsOf(rule, '').some((group) => group.some(({ isIdentity }) => isIdentity))
}

interface ShapeCondition {
  readonly field: string
  readonly isIdentity: boolean
  readonly isHttp: boolean
  readonly isNegative: boolean
}

/** The conditions that have to hold together: of one source and all of `when`, or of one operation. */
function groupsOf(rule: JsonObject, field: string): readonly (readonly ShapeCondition[])[] {
  const when = whenConditions(rule, field)
  const sources = asList(rule.from).map((entry, index) =>
    fieldConditions(asObject(asObject(entry).source), `${field}.from[${index}].source`),
  )
  const operations = asList(rule.to).map((entry, index) =>
    fieldConditions(asObject(asObject(entry).operation), `${field}.to[${index}].operation`),
  )
  return [...(sources.length === 0 ? [[]] : sources).map((group) => [...group, ...when]), ...operations]
}

function whenConditions(rule: JsonObject, field: string): readonly ShapeCondition[] {
  return blocks(rule.when).flatMap((condition, index) => {
    const key = text(condition.key) ?? ''
    const isHttp = attributeOf(key)?.isHttpOnly === true
    return (['values', 'notValues'] as const)
      .filter((name) => texts(condition[name]).length > 0)
      .map((name) => ({
        field: `${field}.when[${index}].${name}`,
        isIdentity: IDENTITY_KEYS.has(key),
        isHttp,
        isNegative: name === 'notValues',
      }))
  })
}

function fieldConditions(block: JsonObject, field: string): readonly ShapeCondition[] {
  return Object.entries(block)
    .filter(([, values]) => texts(values).length > 0)
    .map(([key]) => {
      const isNegative = /^not[A-Z]/.test(key)
      const name = isNegative ? key.charAt(3).toLowerCase() + key.slice(4) : key
      return { field: `${field}.${key}`, isIdentity: IDENTITIES.has(name), isHttp: HTTP_FIELDS.has(name), isNegative }
    })
}

const IDENTITIES: ReadonlySet<string> = new Set(['principals', 'namespaces', 'serviceAccounts', 'trustDomains'])
const IDENTITY_KEYS: ReadonlySet<string> = new Set([
  'source.principal',
  'source.namespace',
  'source.serviceAccount',
  'source.trustDomain',
])
const HTTP_FIELDS: ReadonlySet<string> = new Set(['hosts', 'methods', 'paths', 'requestPrincipals'])
