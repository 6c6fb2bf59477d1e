import { formatPath, toPointer } from '../kube/field-path.ts'
import type { DefaultRule, Policy, PolicyIssue, ResourceRule } from './policy.ts'

/**
 * Two policies that would fill the same field of the same kind, decided from their text: which of the two values an
 * object got would depend on their order.
 */
export function conflictingDefaults(policies: readonly Policy[]): readonly PolicyIssue[] {
  const owners = new Map<string, Policy[]>()
  const issues: PolicyIssue[] = []
  for (const policy of policies) {
    for (const place of new Set(policy.program?.defaults.flatMap(places))) {
      const others = owners.get(place) ?? []
      for (const other of others) {
        if (!shareResource(other, policy)) continue
        const message =
          `the default for ${place} is also filled by ${other.code} (${other.name}, ${other.source.file}): ` +
          'leave one of them out, or give the place to one policy'
        issues.push({ code: 'POLICY-DEFAULT-CONFLICT', file: policy.source.file, line: 1, column: 1, message })
      }
      owners.set(place, [...others, policy])
    }
  }
  return issues
}

/** The fields that a default fills, each as one normalised path. */
function places(rule: DefaultRule): readonly string[] {
  const roots = rule.forEachText.length > 0 ? rule.forEachText : ['$']
  return roots.flatMap((root) =>
    rule.set.map(({ field }) => {
      const text = formatPath(field)
      return text === '' ? toPointer(field) : `${root}${text.startsWith('[') ? '' : '.'}${text}`
    }),
  )
}

function shareResource(a: Policy, b: Policy): boolean {
  return a.match.resourceRules.some((ruleA) => b.match.resourceRules.some((ruleB) => overlap(ruleA, ruleB)))
}

function overlap(a: ResourceRule, b: ResourceRule): boolean {
  return intersect(a.apiGroups, b.apiGroups) && intersect(a.resources, b.resources)
}

function intersect(a: readonly string[], b: readonly string[]): boolean {
  return a.includes('*') || b.includes('*') || a.some((item) => b.includes(item))
}
