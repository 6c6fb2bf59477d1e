import { resourceOf } from '../../kube/resource-names.ts'
import { KINDS, splitKindName, type KindName } from '../../mesh/kinds.ts'
import { kindsReadBy } from '../../policy/mesh-functions/all.ts'
import { covers, type PolicySet } from '../../policy/policy-set.ts'

/** The kinds of the mesh whose objects these policies judge. */
export function judgedKinds({ policies }: PolicySet): ReadonlySet<KindName> {
  const rules = policies.flatMap(({ match }) => match.resourceRules.map((rule) => ({ ...rule, operations: ANY })))
  return new Set(
    Object.values(KINDS).filter((name) => {
      const { group, kind } = splitKindName(name)
      const { resource } = resourceOf(group, kind)
      return rules.some((rule) => covers(rule, group, resource, 'CREATE'))
    }),
  )
}

/** Whatever is done to it, what is there is judged. */
const ANY = ['*'] as const

/** The kinds that policies read, and Namespaces, whose labels say where a policy applies. */
export function watchedKinds({ policies }: Pick<PolicySet, 'policies'>): ReadonlySet<KindName> {
  return new Set([KINDS.namespace, ...policies.flatMap(kindsReadBy)])
}

/** Kinds that are read in some namespaces only: the mesh configuration is in one, and Secrets are for nobody else. */
export function narrowKinds(
  istioNamespace: string,
  secretNamespaces: readonly string[],
): ReadonlyMap<KindName, readonly string[]> {
  return new Map([
    [KINDS.configMap, [istioNamespace]],
    [KINDS.secret, secretNamespaces],
  ])
}
