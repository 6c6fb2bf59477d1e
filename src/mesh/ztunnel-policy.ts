import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { actionOf, isDryRun } from './authorization.ts'
import { block, text, texts } from './fields.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { targetRefsOf } from './policy-attachment.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { readAddresses, readPorts, readServiceAccounts } from './ztunnel-values.ts'

/** A policy as istiod sends it to ztunnel, which knows connections, not requests. istio: workloadapi/security. */
export interface ZtunnelPolicy {
  /** `namespace/name`. What comes from PeerAuthentications has a name that no object can have. */
  readonly key: string
  readonly namespace: string
  /** `workload`: only for the workloads that refer to it. */
  readonly scope: 'mesh' | 'namespace' | 'workload'
  readonly action: 'ALLOW' | 'DENY'
  readonly rules: readonly ZtunnelRule[]
  /** The AuthorizationPolicy or PeerAuthentication it is made of; undefined for the one that stands for STRICT. */
  readonly object: KubeObject | undefined
  /** The attributes that are not enforced, in order of name. */
  readonly unsupported: readonly UnsupportedAttribute[]
}

/** One of the rules; all its clauses have to hold, each by one of its matches. */
export interface ZtunnelRule {
  /** In `spec.rules`, since rules may be left out; undefined in a converted PeerAuthentication. */
  readonly index: number | undefined
  readonly clauses: readonly (readonly ZtunnelMatch[])[]
}

/** What has to hold together. One that lost all its fields holds for nothing. */
export type ZtunnelMatch = Readonly<Partial<Record<MatchField, readonly string[]>>>

export type MatchAttribute =
  | 'namespaces'
  | 'principals'
  | 'serviceAccounts'
  | 'sourceIps'
  | 'destinationIps'
  | 'destinationPorts'
export type MatchField = MatchAttribute | `not${Capitalize<MatchAttribute>}`

/** An attribute that ztunnel does not know, and where it is written. */
export interface UnsupportedAttribute {
  readonly name: string
  /** `spec.rules[0].to[1].operation.methods`. */
  readonly field: string
}

/** Why istiod does not send an AuthorizationPolicy to ztunnel. */
export type NotSentReason = 'dry-run' | 'targetRefs' | 'action AUDIT' | 'action CUSTOM' | 'unknown action'

/**
 * What ztunnel gets of an AuthorizationPolicy, or why it gets nothing. A rule of an ALLOW policy with anything of HTTP is left out; a
 * rule of a DENY policy only loses it. istio: serviceregistry/ambient/authorization.go convertAuthorizationPolicy.
 */
export function convertAuthorizationPolicy(snapshot: MeshSnapshot, policy: KubeObject): ZtunnelPolicy | NotSentReason {
  const conversion = convert(policy)
  if (typeof conversion === 'string') return conversion
  const isMeshWide = conversion.scope === 'namespace' && conversion.namespace === meshConfigOf(snapshot).rootNamespace
  return isMeshWide ? { ...conversion, scope: 'mesh' } : conversion
}

/** The attributes of an AuthorizationPolicy that only a waypoint or a sidecar can enforce, whether or not ztunnel gets the policy. */
export function unsupportedAttributes(policy: KubeObject): readonly UnsupportedAttribute[] {
  return rulesOf(policy).flatMap(({ unsupported }) => unsupported)
}

const convert = memo((policy: KubeObject): ZtunnelPolicy | NotSentReason => {
  if (targetRefsOf(policy).length > 0) return 'targetRefs'
  if (isDryRun(policy)) return 'dry-run'
  const action = actionOf(policy)
  if (action === undefined) return 'unknown action'
  if (action === 'AUDIT' || action === 'CUSTOM') return `action ${action}`
  const rules = rulesOf(policy).filter(({ unsupported }) => action === 'DENY' || unsupported.length === 0)
  return {
    key: `${namespaceOf(policy)}/${nameOf(policy)}`,
    namespace: namespaceOf(policy),
    // an empty selector is one: the policy waits for workloads to refer to it, and none will
    scope: block(asObject(policy.spec).selector) === undefined ? 'namespace' : 'workload',
    action,
    rules: rules.map(({ index, clauses }) => ({ index, clauses })),
    object: policy,
    unsupported: unsupportedAttributes(policy),
  }
})

