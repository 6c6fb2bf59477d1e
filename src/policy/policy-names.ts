import { matchesGlob } from '../kube/glob.ts'
import { nearestName } from '../kube/nearest-name.ts'
import type { Policy } from './policy.ts'

/** What a policy is known by; either names it. */
export type PolicyName = Pick<Policy, 'name' | 'code'>

/** Does one of these names, codes or patterns of either name the policy? */
export function isNamedBy(patterns: readonly string[], { name, code }: PolicyName): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name) || matchesGlob(pattern, code))
}

/** The patterns that name none of the policies, each with a sentence that says so and what may have been meant. */
export function idlePatterns(patterns: readonly string[], policies: readonly PolicyName[]): readonly string[] {
  const known = policies.flatMap(({ name, code }) => [name, code])
  return patterns
    .filter((pattern) => !policies.some((policy) => isNamedBy([pattern], policy)))
    .map((pattern) => {
      const nearest = nearestName(pattern, known)
      const hint = nearest === undefined ? 'list the policies by `meshward list`' : `did you mean "${nearest}"?`
      return `no policy is called "${pattern}"; ${hint}`
    })
}
