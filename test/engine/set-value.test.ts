import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { removeValue, setValue } from '../../src/engine/set-value.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import { toPointer, valueAt, type FieldPath } from '../../src/kube/field-path.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import { setPatch } from '../../src/kube/set-patch.ts'

test.each<[string, Json, FieldPath, Json, Json]>([
  ['a member', { a: 1 }, ['b'], 2, { a: 1, b: 2 }],
  ['a member that is there', { a: 1 }, ['a'], 2, { a: 2 }],
  ['parents that are missing', {}, ['a', 'b', 'c'], 1, { a: { b: { c: 1 } } }],
  ['a parent that is null', { a: null }, ['a', 'b'], 1, { a: { b: 1 } }],
  ['an item', { a: [1, 2] }, ['a', 1], 3, { a: [1, 3] }],
  ['a member of an item', { a: [{ b: 1 }] }, ['a', 0, 'b'], 2, { a: [{ b: 2 }] }],
  ['an item after the last', { a: [1] }, ['a', 1], 2, { a: [1, 2] }],
  ['the first item of a list that is missing', {}, ['a', 0, 'b'], 1, { a: [{ b: 1 }] }],
  ['digits that are a key', { a: { 0: 1 } }, ['a', '0'], 2, { a: { 0: 2 } }],
  ['a key of every object', {}, ['constructor', 'name'], 1, JSON.parse('{ "constructor": { "name": 1 } }')],
  ['the key __proto__', {}, ['__proto__'], 1, JSON.parse('{ "__proto__": 1 }')],
  ['the whole', { a: 1 }, [], 2, 2],
])('setting %s', (_, root, path, value, expected) => {
  const before = structuredClone(root)
  expect(setValue(root, path, value)).toEqual(expected)
  expect(root).toEqual(before)
})

test.each<[string, Json, FieldPath, Json]>([
  ['a member', { a: 1, b: 2 }, ['a'], { b: 2 }],
  ['an item', { a: [1, 2, 3] }, ['a', 1], { a: [1, 3] }],
  ['a member of an item', { a: [{ b: 1, c: 2 }] }, ['a', 0, 'b'], { a: [{ c: 2 }] }],
  ['nothing where nothing is', { a: 1 }, ['b', 'c'], { a: 1 }],
  ['nothing beyond a list', { a: [1] }, ['a', 3], { a: [1] }],
  ['nothing that only the prototype has', {}, ['constructor'], {}],
])('removing %s', (_, root, path, expected) => {
  const before = structuredClone(root)
  expect(removeValue(root, path)).toEqual(expected)
  expect(root).toEqual(before)
})

describe('for any JSON', () => {
  const key = fc.constantFrom('a', 'b', '0', 'constructor', 'x/y~z')
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Json>(null, 1, 'x'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
    ),
  }))
  const object = fc.dictionary(key, tree, { maxKeys: 4 }).map((value): JsonObject => ({ ...value }))
  const path = fc
    .array(fc.oneof(key, fc.nat({ max: 1 })), { minLength: 1, maxLength: 4 })
    .map((steps): FieldPath => ['a', ...steps])

  test('what was set is there', () => {
    fc.assert(
      fc.property(object, path, (root, at) => {
        const set = setValue(root, fits(root, at), 'v')
        expect(valueAt(set, fits(root, at))).toBe('v')
      }),
      { numRuns: 3000 },
    )
  })

  test('the patch that sets a value does what setting it does', () => {
    fc.assert(
      fc.property(object, path, (root, at) => {
        const where = fits(root, at)
        expect(applyJsonPatch(root, setPatch(root, where, 'v'))).toEqual(setValue(root, where, 'v'))
      }),
      { numRuns: 3000 },
    )
  })

  test('what was removed is gone, and removing is what a patch does', () => {
    fc.assert(
      fc.property(object, path, (root, at) => {
        if (valueAt(root, at) === undefined) expect(removeValue(root, at)).toEqual(root)
        else expect(removeValue(root, at)).toEqual(applyJsonPatch(root, [{ op: 'remove', path: toPointer(at) }]))
      }),
      { numRuns: 3000 },
    )
  })

  /** The part of a path before which nothing stands in the way: a number wants a list and an index in it, a key an object. */
  function fits(root: Json, at: FieldPath): FieldPath {
    const end = at.findIndex((segment, depth) => {
      const parent = valueAt(root, at.slice(0, depth)) ?? null
      if (typeof segment === 'number')
        return !(Array.isArray(parent) ? segment <= parent.length : parent === null && segment === 0)
      return Array.isArray(parent)
    })
    return end < 0 ? at : at.slice(0, Math.max(end, 1))
  }
})
