import { resourceOf } from '../../kube/resource-names.ts'
import { KINDS, type KindName } from '../../mesh/kinds.ts'
import type { PolicySet } from '../../policy/policy-set.ts'
import type { ResourceRule } from '../../policy/policy.ts'

/** The kinds of the mesh whose objects these policies judge. */
export function judgedKinds({ policies }: PolicySet): ReadonlySet<KindName> {
  const rules = policies.flatMap(({ match }) => match.resourceRules)
  return new Set(Object.values(KINDS).filter((kind) => rules.some((rule) => covers(rule, kind))))
}

function covers({ apiGroups, resources }: ResourceRule, name: KindName): boolean {
  const dot = name.indexOf('.')
  const [kind, group] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)]
  const { resource } = resourceOf(group, kind)
  return matches(apiGroups, group) && matches(resources, resource)
}

function matches(names: readonly string[], name: string): boolean {
  return names.includes(name) || names.includes('*')
}
