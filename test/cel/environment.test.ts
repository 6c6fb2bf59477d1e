import { describe, expect, test } from 'vitest'

import { closedObject, parseType } from '../../src/cel/check/type.ts'
import { celValue, createBudget, createEnvironment, fromCel } from '../../src/cel/environment.ts'
import type { HostFunction } from '../../src/cel/types.ts'
import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

describe('JSON as expressions see it', () => {
  const object = {
    port: 8080,
    ratio: 0.5,
    whole: 2,
    none: null,
    labels: { constructor: 'a', __proto__x: 'b', toString: 'c', 'app.kubernetes.io/name': 'd' },
    list: [1, 'two', null, { three: 3 }],
  }
  test.each<[string, Json]>([
    ['object.port + 1', 8081],
    ['object.port == 8080', true],
    ['object.ratio + 0.5 == 1.0', true],
    ['object.whole == 2.0', true],
    ['object.none == null', true],
    ['has(object.none)', true],
    ['has(object.missing)', false],
    ['object.labels.constructor', 'a'],
    ["'toString' in object.labels", true],
    ["'hasOwnProperty' in object.labels", false],
    ["'__proto__' in object.labels", false],
    ['has(object.constructor)', false],
    ["object.labels['app.kubernetes.io/name']", 'd'],
    ['size(object.list)', 4],
    ['object.list[3].three', 3],
    ["object.list.exists(item, item == 'two')", true],
    ["object.labels.all(key, key != 'absent')", true],
    ['object.labels.map(key, object.labels[key]).size()', 4],
    ['object.list', object.list],
    ['object.labels', object.labels],
    ["{'constructor': 1, '__proto__': 2}", JSON.parse('{"constructor": 1, "__proto__": 2}')],
    ['object.?missing.?deep.orValue(7)', 7],
    ['object.list[?9].hasValue()', false],
  ])('%s', (source, expected) => expect(evaluate(source, object)).toEqual(expected))

  test('an own key that is called __proto__ is a key like any other', () => {
    const parsed: Json = JSON.parse('{"__proto__": {"admin": true}}')
    expect(evaluate("'__proto__' in object && object['__proto__'].admin", parsed)).toBe(true)
    expect(evaluate("'admin' in object", parsed)).toBe(false)
  })

  test('what went in comes out, not a copy', () => {
    const json = { a: { b: [1] } }
    expect(fromCel(celValue(json))).toBe(json)
  })
})

describe('what does not compile', () => {
  test.each<[string, string, string, number]>([
    ['objct.spec', 'CEL-UNKNOWN-NAME', 'unknown name "objct"; did you mean "object"?', 1],
    [
      "object.name.lowerAsci() == 'a'",
      'CEL-UNKNOWN-FUNCTION',
      'unknown function "lowerAsci"; did you mean "lowerAscii"?',
      1,
    ],
    ['true &&\n  objct.x', 'CEL-UNKNOWN-NAME', 'unknown name "objct"; did you mean "object"?', 2],
    ["1 + 'a'", 'CEL-TYPE', 'no such overload: int + string', 1],
    ["'abc'.reverse()", 'CEL-TYPE', "found no matching overload for 'string.reverse()'", 1],
    [
      "object.name.matches('(')",
      'CEL-LITERAL',
      '"(" is no regular expression of RE2: error parsing regexp: missing closing ): `(`',
      1,
    ],
    ['object.a +', 'CEL-SYNTAX', 'unexpected token: EOF', 1],
    [
      'x'.repeat(17_000),
      'CEL-LIMIT',
      'the expression has 17000 characters; at most 16384 are compiled, split it into variables',
      1,
    ],
  ])('%s', (source, code, message, line) => {
    const outcome = createEnvironment({ variables: { object: 'dyn' } }).compile(source)
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([{ code, message, line }])
  })

  test('a result of another type than the place needs', () => {
    const outcome = createEnvironment({ variables: {} }).compile("'a' + 'b'", { result: ['bool'] })
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([
      { message: 'the expression gives string, but bool is needed here' },
    ])
  })

  test('an unknown field of a closed variable, with the nearest one', () => {
    const environment = createEnvironment({
      variables: { variables: closedObject('variables', { longLived: parseType('list<string>') }) },
    })
    const outcome = environment.compile('variables.longLive.size() > 0')
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([
      { code: 'CEL-UNKNOWN-FIELD', message: 'unknown field "longLive" in variables; did you mean "longLived"?' },
    ])
  })

  test.each([
    ['brackets', '[', 'the expression is too large: exceeded maxDepth (250)'],
    ['parentheses', '(', 'the expression is too large: exceeded maxDepth (250)'],
    ['negations', '!(', 'the expression is too large: exceeded maxDepth (250)'],
    ['fields', 'a.', 'the expression is too large: exceeded maxDepth (250)'],
    ['conditions', 'a?1:', 'the expression is too large: exceeded maxDepth (250)'],
    ['sums', '1+', 'the expression is 1001 levels deep; at most 500 are compiled, split it into variables or lists'],
    [
      'comparisons',
      '1==1<',
      'the expression is 1002 levels deep; at most 500 are compiled, split it into variables or lists',
    ],
  ])('%s without end are too large', (_, part, message) => {
    const source = `${part.repeat(1000)}1`
    const outcome = createEnvironment({ variables: { a: 'dyn' } }).compile(source)
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([{ code: 'CEL-LIMIT', message }])
  })

  test('a source that is all brackets is too large at once', () => {
    for (const part of ['(', '[', '!', '-'])
      expect(createEnvironment({ variables: {} }).compile(part.repeat(16_000)).ok).toBe(false)
  })

  test('several hundred conditions in a row are not', () => {
    const source = Array.from({ length: 400 }, () => 'a == 1').join(' && ')
    expect(createEnvironment({ variables: { a: 'dyn' } }).compile(source).ok).toBe(true)
  })
})

