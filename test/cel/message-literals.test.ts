import { expect, test } from 'vitest'

import { celValue, createBudget, createEnvironment, fromCel } from '../../src/cel/environment.ts'
import type { CompileOptions } from '../../src/cel/types.ts'
import type { Json } from '../../src/kube/json.ts'

function evaluate(source: string, options: CompileOptions): Json {
  const compiled = createEnvironment({ variables: { object: 'dyn' } }).compile(source, options)
  if (!compiled.ok)
    return compiled.issues.map(({ code, message, column }) => `${code} at ${column}: ${message}`).join('; ')
  const outcome = compiled.program.evaluate({ object: celValue({ spec: { a: 1 } }) }, createBudget())
  return outcome.ok ? fromCel(outcome.value) : `error: ${outcome.error.message}`
}

test.each<[string, Json]>([
  ['Object{}', {}],
  ["[dyn(Object{}) == Object.a{}, dyn(Object{a: 1}) == {'a': 1}]", [false, false]],
  ["Object.spec{a: object.spec.a, b: ['x']}", { a: 1, b: ['x'] }],
  ["[JSONPatch{op: 'add', path: '/a', value: Object.a{b: null}}]", [{ op: 'add', path: '/a', value: { b: null } }]],
  ['Object.spec{?a: object.spec.?none, ?b: object.spec.?a}', { b: 1 }],
  ['Object.spec{constructor: 1, namespace: 2}', { constructor: 1, namespace: 2 }],
  ["Object.spec{a: 1} == Object.spec{a: 1} && 'Object{a: 1}' == 'Object{a: 1}'", true],
  [
    'Object.spec{a: Object.spec.b{}}',
    'error: this is of type Object.spec.b, but its place is that of Object.spec.a in {}',
  ],
  ["Object{'a': 1}", 'CEL-SYNTAX at 8: the name of a field stands without quotes'],
  ['JSONPatch{value: 1, pat: 2}', 'CEL-UNKNOWN-FIELD at 21: unknown field "pat" in JSONPatch; did you mean "path"?'],
  ['JSONPatch{op: 1}', 'CEL-TYPE at 15: this must be string, not int'],
  ['Object.spec{a: none}', 'CEL-UNKNOWN-NAME at 16: unknown name "none"; known are object'],
])('%s, where an expression builds JSON', (source, expected) =>
  expect(evaluate(source, { literals: 'mixed' })).toEqual(expected),
)

test('elsewhere there are none', () => {
  expect(evaluate('Object{} == Object{}', { result: ['bool'] })).toMatch(/^CEL-SYNTAX/)
})
