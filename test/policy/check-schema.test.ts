import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatPath } from '../../src/kube/field-path.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import { checkSchema } from '../../src/policy/check-schema.ts'
import { meshPolicySchema } from '../../src/policy/policy-schema.ts'

const schema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, pattern: '^[a-z]+$' },
    mode: { enum: ['on', 'off'] },
    version: { const: 1 },
    count: { type: 'integer', minimum: 1, maximum: 5 },
    either: { type: ['string', 'integer'] },
    paths: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] },
    items: {
      type: 'array',
      minItems: 1,
      items: { type: 'object', properties: { size: { type: 'number' } }, additionalProperties: false },
    },
    open: { type: 'object', additionalProperties: { type: 'boolean' } },
  },
}

describe('what is wrong, where, and what to write instead', () => {
  test.each<[string, Json, readonly [string, string][]]>([
    ['nothing', { name: 'a' }, []],
    [
      'nothing in every field',
      {
        name: 'a',
        mode: 'on',
        version: 1,
        count: 5,
        either: 3,
        paths: ['x'],
        items: [{ size: 1.5 }],
        open: { x: true },
      },
      [],
    ],
    ['a missing field', {}, [['', 'the document needs the field "name"']]],
    ['no object', 'x', [['', 'the document is a string, but must be an object']]],
    ['null', null, [['', 'the document is null, but must be an object']]],
    [
      'a mistyped field',
      { name: 'a', mod: 'on' },
      [['mod', 'unknown field "mod" in the document; did you mean "mode"?']],
    ],
    [
      'an unknown field that is like none',
      { name: 'a', items: [{ weight: 1 }] },
      [['items[0].weight', 'unknown field "weight" in items[0]; known are size']],
    ],
    [
      'a name of every object',
      { name: 'a', constructor: 1 },
      [
        [
          'constructor',
          'unknown field "constructor" in the document; known are name, mode, version, count, either, paths, items, open',
        ],
      ],
    ],
    ['a wrong type', { name: 5 }, [['name', 'name is a number, but must be a string']]],
    ['a list where none belongs', { name: ['a'] }, [['name', 'name is a list, but must be a string']]],
    [
      'one of several types',
      { name: 'a', either: true },
      [['either', 'either is a boolean, but must be a string or an integer']],
    ],
    ['a number with a fraction', { name: 'a', count: 1.5 }, [['count', 'count is a number, but must be an integer']]],
    [
      'a value that is none of a list',
      { name: 'a', mode: 'auto' },
      [['mode', 'mode is "auto"; write one of "on", "off"']],
    ],
    ['another constant', { name: 'a', version: 2 }, [['version', 'version is 2; write 1']]],
    ['too little', { name: 'a', count: 0 }, [['count', 'count is 0, below the least, 1']]],
    ['too much', { name: 'a', count: 6 }, [['count', 'count is 6, above the most, 5']]],
    ['an empty text', { name: '' }, [['name', 'name must not be empty']]],
    ['an empty list', { name: 'a', items: [] }, [['items', 'items must not be empty']]],
    ['a text of another form', { name: 'A' }, [['name', 'name is "A", which does not match "^[a-z]+$"']]],
    [
      'a part of the form it has',
      { name: 'a', paths: ['x', 5] },
      [['paths[1]', 'paths[1] is a number, but must be a string']],
    ],
    ['too little of the form it has', { name: 'a', paths: [] }, [['paths', 'paths must not be empty']]],
    ['neither of two forms', { name: 'a', paths: 5 }, [['paths', 'paths is a number; write a string or a list']]],
    [
      'a member of an open map',
      { name: 'a', open: { 'x/y z': 1 } },
      [['open[x/y z]', 'open[x/y z] is a number, but must be a boolean']],
    ],
    [
      'a key with all that needs escaping',
      { name: 'a', open: { '100% ~/#?ä': 1 } },
      [['open[100% ~/#?ä]', 'open[100% ~/#?ä] is a number, but must be a boolean']],
    ],
    [
      'a key that is no text',
      { name: 'a', open: { '\uD800': true } },
      [['open', 'the name of a field is not valid Unicode']],
    ],
    [
      'several things at once',
      { mode: 1, items: [{ size: 1 }, { size: 'x' }] },
      [
        ['', 'the document needs the field "name"'],
        ['mode', 'mode is 1; write one of "on", "off"'],
        ['items[1].size', 'items[1].size is a string, but must be a number'],
      ],
    ],
  ])('%s', (_, value, issues) => {
    expect(checkSchema(value, schema).map(({ path, message }) => [formatPath(path), message])).toEqual(issues)
  })
})

test.each<[string, JsonObject, RegExp]>([
  ['a reference to nothing', { $ref: '#/definitions/a' }, /^the schema cannot be used: Unresolved/],
  [
    'a broken pattern',
    { properties: { a: { pattern: '[' } } },
    /^the schema cannot be used: Invalid regular expression/,
  ],
  ['a keyword of the wrong type', { required: 7 }, /^the schema cannot be used: /],
])('a schema that cannot be used is an issue: %s', (_, broken, message) => {
  expect(checkSchema({ a: 'x' }, broken)).toEqual([
    { path: [], what: 'value', message: expect.stringMatching(message) },
  ])
})

describe('for any JSON', () => {
  const json = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)))

  test('a known schema complains in words', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(meshPolicySchema, schema), (value, known) => {
        for (const { message } of checkSchema(value, known)) expect(message).not.toMatch(/undefined|\[object/)
      }),
      { numRuns: 2000 },
    )
  })

  test('and any JSON as a schema does not throw', () => {
    const keyword = fc.constantFrom('type', 'properties', 'items', 'required', 'enum', 'anyOf', 'pattern', '$ref', 'a')
    fc.assert(
      fc.property(json, fc.dictionary(keyword, json), (value, any) => {
        expect(checkSchema(value, { ...any })).toBeInstanceOf(Array)
      }),
      { numRuns: 2000 },
    )
  })
})
