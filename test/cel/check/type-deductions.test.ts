import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import { describe, expect, test } from 'vitest'

import { showType } from '../../../src/cel/check/type.ts'
import { createEnvironment } from '../../../src/cel/environment.ts'
import { asList, asObject, type Json } from '../../../src/kube/json.ts'
import { casesIn } from '../cel-spec.ts'

/** A type of cel-spec as CEL spells it. */
function spell(type: Json | undefined): string {
  const { primitive, wellKnown, listType, mapType, abstractType, ...other } = asObject(type ?? null)
  if (typeof primitive === 'string') return primitive.replace('64', '').toLowerCase()
  if (typeof wellKnown === 'string') return wellKnown.toLowerCase()
  if (listType !== undefined) return `list<${spell(asObject(listType).elemType)}>`
  if (mapType !== undefined) return `map<${spell(asObject(mapType).keyType)}, ${spell(asObject(mapType).valueType)}>`
  if (abstractType !== undefined)
    return `optional<${asList(asObject(abstractType).parameterTypes).map(spell).join(', ')}>`
  return 'null' in other ? 'null' : 'dyn'
}

/** The cases that need neither protobuf messages nor functions that are not Kubernetes'. */
const CASES = casesIn(tests, 'type_deductions')
  .filter(({ typeEnv, container }) => typeEnv === undefined && container === undefined)
  .map(({ expr, typedResult }): [string, string] => [
    typeof expr === 'string' ? expr : '',
    spell(asObject(typedResult ?? null).deducedType),
  ])

const environment = createEnvironment({ variables: {} })

describe('the types that cel-spec deduces', () => {
  test('are of so many cases', () => expect(CASES).toHaveLength(21))

  test.each(CASES)('%s is %s', (source, type) => {
    const outcome = environment.compile(source, { literals: 'mixed' })
    expect(outcome.ok ? showType(outcome.program.type) : outcome.issues).toBe(type)
  })
})
