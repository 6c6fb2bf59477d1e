import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

test.each(['hex', 'json', 'base64'])('bytes.%s() is the engine’s own, and no function here', (name) => {
  expect(evaluate(`b'x'.${name}()`)).toMatch(/^compile: unknown function/)
})

test.each<[string, Json]>([
  ["b'x'.string()", "compile: 'string()' is no member function"],
  ["b'x'.at(0)", 'compile: unknown function "at"; did you mean "int"?'],
  ['cel.bind(x, 1, x)', 'compile: unknown function "bind"; did you mean "find"?'],
  ["sign(quantity('-1Gi'))", -1],
  ["sign(quantity('0'))", 0],
  ["sign(quantity('1m'))", 1],
  ['[1, 2].first().value()', 1],
  ['[1, 2].last().value()', 2],
  ['object.list.first().orValue(9)', 9],
  ['object.list.last().hasValue()', false],
])('%s', (source, expected) => expect(evaluate(source, { list: [] })).toBe(expected))
