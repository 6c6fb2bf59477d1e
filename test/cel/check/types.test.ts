import { describe, expect, test } from 'vitest'

import { showType } from '../../../src/cel/check/type.ts'
import { createEnvironment } from '../../../src/cel/environment.ts'

const environment = createEnvironment({ variables: { object: 'dyn', names: 'list<string>', at: 'timestamp' } })

/** The type of an expression, or why it has none. */
function typeOf(source: string): string {
  const outcome = environment.compile(source)
  return outcome.ok ? showType(outcome.program.type) : (outcome.issues[0]?.message ?? 'no reason')
}

describe('the type of an expression', () => {
  test.each([
    ['true', 'bool'],
    ['1u', 'uint'],
    ["b'a'", 'bytes'],
    ['null', 'null'],
    ['object.spec', 'dyn'],
    ['object.spec == 1', 'bool'],
    ['object.a + 1', 'int'],
    ['object.a + object.b', 'dyn'],
    ['[]', 'list<dyn>'],
    ['{}', 'map<dyn, dyn>'],
    ['[[], [1]]', 'list<list<int>>'],
    ["{'a': [1]}", 'map<string, list<int>>'],
    ['[1, 2][0]', 'int'],
    ['[1, 2][?0]', 'optional<int>'],
    ['object.?a', 'optional<dyn>'],
    ["object.?a.orValue('b')", 'dyn'],
    ["{'a': 1}[?'a'].orValue(2)", 'int'],
    ["{'a': 1}.?a", 'optional<int>'],
    ['optional.of(names)', 'optional<list<string>>'],
    ['optional.of(1).optMap(x, [x])', 'optional<list<int>>'],
    ["optional.of(1).optFlatMap(x, optional.of('a'))", 'optional<string>'],
    ['names.map(n, size(n))', 'list<int>'],
    ["names.map(n, n != '', [n])", 'list<list<string>>'],
    ['names.filter(n, true)', 'list<string>'],
    ['names.transformMap(i, n, n)', 'map<int, string>'],
    ["{'a': 1}.transformList(k, v, k)", 'list<string>'],
    ['names.transformMapEntry(i, n, {n: i})', 'map<string, int>'],
    ['names.slice(0, 1).first()', 'optional<string>'],
    ['[[1], [2]].flatten()', 'list<int>'],
    ['[1, 2].max()', 'int'],
    ["true ? 'a' : 'b'", 'string'],
    ["true ? dyn('a') : 'b'", 'dyn'],
    ['at - at', 'duration'],
    ["at + duration('1s')", 'timestamp'],
    ["quantity('1').add(1)", 'kubernetes.Quantity'],
    ["lists.range(2).map(i, string(i)).join('')", 'string'],
    ['type(1) == int', 'bool'],
    ['google.protobuf.Timestamp', 'type'],
  ])('%s is %s', (source, type) => {
    expect(typeOf(source)).toBe(type)
  })
})

describe('what does not compile', () => {
  test.each([
    ["['a'].sum()", "found no matching overload for 'list<string>.sum()'"],
    ['[1, 2].flatten()', "found no matching overload for 'list<int>.flatten()'"],
    ["optional.of(1).orValue('a')", "found no matching overload for 'optional<int>.orValue(string)'"],
    ['[names].max()', "found no matching overload for 'list<list<string>>.max()'"],
    ['optional.of(1).optFlatMap(x, x)', 'this must give optional<dyn>, not int'],
    ['names.exists(n, n == 1)', 'no such overload: string == int'],
    ["names.map(n, [n, 'a']).exists(x, x == 1)", 'no such overload: list<string> == int'],
    ["[1, 'a']", 'one literal holds int and string; wrap all of them in dyn()'],
    ["[[1], ['a']]", 'one literal holds list<int> and list<string>; wrap all of them in dyn()'],
  ])('%s: %s', (source, message) => {
    expect(typeOf(source)).toBe(message)
  })

  test.each([["'%s %d'.format(['a', 1])"], ["'%s'.format([[1, 'a']])"], ["[dyn(1), dyn('a')]"]])(
    '%s is not among it',
    (source) => {
      expect(environment.compile(source).ok).toBe(true)
    },
  )
})

describe('the type that a place wants', () => {
  test.each([
    ['object.a', 'bool', 'the expression gives dyn, but bool is needed here; convert it, as in bool(…), or compare it'],
    ["'a'", 'bool', 'the expression gives string, but bool is needed here'],
    [
      'object.a',
      'string',
      'the expression gives dyn, but string is needed here; convert it, as in string(…), or compare it',
    ],
  ])('is not given by %s for %s', (source, wanted, message) => {
    const outcome = environment.compile(source, { result: [wanted] })
    expect(outcome.ok ? [] : outcome.issues).toEqual([
      { code: 'CEL-TYPE', message, start: 0, end: source.length, line: 1, column: 1 },
    ])
  })

  test.each([
    ['bool(object.a)', 'bool'],
    ['object.a == true', 'bool'],
    ['string(object.a)', 'string'],
    ['object.a && object.b', 'bool'],
  ])('is given by %s', (source, wanted) => {
    expect(environment.compile(source, { result: [wanted] }).ok).toBe(true)
  })
})
