import { asList, asObject, type Json } from '../../../kube/json.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { placedBlocks, text } from '../../../mesh/fields.ts'

/** A value that a policy gives for who calls, and where it is written: `spec.rules[0].from[0].source.principals[1]`. */
export interface SourceValue {
  readonly value: string
  readonly field: string
  /** Of the rule in `spec.rules`. */
  readonly rule: number
  /** One that the caller must not have: of `notPrincipals`, `notValues`, … */
  readonly isExcluded: boolean
}

/** Something about a caller, by its names in `source` and in `when`. */
export const IDENTITIES = {
  principal: { field: 'principals', key: 'source.principal' },
  namespace: { field: 'namespaces', key: 'source.namespace' },
  account: { field: 'serviceAccounts', key: 'source.serviceAccount' },
} as const

/** All values that the rules of an AuthorizationPolicy give for something about a caller, those that it must not have too. */
export function sourceValues(policy: KubeObject, about: keyof typeof IDENTITIES): readonly SourceValue[] {
  const { field: name, key } = IDENTITIES[about]
  const names = [name, `not${name.charAt(0).toUpperCase()}${name.slice(1)}`]
  return placedBlocks(asObject(policy.spec).rules).flatMap(([index, rule]) => {
    const at = `spec.rules[${index}]`
    const sources = placedBlocks(rule.from).flatMap(([from, { source }]) =>
      names.flatMap((each) => listed(asObject(source)[each], `${at}.from[${from}].source.${each}`, index)),
    )
    const conditions = placedBlocks(rule.when).flatMap(([when, condition]) =>
      text(condition.key) !== key
        ? []
        : ['values', 'notValues'].flatMap((each) => listed(condition[each], `${at}.when[${when}].${each}`, index)),
    )
    return [...sources, ...conditions]
  })
}

function listed(values: Json | undefined, field: string, rule: number): readonly SourceValue[] {
  return asList(values).flatMap((value, index) =>
    typeof value === 'string' ? [{ value, field: `${field}[${index}]`, rule, isExcluded: EXCLUDING.test(field) }] : [],
  )
}

const EXCLUDING = /\.not[A-Z][A-Za-z]*$/
