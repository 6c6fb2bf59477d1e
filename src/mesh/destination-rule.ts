import { asObject, equal, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { compareAge } from './age.ts'
import { block, blocks, text, textMap, texts } from './fields.ts'
import { coveringPatterns, isWildcard, resolveHost } from './hosts.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** DestinationRules of one host and namespace, merged as Istio does. */
export interface MergedRule {
  readonly host: string
  readonly namespace: string
  /** As written: absent and `["*"]` are different to Istio. */
  readonly exportTo: ReadonlySet<string>
  readonly workloadSelector: Json | undefined
  readonly trafficPolicy: PolicySource | undefined
  readonly subsets: readonly Subset[]
  /** The rules that went in, oldest first. */
  readonly from: readonly KubeObject[]
}

export interface Subset {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly trafficPolicy: PolicySource | undefined
  readonly object: KubeObject
}

/** A trafficPolicy and where it is written. */
export interface PolicySource {
  readonly policy: JsonObject
  readonly object: KubeObject
  /** `spec.trafficPolicy`, `spec.subsets[1].trafficPolicy`. */
  readonly field: string
}

export interface Client {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** What runs it, where that matters: a gateway gets Secrets that a sidecar does not. */
  readonly object?: KubeObject
}

/**
 * The rule that a client uses towards a host of a namespace: from its own namespace first, then from the host's, then from the
 * root namespace. The first that has any rule for the host decides, a wildcard too, and only its most specific host counts.
 * istio: model/push_context.go destinationRule, model/sidecar.go SidecarScope.DestinationRule.
 */
export function destinationRuleFor(
  snapshot: MeshSnapshot,
  client: Client,
  service: { readonly host: string; readonly namespace: string },
): MergedRule | undefined {
  return selectRule(rulesOnPath(snapshot, client.namespace, service), client)
}

/** The rule that a proxy in front of a service applies for it: as for a client of the proxy's namespace that no rule selects. */
export function servingRuleFor(
  snapshot: MeshSnapshot,
  namespace: string,
  service: { readonly host: string; readonly namespace: string },
): MergedRule | undefined {
  return rulesOnPath(snapshot, namespace, service).findLast(({ workloadSelector }) => workloadSelector === undefined)
}

/** Does the rule that the client uses define the subset? A rule of another namespace does not help. */
export function subsetExists(
  snapshot: MeshSnapshot,
  client: Client,
  service: { readonly host: string; readonly namespace: string },
  subset: string,
): boolean {
  return destinationRuleFor(snapshot, client, service)?.subsets.some(({ name }) => name === subset) === true
}

/** Among the rules for one host: one that selects the client, else the newest that selects nobody. */
function selectRule(rules: readonly MergedRule[], client: Client): MergedRule | undefined {
  const own = rules.find(
    ({ namespace, workloadSelector }) =>
      workloadSelector !== undefined &&
      namespace === client.namespace &&
      matchesLabels(asObject(workloadSelector).matchLabels, client.labels),
  )
  return own ?? rules.findLast(({ workloadSelector }) => workloadSelector === undefined)
}

function rulesOnPath(
  snapshot: MeshSnapshot,
  client: string,
  service: { readonly host: string; readonly namespace: string },
): readonly MergedRule[] {
  const { rootNamespace, defaultDestinationRuleExportTo } = meshConfigOf(snapshot)
  const privateByDefault = defaultDestinationRuleExportTo.includes('.')
  const poolsOf = (namespace: string): Pools => {
    const { whenPublic, whenPrivate } = poolsByDefault(snapshot.inNamespace(KINDS.destinationRule, namespace))
    return privateByDefault ? whenPrivate : whenPublic
  }
  const local = client === rootNamespace ? poolsOf(client).privateOnly : poolsOf(client).local
  const own = mostSpecific(local, service.host)
  if (own !== undefined) return own
  for (const namespace of [service.namespace, rootNamespace]) {
    const exported = (mostSpecific(poolsOf(namespace).exported, service.host) ?? []).filter(
      ({ exportTo }) => exportTo.size === 0 || exportTo.has('*') || exportTo.has(client),
    )
    if (exported.length > 0) return exported
  }
  return []
}

type Pool = ReadonlyMap<string, readonly MergedRule[]>

/** The rules of a namespace by host: those its own clients see, those others may see, and those no others see. */
interface Pools {
  readonly local: Pool
  readonly exported: Pool
  readonly privateOnly: Pool
}

function mostSpecific(pool: Pool, host: string): readonly MergedRule[] | undefined {
  const exact = pool.get(host)
  if (exact !== undefined || !hasWildcard(pool)) return exact
  for (const pattern of coveringPatterns(host)) {
    const found = pool.get(pattern)
    if (found !== undefined) return found
  }
  return undefined
}

const hasWildcard: (pool: Pool) => boolean = memo((pool) => [...pool.keys()].some(isWildcard))

/** The pools of a namespace, for both defaults of exportTo. istio: model/push_context.go setDestinationRules. */
const poolsByDefault: (objects: readonly KubeObject[]) => { readonly whenPublic: Pools; readonly whenPrivate: Pools } =
  memo((objects) => {
    const rules = objects.map(toRule).sort(compareRules)
    return { whenPublic: toPools(rules, false), whenPrivate: toPools(rules, true) }
  })

function toPools(rules: readonly MergedRule[], privateByDefault: boolean): Pools {
  const isLocal = ({ exportTo, namespace }: MergedRule): boolean =>
    exportTo.size === 0 || exportTo.has('*') || exportTo.has('.') || exportTo.has(namespace)
  const isPrivate = ({ exportTo, namespace }: MergedRule): boolean =>
    exportTo.size === 0 ? privateByDefault : exportTo.size === 1 && (exportTo.has('.') || exportTo.has(namespace))
  return {
    local: merge(rules.filter(isLocal)),
    exported: merge(rules.filter((rule) => !isPrivate(rule))),
    privateOnly: merge(rules.filter(isPrivate)),
  }
}

/** The host that a DestinationRule speaks of, resolved. */
export function ruleHost(rule: KubeObject): string {
  return resolveHost(text(asObject(rule.spec).host) ?? '', namespaceOf(rule))
}

function toRule(object: KubeObject): MergedRule {
  const spec = asObject(object.spec)
  const workloadSelector = block(spec.workloadSelector)
  return {
    host: ruleHost(object),
    namespace: namespaceOf(object),
    exportTo: new Set(workloadSelector === undefined ? texts(spec.exportTo) : ['.']),
    workloadSelector,
    trafficPolicy: policyAt(spec.trafficPolicy, object, 'spec.trafficPolicy'),
    subsets: blocks(spec.subsets).map((subset, index) => ({
      name: text(subset.name) ?? '',
      labels: textMap(subset.labels),
      trafficPolicy: policyAt(subset.trafficPolicy, object, `spec.subsets[${index}].trafficPolicy`),
      object,
    })),
    from: [object],
  }
}

function policyAt(value: Json | undefined, object: KubeObject, field: string): PolicySource | undefined {
  const policy = block(value)
  return policy === undefined ? undefined : { policy, object, field }
}

/** Rules with a selector first, then by age. istio: sortConfigBySelectorAndCreationTime. */
function compareRules(a: MergedRule, b: MergedRule): number {
  const selective = Number(a.workloadSelector === undefined) - Number(b.workloadSelector === undefined)
  const [first] = a.from
  const [second] = b.from
  return selective || (first === undefined || second === undefined ? 0 : compareAge(first, second))
}

/**
 * Merges the rules of a namespace host by host, in their order. A rule joins the earlier ones of its host whose exportTo is
 * the same or a part of its own, and stands on its own where it joins none. istio: model/destination_rule.go mergeDestinationRule.
 */
function merge(rules: readonly MergedRule[]): Pool {
  const pool = new Map<string, MergedRule[]>()
  for (const rule of rules) {
    const earlier = pool.get(rule.host)
    if (earlier === undefined) pool.set(rule.host, [rule])
    else if (!joinInto(earlier, rule)) earlier.push(rule)
  }
  return pool
}

/** Joins a rule into those it can be merged with; false where it has to stand beside them. */
function joinInto(earlier: MergedRule[], rule: MergedRule): boolean {
  let joined = false
  for (const [index, existing] of earlier.entries()) {
    const isSame = isSubset(existing.exportTo, rule.exportTo) && existing.exportTo.size === rule.exportTo.size
    const isWider = existing.exportTo.size > 0 && isSubset(existing.exportTo, rule.exportTo)
    joined = isSame
    if (!isSame && !isWider) continue
    const bothSelect = existing.workloadSelector !== undefined && rule.workloadSelector !== undefined
    const neitherSelects = existing.workloadSelector === undefined && rule.workloadSelector === undefined
    if (bothSelect && !haveSameSelector(existing, rule)) {
      joined = false
      continue
    }
    if (bothSelect || neitherSelects) joined = true
    earlier[index] = mergeRules(existing, rule)
  }
  return joined
}

function mergeRules(existing: MergedRule, rule: MergedRule): MergedRule {
  const known = new Set(existing.subsets.map(({ name }) => name))
  return {
    ...existing,
    subsets: [...existing.subsets, ...rule.subsets.filter(({ name }) => !known.has(name))],
    trafficPolicy: existing.trafficPolicy ?? rule.trafficPolicy,
    from: [...existing.from, ...rule.from],
  }
}

function isSubset(inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean {
  for (const item of inner) if (!outer.has(item)) return false
  return true
}

function haveSameSelector(a: MergedRule, b: MergedRule): boolean {
  const labelsOf = (rule: MergedRule): JsonObject => asObject(asObject(rule.workloadSelector).matchLabels)
  return equal(labelsOf(a), labelsOf(b))
}

/** `namespace/name` of the first rule that went in. */
export function ruleName(rule: MergedRule): string {
  const [first] = rule.from
  return first === undefined ? '' : `${namespaceOf(first)}/${nameOf(first)}`
}
