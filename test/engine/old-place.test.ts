import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { OldPlaces, pairItems } from '../../src/engine/old-place.ts'
import type { FieldPath } from '../../src/kube/field-path.ts'
import { valueAt } from '../../src/kube/field-path.ts'
import type { Json } from '../../src/kube/json.ts'

const route = (host: string, weight = 100): Json => ({ route: [{ destination: { host }, weight }] })
const split = (a: string, b: string, weight: number): Json => ({
  route: [
    { destination: { host: a }, weight: 100 - weight },
    { destination: { host: b }, weight },
  ],
})
const named = (name: string, host: string): Json => ({ name, route: [{ destination: { host } }] })
const matched = (prefix: string, host: string): Json => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host } }],
})

describe('the counterparts of list items', () => {
  test.each<[string, readonly Json[], readonly Json[], readonly (number | undefined)[]]>([
    ['equal items, in another order', [1, 'a', null, { a: 1 }], [{ a: 1 }, null, 1, 'a'], [2, 3, 1, 0]],
    ['an item twice that was there once', ['a', 'a'], ['a'], [0, undefined]],
    ['a text that changed', ['b'], ['a'], [undefined]],
    ['an item that is put first', [route('new'), route('old')], [route('old')], [undefined, 0]],
    [
      'one that is put in the middle',
      [route('a'), route('new'), route('b')],
      [route('a'), route('b')],
      [0, undefined, 1],
    ],
    ['one that went', [route('b')], [route('a'), route('b')], [1]],
    ['weights that moved', [split('a', 'b', 10)], [split('a', 'b', 50)], [0]],
    [
      'weights that moved in two',
      [split('a', 'b', 10), split('c', 'd', 10)],
      [split('a', 'b', 50), split('c', 'd', 60)],
      [0, 1],
    ],
    [
      'and changed places',
      [split('c', 'd', 10), split('a', 'b', 10)],
      [split('a', 'b', 50), split('c', 'd', 60)],
      [1, 0],
    ],
    [
      'weights that moved beside an item that is put first',
      [route('new', 7), split('a', 'b', 10)],
      [split('a', 'b', 50)],
      [undefined, 0],
    ],
    ['names, whatever else changed', [named('x', 'b'), named('y', 'a')], [named('y', 'c'), named('x', 'd')], [1, 0]],
    ['another name, whatever else is the same', [named('x', 'a')], [named('y', 'a')], [undefined]],
    ['a name that is new on an old item', [named('x', 'a')], [{ route: [{ destination: { host: 'a' } }] }], [0]],
    ['a name that an old item lost', [{ route: [{ destination: { host: 'a' } }] }], [named('x', 'a')], [0]],
    [
      'ports',
      [
        { port: { number: 80 }, a: 1 },
        { port: 443, a: 2 },
      ],
      [
        { port: 443, b: 1 },
        { port: { number: 80 }, b: 2 },
      ],
      [1, 0],
    ],
    ['the one of several that is most alike', [matched('/a', 'x')], [matched('/b', 'y'), matched('/a', 'z')], [1]],
    ['the nearest of those alike', [{ a: 1 }, { a: 2 }, { a: 3 }], [{ a: 7 }, { a: 8 }, { a: 9 }], [0, 1, 2]],
    ['nothing in common', [{ a: 1 }], [{ b: 1 }], [undefined]],
    ['a list and an object', [['a']], [{ 0: 'a' }], [undefined]],
    ['names of every object', [{ constructor: 1 }], [{ toString: 1 }], [undefined]],
    ['an old list that is empty', [{ a: 1 }], [], [undefined]],
  ])('%s', (_, current, old, pairs) => {
    expect(pairItems(current, old)).toEqual(pairs)
  })

  test('more changed items than can be compared are paired in order, what is added has none', () => {
    const many = (weight: number, length: number): Json[] => Array.from({ length }, (_, index) => ({ index, weight }))
    expect(pairItems(many(1, 101), many(2, 100))).toEqual([
      ...Array.from({ length: 100 }, (_, index) => index),
      undefined,
    ])
    const names = (from: number): Json[] => Array.from({ length: 100 }, (_, index) => ({ name: `n${from + index}` }))
    expect(pairItems(names(0), names(500))).toEqual(names(0).map(() => undefined))
    expect(
      pairItems(
        Array.from({ length: 100 }, () => 'a'),
        names(0),
      ),
    ).toEqual(names(0).map(() => undefined))
  })
})

