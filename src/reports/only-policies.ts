import { nearestName } from '../kube/nearest-name.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Policy } from '../policy/policy.ts'

export type OnlyOutcome =
  | { readonly ok: true; readonly set: PolicySet }
  | { readonly ok: false; readonly message: string }

/**
 * A policy set of which only some rules are asked: by code (`MTLS-02`), by area (`MTLS`, `authorization`) or by name of the policy.
 * Case does not count. Refused where one of them is the code, area or name of no policy; an empty list asks for all.
 */
export function onlyPolicies(set: PolicySet, only: readonly string[]): OnlyOutcome {
  if (only.length === 0) return { ok: true, set }
  const wanted = new Set(only.map((name) => name.toLowerCase()))
  const known = new Map(set.policies.flatMap(namesOf).map((name) => [name.toLowerCase(), name]))
  for (const name of only) {
    if (known.has(name.toLowerCase())) continue
    const nearest = nearestName(name, known.values())
    const hint = nearest === undefined ? 'list the rules with `meshward list`' : `did you mean "${nearest}"?`
    return { ok: false, message: `"${name}" is no rule, area or policy; ${hint}` }
  }
  const isWanted = (policy: Policy): boolean => namesOf(policy).some((name) => wanted.has(name.toLowerCase()))
  return { ok: true, set: restrict(set, isWanted) }
}

function restrict(set: PolicySet, isWanted: (policy: Policy) => boolean): PolicySet {
  return {
    policies: set.policies.filter(isWanted),
    bound: set.bound.filter(({ policy }) => isWanted(policy)),
    enforcement: set.enforcement,
    matching: (group, resource, operation) =>
      set.matching(group, resource, operation).filter(({ policy }) => isWanted(policy)),
  }
}

function namesOf({ code, name, category }: Policy): readonly string[] {
  return [code, code.replace(/-\d+$/, ''), category, name]
}
