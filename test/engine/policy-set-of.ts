import type { Binding } from '../../src/policy/binding.ts'
import { createPolicySet, type Enforcement, type PolicySet } from '../../src/policy/policy-set.ts'
import type { Policy } from '../../src/policy/policy.ts'

/** A set that there must be one of. */
export function policySetOf(
  policies: readonly Policy[],
  bindings: readonly Binding[] = [],
  enforcement: Enforcement = 'enforce',
): PolicySet {
  const outcome = createPolicySet({ policies, bindings, enforcement })
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('\n'))
  return outcome.set
}
