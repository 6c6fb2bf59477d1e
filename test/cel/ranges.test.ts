import { describe, expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

const object = { least: -9_007_199_254_740_991, huge: 1e30 }

describe('numbers and times at their limits', () => {
  test.each<[string, Json]>([
    ['-9223372036854775807 - 1 < 0', true],
    ['(-9223372036854775807 - 1) / 1 < 0', true],
    ['int(dyn(9007199254740992.0)) == 9007199254740992', true],
    ["timestamp('9999-12-31T23:59:58Z') + duration('1s') > timestamp('9999-12-31T23:59:58Z')", true],
    ["timestamp('0001-01-01T00:00:01Z') - duration('1s') < timestamp('0001-01-01T00:00:01Z')", true],
    ["b'a' < b'b'", true],
    ["b'a' < b'aa'", true],
    ["b'b' <= b'a'", false],
    ["b'' >= b''", true],
  ])('%s', (source, expected) => expect(evaluate(source, object)).toBe(expected))

  test.each([
    ['-(-9223372036854775807 - 1)', 'error: integer overflow in -(-9223372036854775807 - 1'],
    ['(-9223372036854775807 - 1) / -1', 'error: integer overflow in -9223372036854775807 - 1) / -1'],
    ['int(object.huge)', 'error: integer overflow in int(object.huge)'],
    ['int(1e20)', 'compile: integer overflow in int(1e20)'],
    [
      "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
      "error: timestamp overflow in timestamp('9999-12-31T23:59:59Z') + duration('1s')",
    ],
    [
      "timestamp('0001-01-01T00:00:00Z') - duration('1s')",
      "error: timestamp overflow in timestamp('0001-01-01T00:00:00Z') - duration('1s')",
    ],
  ])('%s is refused', (source, reason) => expect(evaluate(source, object)).toBe(reason))
})
