import { celValue } from '../cel/environment.ts'
import type { CelValue } from '../cel/types.ts'
import type { JsonObject } from '../kube/json.ts'
import { checkParams } from './check-params.ts'
import {
  shippedBinding,
  type Binding,
  type BindingScope,
  type DefaultsAction,
  type Profile,
  type UnchangedFindings,
} from './binding.ts'
import { conflictingDefaults } from './default-conflicts.ts'
import { idlePatterns, isNamedBy, type PolicyName } from './policy-names.ts'
import type { Action, Operation, Policy, PolicyIssue, ResourceRule } from './policy.ts'

/** What the whole installation may do at most: refuse; warn and change nothing; stay silent. */
export type Enforcement = 'enforce' | 'warn' | 'off'

/** A policy with one binding of it: what the engine evaluates. */
export interface BoundPolicy {
  readonly policy: Policy
  readonly binding: string
  readonly scope: BindingScope
  readonly actions: readonly Action[]
  readonly unchangedFindings: UnchangedFindings
  readonly defaultsAction: DefaultsAction
  readonly params: JsonObject
  /** `params` as the expressions see it, wrapped once. */
  readonly paramsValue: CelValue
}

/** The policies in force, compiled and bound: immutable, swapped as a whole. */
export interface PolicySet {
  readonly policies: readonly Policy[]
  readonly bound: readonly BoundPolicy[]
  readonly enforcement: Enforcement
  /**
   * The bound policies with a rule for this group, resource (`pods`, `pods/status`) and operation, in order of code.
   * O(1) after the first call for the three; versions and names are still to be compared.
   */
  matching(group: string, resource: string, operation: Operation): readonly BoundPolicy[]
}

export type PolicySetOutcome =
  | { readonly ok: true; readonly set: PolicySet }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/**
 * Binds policies and makes a set of them. A policy that a binding names loses what profiles say of it, and one that a
 * profile names loses the binding that ships with it.
 * Refused, with every reason: two policies of one name or code, a binding that names no policy, parameters that the
 * policy's schema does not accept, two policies whose defaults would fill one field.
 */
export function createPolicySet(input: {
  readonly policies: readonly Policy[]
  readonly bindings: readonly Binding[]
  /** Of two profiles that name a policy, the later one binds it. */
  readonly profiles?: readonly Profile[]
  readonly enforcement: Enforcement
  /** Policies that are left out on purpose: a binding may name them all the same. */
  readonly disabled?: readonly PolicyName[]
}): PolicySetOutcome {
  const policies = [...input.policies].sort(byCode)
  const issues: PolicyIssue[] = [
    ...duplicates(policies),
    ...unmatched([...policies, ...(input.disabled ?? [])], input.bindings),
    ...conflictingDefaults(policies),
  ]
  const layers = [input.bindings, ...(input.profiles ?? []).map(({ bindings }) => bindings).toReversed()]
  const bound: BoundPolicy[] = []
  for (const policy of policies) {
    for (const binding of bindingsOf(policy, layers)) {
      const outcome = bind(policy, binding)
      issues.push(...outcome.issues)
      bound.push(outcome.bound)
    }
  }
  return issues.length > 0 ? { ok: false, issues } : { ok: true, set: indexed(policies, bound, input.enforcement) }
}

/** Those of the first layer that names the policy, or the one that ships with it. */
function bindingsOf(policy: Policy, layers: readonly (readonly Binding[])[]): readonly Binding[] {
  for (const layer of layers) {
    const named = layer.filter(({ policies }) => isNamedBy(policies, policy))
    if (named.length > 0) return named
  }
  return [shippedBinding(policy)]
}

/** The same policies under another enforcement. */
export function withEnforcement(set: PolicySet, enforcement: Enforcement): PolicySet {
  return enforcement === set.enforcement ? set : { ...set, enforcement }
}

function bind(policy: Policy, binding: Binding): { bound: BoundPolicy; issues: readonly PolicyIssue[] } {
  const params = { ...policy.params.default, ...binding.params }
  const bound: BoundPolicy = {
    policy,
    binding: binding.name,
    scope: binding.scope,
    actions: binding.validationActions ?? policy.validationActions,
    unchangedFindings: binding.unchangedFindings,
    defaultsAction: binding.defaultsAction,
    params,
    paramsValue: celValue(params),
  }
  // The text of a policy that does not compile is its own issue: it stays in the set and answers by its failure policy.
  if (policy.program === undefined) return { bound, issues: [] }
  const issues = checkParams(policy, params).map(({ message }) => ({
    code: 'BINDING-PARAMS',
    ...binding.position,
    message,
  }))
  return { bound, issues }
}

function indexed(policies: readonly Policy[], bound: readonly BoundPolicy[], enforcement: Enforcement): PolicySet {
  const index = new Map<string, readonly BoundPolicy[]>()
  return {
    policies,
    bound,
    enforcement,
    matching(group, resource, operation) {
      const key = `${operation} ${group}/${resource}`
      let found = index.get(key)
      if (found === undefined) {
        found = bound.filter(({ policy }) =>
          policy.match.resourceRules.some((rule) => covers(rule, group, resource, operation)),
        )
        // Names come from requests, so the memory they may take is bounded: a cluster has a few hundred kinds.
        if (index.size < 4096) index.set(key, found)
      }
      return found
    },
  }
}

/** Does a rule speak of this group, resource and operation? */
export function covers(rule: ResourceRule, group: string, resource: string, operation: Operation): boolean {
  return (
    (rule.apiGroups.includes(group) || rule.apiGroups.includes('*')) &&
    (rule.operations.includes(operation) || (rule.operations.includes('*') && operation !== 'SCAN')) &&
    (rule.resources.includes(resource) || (rule.resources.includes('*') && !resource.includes('/')))
  )
}

function unmatched(policies: readonly PolicyName[], bindings: readonly Binding[]): readonly PolicyIssue[] {
  return bindings.flatMap((binding) =>
    idlePatterns(binding.policies, policies).map((message) => ({
      code: 'BINDING-POLICY',
      ...binding.position,
      message,
    })),
  )
}

function duplicates(policies: readonly Policy[]): readonly PolicyIssue[] {
  const seen = new Map<string, Policy>()
  const issues: PolicyIssue[] = []
  for (const policy of policies) {
    for (const key of [policy.name, policy.code]) {
      const first = seen.get(key)
      if (first === undefined) seen.set(key, policy)
      else if (first !== policy) {
        const message = `"${key}" is also in ${first.source.file}; every policy needs a name and a code of its own`
        issues.push({ code: 'POLICY-DUPLICATE', file: policy.source.file, line: 1, column: 1, message })
      }
    }
  }
  return issues
}

function byCode(a: Policy, b: Policy): number {
  return compareCodes(a.code, b.code) || (a.name < b.name ? -1 : 1)
}

/** Order of codes: by area, then by number (`RES-2` before `RES-10`). */
export function compareCodes(a: string, b: string): number {
  const [areaA = '', numberA = ''] = a.split(/-(?=\d+$)/)
  const [areaB = '', numberB = ''] = b.split(/-(?=\d+$)/)
  if (areaA !== areaB) return areaA < areaB ? -1 : 1
  return Number(numberA) - Number(numberB)
}
