import { describe, expect, test } from 'vitest'

import { createEnvironment } from '../../src/cel/environment.ts'
import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

const object = { a: 1, list: [5], text: 'x' }

describe('optional items of literals', () => {
  test.each<[string, Json]>([
    ['[?object.?a, ?object.?b, ?object.?list]', [1, [5]]],
    ['[?optional.of(1), ?optional.none()] == [1]', true],
    ['[?optional.of(1), 2].map(x, x + 1)', [2, 3]],
    ["{?'a': object.?a, ?'b': object.?b}", { a: 1 }],
    ["{'a': object.a, ?'a': object.?b}", {}],
    ['[?[?optional.of(1)][?0], ?optional.none()]', [1]],
    ["['?', '[?x']", ['?', '[?x']],
    ["[r'[?\\d', object.a == 1 ? 'y' : 'n']", ['[?\\d', 'y']],
    ['object.list[?0].orValue(3)', 5],
    ['object.list[?1].orValue(3)', 3],
    ['[1, // a comment [?\n 2]', [1, 2]],
  ])('%s', (source, expected) => expect(evaluate(source, object)).toEqual(expected))

  test.each([
    ['[?1]', 'compile: an optional is needed behind "?", not int'],
    ["[?optional.of(1), 'a']", 'compile: one literal holds int and string; wrap all of them in dyn()'],
    ["{?'a': optional.of(1), 'b': 'c'}", 'compile: one literal holds int and string; wrap all of them in dyn()'],
    ['[?object.a]', 'error: an optional is needed behind "?" in a'],
    ['{object.a: ? optional.of(1)}', 'compile: unexpected token: QUESTION'],
  ])('%s is refused', (source, reason) => expect(evaluate(source, object)).toBe(reason))

  test('positions are those of the source', () => {
    const outcome = createEnvironment({ variables: {} }).compile('[?optional.of(1),\n ?objct]')
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([{ code: 'CEL-UNKNOWN-NAME', line: 2, column: 3 }])
  })

  test('where literals may be mixed, they may be so here', () => {
    const outcome = createEnvironment({ variables: { object: 'dyn' } }).compile("{?'a': object.?a, 'b': 'c'}", {
      literals: 'mixed',
    })
    expect(outcome.ok).toBe(true)
  })
})
