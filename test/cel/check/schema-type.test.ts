import { describe, expect, test } from 'vitest'

import { kindType, schemaType } from '../../../src/cel/check/schema-type.ts'
import { showType, type Type } from '../../../src/cel/check/type.ts'
import type { JsonObject } from '../../../src/kube/json.ts'

/** A type with its fields, two levels deep: `Name{a: string, …}`, a `*` for a rest of any fields. */
function outline(type: Type, depth = 2): string {
  if (type.kind === 'list') return `list<${outline(type.item, depth)}>`
  if (type.kind === 'map') return `map<${outline(type.key, depth)}, ${outline(type.value, depth)}>`
  if (type.kind !== 'object' || depth === 0) return showType(type)
  const fields = [...type.fields()].map(([name, field]) => `${name}: ${outline(field, depth - 1)}`)
  const rest = type.rest === undefined ? [] : [`*: ${outline(type.rest, depth - 1)}`]
  return `{${[...fields, ...rest].join(', ')}}`
}

describe('the type of a schema', () => {
  test.each<[string, JsonObject, string]>([
    ['a string, of whatever format', { type: 'string', format: 'date-time' }, 'string'],
    ['an integer', { type: 'integer', format: 'int64' }, 'int'],
    ['a number, which whole numbers are too', { type: 'number' }, 'dyn'],
    ['a boolean', { type: 'boolean' }, 'bool'],
    ['a boolean that may be null', { type: 'boolean', nullable: true }, 'dyn'],
    ['an integer or a string', { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }] }, 'dyn'],
    ['the same as an API server writes it', { type: 'string', format: 'int-or-string' }, 'dyn'],
    ['a list', { type: 'array', items: { type: 'string' } }, 'list<string>'],
    ['a list of anything', { type: 'array' }, 'list<dyn>'],
    ['a map', { type: 'object', additionalProperties: { type: 'integer' } }, 'map<string, int>'],
    ['an object of which nothing is said', { type: 'object' }, 'dyn'],
    ['anything at all', {}, 'dyn'],
    [
      'unknown fields that are kept',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      'map<string, dyn>',
    ],
    ['fields', { type: 'object', properties: { a: { type: 'string' }, b: {} } }, '{a: string, b: dyn}'],
    [
      'fields beside others',
      { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
      '{a: string, *: dyn}',
    ],
    [
      'fields beside others of one type',
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'integer' } },
      '{a: string, *: int}',
    ],
    [
      'a field called as what every object of JavaScript has',
      { type: 'object', properties: { constructor: { type: 'string' } } },
      '{constructor: string}',
    ],
  ])('%s', (_, schema, type) => {
    expect(outline(schemaType('T', schema, {}))).toBe(type)
  })

  test('follows references, in allOf too, and those of a type to itself', () => {
    const definitions = {
      Tree: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          below: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
        },
      },
    }
    const schema = {
      type: 'object',
      properties: { tree: { allOf: [{ $ref: '#/components/schemas/Tree' }], default: {}, description: 'x' } },
    }
    const type = schemaType('T', schema, definitions)
    expect(outline(type)).toBe('{tree: {name: string, below: list<T.tree.below[]>}}')
  })

  test('of a reference to itself is not known', () => {
    const definitions = { Loop: { $ref: '#/components/schemas/Loop' } }
    expect(outline(schemaType('T', { $ref: '#/components/schemas/Loop' }, definitions))).toBe('dyn')
    expect(outline(schemaType('T', { $ref: '#/components/schemas/Nothing' }, definitions))).toBe('dyn')
  })
})

describe('the type of a kind', () => {
  test('has what every object has', () => {
    const type = kindType('Widget', { type: 'object', properties: { metadata: { type: 'object' } } }, {})
    expect(outline(type, 1)).toBe('{metadata: Widget.metadata, apiVersion: string, kind: string}')
  })

  test('has the metadata that its schema describes', () => {
    const metadata = { type: 'object', properties: { name: { type: 'string' } } }
    expect(outline(kindType('Widget', { type: 'object', properties: { metadata } }, {}))).toContain(
      'metadata: {name: string}',
    )
  })
})