describe('limits', () => {
  const long = { list: Array.from({ length: 10_000 }, (_, index) => index), text: 'a'.repeat(3_000_000) }
  const tooCostly =
    'error: the expression would take more steps than the limit of Kubernetes allows; look at fewer items, or at each only once'
  test.each([
    'object.list.all(x, object.list.all(y, x >= 0 && y >= 0))',
    'object.list.exists(x, object.list.exists(y, y < 0))',
    'object.list.map(x, object.list.map(y, y)).size() > 0',
    'object.list.filter(x, object.list.exists_one(y, y == x)).size() == 0',
    'object.list.all(i, x, object.list.all(j, y, true))',
    "object.list.all(x, object.text.contains('b') || true)",
    "object.list.map(x, object.text).join('').size() > 0",
    "object.text.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaa').size() > 0",
  ])('%s costs too much', (source) => expect(evaluate(source, long)).toBe(tooCostly))

  test.each<[string, Json]>([
    ['object.list.all(x, x >= 0)', true],
    ["object.text.matches('^a+$')", true],
    ['object.text.size() > 10', true],
  ])('%s does not', (source, expected) => expect(evaluate(source, long)).toBe(expected))

  test('one budget is shared by all evaluations of a policy', () => {
    const outcome = createEnvironment({ variables: { object: 'dyn' } }).compile('object.list.all(x, x >= 0)')
    if (!outcome.ok) throw new Error('does not compile')
    const budget = createBudget(100_000)
    const answers = [1, 2, 3].map(() => outcome.program.evaluate({ object: celValue(long) }, budget).ok)
    expect(answers).toEqual([true, false, false])
    expect(budget.remaining).toBeLessThanOrEqual(0)
  })
})

describe('functions of the host', () => {
  const seen: unknown[] = []
  const functions: readonly HostFunction[] = [
    {
      name: 'mesh.count',
      parameters: ['dyn', 'int'],
      result: 'int',
      call: (host, args) => {
        seen.push(host, ...args)
        return 3
      },
    },
    { name: 'mesh.deep.names', parameters: [], result: 'list<string>', call: () => ['a', 'b'] },
  ]

  test('are called by their dotted name, with the objects that went in', () => {
    const object = { a: 1 }
    expect(evaluate('mesh.count(object, 8080) + 1', object, functions)).toBe(4)
    expect(seen).toEqual([undefined, object, 8080])
    expect(seen[1]).toBe(object)
  })

  test('may live in deeper namespaces', () => expect(evaluate('mesh.deep.names().size()', null, functions)).toBe(2))

  test('are known by name to whoever compiled the expression', () => {
    const outcome = createEnvironment({ variables: { object: 'dyn' }, functions }).compile(
      'mesh.deep.names().exists(n, n == object.name)',
    )
    expect(outcome.ok && [...outcome.program.functions]).toEqual(['mesh.deep.names'])
    expect(outcome.ok && [...outcome.program.variables]).toEqual(['object'])
  })

  test('do not exist where nobody gave them', () => {
    expect(evaluate('mesh.count(object, 1)')).toBe('compile: unknown name "mesh"; known are object')
  })
})

test.each([
  ["object.map['b']", "error: no such key: b in object.map['b']"],
  ["object.map['[object']", "error: no such key: [object in object.map['[object']"],
  ['object.map[object.map]', 'error: no such key (keys are texts, numbers and booleans) in object.map[object.map]'],
  ['object.map[object.list]', 'error: no such key (keys are texts, numbers and booleans) in object.map[object.list]'],
])('a key that there is not is told as a person wrote it: %s', (source, told) => {
  expect(evaluate(source, { map: { a: 1 }, list: [{ a: 1 }] })).toBe(told)
})