describe('the place of a path in the old object', () => {
  const current: Json = {
    spec: {
      hosts: ['x'],
      http: [
        named('new', 'n'),
        { name: 'old', timeout: '5s', route: [{ destination: { host: 'b' } }, { destination: { host: 'a' } }] },
      ],
      ports: { '8080': { mode: 'A' } },
      block: { inner: {} },
    },
  }
  const old: Json = {
    spec: {
      http: [{ name: 'gone' }, { name: 'old', route: [{ destination: { host: 'a' } }] }],
      ports: { '8443': {} },
      block: 'text',
    },
  }
  const places = new OldPlaces(current, old)

  test.each<[string, FieldPath, FieldPath | undefined]>([
    ['the object itself', [], []],
    ['a member that both have', ['spec', 'ports'], ['spec', 'ports']],
    ['a member that only the new one has', ['spec', 'hosts'], ['spec', 'hosts']],
    ['a member that neither has', ['spec', 'nope', 'deeper'], ['spec', 'nope', 'deeper']],
    ['a key of a map', ['spec', 'ports', '8080', 'mode'], ['spec', 'ports', '8080', 'mode']],
    ['an item by its name', ['spec', 'http', 1, 'timeout'], ['spec', 'http', 1, 'timeout']],
    ['an item of an item', ['spec', 'http', 1, 'route', 1, 'weight'], ['spec', 'http', 1, 'route', 0, 'weight']],
    ['an item that is new in an item', ['spec', 'http', 1, 'route', 0], undefined],
    ['an item that is new', ['spec', 'http', 0, 'timeout'], undefined],
    ['an item of a list that is new', ['spec', 'hosts', 0], undefined],
    ['below what was no object', ['spec', 'block', 'inner'], ['spec', 'block', 'inner']],
    ['an item that there is none of', ['spec', 'http', 9], undefined],
  ])('%s', (_, path, expected) => {
    expect(places.find(path)).toEqual(expected)
  })
})

describe('for any lists', () => {
  const item = fc.oneof(
    fc.constantFrom<Json>(null, 1, 'a', 'b', []),
    fc.record({ name: fc.constantFrom('x', 'y', ''), a: fc.nat({ max: 2 }) }, { requiredKeys: [] }),
    fc.record({
      route: fc.array(fc.record({ host: fc.constantFrom('p', 'q'), weight: fc.nat({ max: 3 }) }), { maxLength: 2 }),
    }),
  )
  const items = fc.array(item, { maxLength: 8 })

  test('each new item has at most one counterpart, and no old one is that of two', () => {
    fc.assert(
      fc.property(items, items, (current, old) => {
        const pairs = pairItems(current, old)
        expect(pairs).toHaveLength(current.length)
        const used = pairs.filter((index) => index !== undefined)
        expect(new Set(used).size).toBe(used.length)
        for (const index of used) expect(old).toHaveProperty([String(index)])
      }),
      { numRuns: 2000 },
    )
  })

  test('a list is its own counterpart, item by item equal, in any order', () => {
    fc.assert(
      fc.property(
        items.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const pairs = pairItems(shuffled, list)
          expect(pairs.map((index) => (index === undefined ? undefined : list[index]))).toEqual(shuffled)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('what is added to a list has no counterpart, and what was there keeps its own', () => {
    const distinct = fc.uniqueArray(fc.nat({ max: 50 }), { maxLength: 10 }).map((ids) => ids.map((id) => ({ id })))
    fc.assert(
      fc.property(distinct, fc.nat({ max: 10 }), (list, at) => {
        const added = { id: -1 }
        const current = list.toSpliced(at, 0, added)
        const pairs = pairItems(current, list)
        expect(pairs.map((index) => (index === undefined ? added : list[index]))).toEqual(current)
      }),
      { numRuns: 1000 },
    )
  })

  test('the old place of a place that exists in both, unchanged, holds the same value', () => {
    fc.assert(
      fc.property(items, (list) => {
        const object: Json = { spec: { list } }
        const old: Json = { spec: { list: list.toReversed() } }
        const places = new OldPlaces(object, old)
        for (const index of list.keys()) {
          const path: FieldPath = ['spec', 'list', index]
          expect(valueAt(old, places.find(path) ?? ['none'])).toEqual(valueAt(object, path))
        }
      }),
      { numRuns: 1000 },
    )
  })
})