interface ConvertedRule extends ZtunnelRule {
  readonly unsupported: readonly UnsupportedAttribute[]
}

/** istio: serviceregistry/ambient/authorization.go handleRule. */
const rulesOf: (policy: KubeObject) => readonly ConvertedRule[] = memo((policy) =>
  asList(asObject(policy.spec).rules).map((item, index) => {
    const rule = asObject(item)
    const field = `spec.rules[${index}]`
    const unsupported: UnsupportedAttribute[] = []
    const note = (names: readonly string[], place: string): void => {
      for (const name of names) unsupported.push({ name, field: `${place}.${name}` })
    }
    const to = asList(rule.to).map((entry, at) => {
      const operation = asObject(asObject(entry).operation)
      note(presentFields(operation, HTTP_OPERATIONS), `${field}.to[${at}].operation`)
      return toMatch(
        { destinationPorts: operation.ports, notDestinationPorts: operation.notPorts },
        namespaceOf(policy),
      )
    })
    const from = asList(rule.from).map((entry, at) => {
      const source = asObject(asObject(entry).source)
      note(presentFields(source, HTTP_SOURCES), `${field}.from[${at}].source`)
      const { ipBlocks, notIpBlocks, ...rest } = source
      return toMatch({ ...rest, sourceIps: ipBlocks, notSourceIps: notIpBlocks }, namespaceOf(policy))
    })
    const when = asList(rule.when).map((entry, at) => {
      const { key, values, notValues } = asObject(entry)
      const name = text(key) ?? ''
      const attribute = WHEN_ATTRIBUTES.get(name)
      if (attribute !== undefined) {
        return [toMatch({ [attribute[0]]: values, [attribute[1]]: notValues }, namespaceOf(policy))]
      }
      unsupported.push({ name, field: `${field}.when[${at}]` })
      return [{}]
    })
    const clauses = [to, from].filter((matches) => matches.length > 0)
    return { index, clauses: [...clauses, ...when], unsupported }
  }),
)

function toMatch(fields: JsonObject, policyNamespace: string): ZtunnelMatch {
  const match: Partial<Record<MatchField, readonly string[]>> = {}
  for (const [attribute, negated] of ATTRIBUTES) {
    for (const field of [attribute, negated]) {
      const values = readValues(attribute, texts(fields[field]), policyNamespace)
      if (values.length > 0) match[field] = values
    }
  }
  return match
}

/** Values that can't be read are left out. */
function readValues(attribute: MatchAttribute, values: readonly string[], policyNamespace: string): readonly string[] {
  switch (attribute) {
    case 'namespaces':
    case 'principals':
      return values
    case 'serviceAccounts':
      return readServiceAccounts(values, policyNamespace)
    case 'sourceIps':
    case 'destinationIps':
      return readAddresses(values)
    case 'destinationPorts':
      return readPorts(values)
  }
}

function presentFields(block: JsonObject, names: readonly string[]): readonly string[] {
  return names.filter((name) => asList(block[name]).length > 0)
}

const ATTRIBUTES: readonly (readonly [MatchAttribute, MatchField])[] = [
  ['namespaces', 'notNamespaces'],
  ['principals', 'notPrincipals'],
  ['serviceAccounts', 'notServiceAccounts'],
  ['sourceIps', 'notSourceIps'],
  ['destinationIps', 'notDestinationIps'],
  ['destinationPorts', 'notDestinationPorts'],
]
const WHEN_ATTRIBUTES: ReadonlyMap<string, readonly [MatchAttribute, MatchField]> = new Map([
  ['source.namespace', ['namespaces', 'notNamespaces']],
  ['source.principal', ['principals', 'notPrincipals']],
  ['source.ip', ['sourceIps', 'notSourceIps']],
  ['destination.ip', ['destinationIps', 'notDestinationIps']],
  ['destination.port', ['destinationPorts', 'notDestinationPorts']],
])
const HTTP_OPERATIONS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths']
const HTTP_SOURCES = ['remoteIpBlocks', 'notRemoteIpBlocks', 'requestPrincipals', 'notRequestPrincipals']
