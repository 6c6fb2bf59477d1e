import { kindType } from '../cel/check/schema-type.ts'
import type { Type } from '../cel/check/type.ts'
import type { KindSchema } from '../kube/kind-schema.ts'
import type { ResourceRule } from './policy.ts'

/** A kind whose fields are known, in the versions that have the same ones. */
export interface KindType {
  readonly group: string
  readonly versions: readonly string[]
  readonly kind: string
  readonly resource: string
  readonly type: Type
}

/** The types of kinds by their schemas. Versions with one schema are one type, since a check of each would say the same. */
export function readKindTypes(schemas: readonly KindSchema[]): readonly KindType[] {
  const types = new Map<string, KindType>()
  for (const { group, version, kind, resource, schema, definitions } of schemas) {
    const key = JSON.stringify([group, resource, schema])
    const known = types.get(key)
    types.set(key, {
      group,
      kind,
      resource,
      versions: [...(known?.versions ?? []), version],
      type: known?.type ?? kindType(kind, schema, definitions),
    })
  }
  return [...types.values()]
}

/** The kinds that rules name, of those that are known; `*` for all resources names none. */
export function kindsOf(rules: readonly ResourceRule[], types: readonly KindType[]): readonly KindType[] {
  return types.filter((type) => rules.some((rule) => namesKind(rule, type)))
}

/** A subresource that is the object itself, as `status`, is of the same kind; `scale` and the like are not. */
const SAME_KIND = ['', '/status', '/ephemeralcontainers', '/resize']

function namesKind({ apiGroups, apiVersions, resources }: ResourceRule, type: KindType): boolean {
  return (
    (apiGroups.includes('*') || apiGroups.includes(type.group)) &&
    (apiVersions.includes('*') || type.versions.some((version) => apiVersions.includes(version))) &&
    SAME_KIND.some((suffix) => resources.includes(`${type.resource}${suffix}`))
  )
}

/** What a kind is called among these: by its name alone where no other has it. */
export function kindLabel({ group, versions, kind }: KindType, among: readonly KindType[]): string {
  const isAlone = among.filter((other) => other.kind === kind).length === 1
  return isAlone ? kind : `${kind} of ${group === '' ? '' : `${group}/`}${versions.join(', ')}`
}
