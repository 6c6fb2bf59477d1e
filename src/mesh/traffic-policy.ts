import { asObject, own, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import type { MergedRule, PolicySource } from './destination-rule.ts'
import { block, blocks, number } from './fields.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** The parts of a traffic policy. Each replaces the same part of a wider policy as a whole; none is merged with it. */
export const POLICY_BLOCKS = [
  'connectionPool',
  'outlierDetection',
  'loadBalancer',
  'tls',
  'retryBudget',
  'tunnel',
  'proxyProtocol',
] as const
export type PolicyBlock = (typeof POLICY_BLOCKS)[number]

/** A part of a policy, with the object and field that set it; `object` is undefined for MeshConfig. */
export interface PlacedBlock {
  readonly value: JsonObject
  readonly object: KubeObject | undefined
  readonly field: string
}

export type TrafficPolicy = Readonly<Partial<Record<PolicyBlock, PlacedBlock>>>

/**
 * What a client does towards a port of a host, or of a subset of it: the rule's policy for the port, what MeshConfig adds to
 * it, and the subset's policy over both. A port's entry inherits nothing from the policy it stands in.
 * istio: networking/core/cluster_builder.go applyDestinationRule, buildSubsetCluster.
 */
export function effectivePolicy(
  snapshot: MeshSnapshot,
  rule: MergedRule | undefined,
  port: number,
  subset?: string,
): TrafficPolicy {
  return withSubset(withMeshDefaults(snapshot, policyForPort(rule?.trafficPolicy, port).policy), rule, port, subset)
}

/** What a rule alone says for a port of a host, or of a subset of it, as a waypoint takes it: without MeshConfig's defaults. */
export function ownPolicy(rule: MergedRule | undefined, port: number, subset?: string): TrafficPolicy {
  return withSubset(policyForPort(rule?.trafficPolicy, port).policy, rule, port, subset)
}

/** istio: util.MergeSubsetTrafficPolicy. */
function withSubset(
  base: TrafficPolicy,
  rule: MergedRule | undefined,
  port: number,
  subset: string | undefined,
): TrafficPolicy {
  const source = rule?.subsets.find(({ name }) => name === subset)?.trafficPolicy
  if (subset === undefined || source === undefined) return base
  const { policy, isPortEntry } = policyForPort(source, port)
  const merged: Partial<Record<PolicyBlock, PlacedBlock>> = { ...base }
  for (const name of POLICY_BLOCKS) {
    const replacement = policy[name]
    if (replacement !== undefined) merged[name] = replacement
    else if (isPortEntry && PORT_BLOCKS.has(name)) delete merged[name]
  }
  return merged
}

/** A policy as it is for one port: the port's own entry where it has one. istio: util.GetPortLevelTrafficPolicy. */
function policyForPort(
  source: PolicySource | undefined,
  port: number,
): { readonly policy: TrafficPolicy; readonly isPortEntry: boolean } {
  if (source === undefined) return { policy: {}, isPortEntry: false }
  const entries = blocks(source.policy.portLevelSettings)
  const index = entries.findIndex((entry) => number(asObject(entry.port).number) === port)
  const entry = entries[index]
  if (entry === undefined)
    return { policy: placed(source.policy, source, source.field, POLICY_BLOCKS), isPortEntry: false }
  const field = `${source.field}.portLevelSettings[${index}]`
  return { policy: placed(entry, source, field, [...PORT_BLOCKS]), isPortEntry: true }
}

function placed(policy: JsonObject, source: PolicySource, field: string, names: readonly PolicyBlock[]): TrafficPolicy {
  const found: Partial<Record<PolicyBlock, PlacedBlock>> = {}
  for (const name of names) {
    const value = block(own(policy, name))
    if (value !== undefined) found[name] = { value, object: source.object, field: `${field}.${name}` }
  }
  return found
}

/** istio: networking/core/cluster_traffic_policy.go applyDefaultTrafficPolicy. */
function withMeshDefaults(snapshot: MeshSnapshot, policy: TrafficPolicy): TrafficPolicy {
  const { defaultTrafficPolicy } = meshConfigOf(snapshot)
  const filled: Partial<Record<PolicyBlock, PlacedBlock>> = { ...policy }
  for (const name of MESH_BLOCKS) {
    const value = block(defaultTrafficPolicy[name])
    if (value !== undefined) filled[name] ??= { value, object: undefined, field: `defaultTrafficPolicy.${name}` }
  }
  return filled
}

/** The parts that an entry of portLevelSettings can set. */
const PORT_BLOCKS: ReadonlySet<PolicyBlock> = new Set(['connectionPool', 'outlierDetection', 'loadBalancer', 'tls'])
const MESH_BLOCKS = ['connectionPool', 'outlierDetection'] as const
