import { describe, expect, test } from 'vitest'

import { createEnvironment } from '../../src/cel/environment.ts'
import { evaluate } from './evaluate.ts'

const environment = createEnvironment({ variables: { object: 'dyn' } })

describe("what CEL's grammar has no place for", () => {
  test.each([
    ['size([1],) == 1', 'there is no argument behind this comma', 8],
    ["'a'.contains('a' , ) ", 'there is no argument behind this comma', 17],
    ['true ? false ? 1 : 2 : 3', 'a condition within a condition needs parentheses', 13],
    ['[true ? false ? 1 : 2 : 3]', 'a condition within a condition needs parentheses', 14],
  ])('%s: %s', (source, message, offset) => {
    const outcome = environment.compile(source)
    expect(outcome.ok ? [] : outcome.issues).toEqual([
      { code: 'CEL-SYNTAX', message, start: offset, end: offset + 1, line: 1, column: offset + 1 },
    ])
  })

  test.each([
    ['[1,] == [1]'],
    ["{'a': 1,} == {'a': 1}"],
    ['[,] == [] && {,} == {}'],
    ['(true ? (false ? 1 : 2) : 3) == 2'],
    ['(true ? [true ? 1 : 2] : []) == [1]'],
    ["{(true ? 'a' : 'b'): true ? 1 : 2} == {'a': 1}"],
    ['(false ? 1 : true ? 2 : 3) == 2 // (a ? b ? c,)'],
    ["size('?,)') == 3"],
    ['object.?a[?0].orValue(true ? 1 : 2) == 1'],
  ])('%s is not among it', (source) => {
    expect(evaluate(source, {})).toBe(true)
  })
})

describe('comparisons bind from left to right', () => {
  test.each([
    ['1 == 1 in [true]', true],
    ['1 == 1 < dyn(true)', false],
    ['1 == 1 == true in [true] == true', true],
    ['1 < 2 == true', true],
    ['true == (1 < 2)', true],
    ["false == (')' < '(')", true],
    ['(1) == (1) in ([true])', true],
    ['[1 == 1 in [true]].all(x, 1 == 1 in [x])', true],
  ])('%s is %s', (source, value) => {
    expect(evaluate(source, {})).toBe(value)
  })

  test.each([
    ['true == 1 < 2', 'no such overload: bool == int'],
    ['(true) == (1) < (2)', 'no such overload: bool == int'],
    ['true != 1 in [1]', 'no such overload: bool != int'],
  ])('%s does not compile', (source, message) => {
    expect(evaluate(source, {})).toBe(`compile: ${message}`)
  })
})

describe('keys of map literals', () => {
  test.each([
    ["{1u: 'a'}[1u] == 'a'"],
    ["dyn({1u: 'a'})[1] == 'a'"],
    ["dyn({1: 'a'})[1.0] == 'a'"],
    ['dyn(1.0) in {1u: true}'],
    ['{1u: true}.all(k, type(k) == uint)'],
    ["{?1u: optional.of('a')}[1u] == 'a'"],
    ["!(dyn(1.5) in {1: 'a'})"],
    ["!(dyn('1') in {1: 'a'})"],
    ["'__proto__' in {'__proto__': 1} && !('constructor' in {'a': 1})"],
  ])('%s', (source) => {
    expect(evaluate(source, {})).toBe(true)
  })
})

test('authorizer says why it is not there', () => {
  const outcome = environment.compile("authorizer.group('').resource('pods').check('get').allowed()")
  expect(outcome.ok ? [] : outcome.issues).toMatchObject([
    {
      code: 'CEL-UNKNOWN-NAME',
      message: expect.stringContaining('keep this rule in a ValidatingAdmissionPolicy'),
      start: 0,
    },
  ])
})
