import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatPath, valueAt, type FieldPath } from '../../src/kube/field-path.ts'
import type { Json } from '../../src/kube/json.ts'
import { compileJsonPath } from '../../src/policy/json-path.ts'

const route: Json = {
  spec: {
    hosts: ['reviews', null, 'ratings'],
    http: [
      { name: 'a', route: [{ weight: 90 }, { weight: 10 }] },
      { name: 'b', route: null },
      { redirect: { uri: '/' } },
    ],
    portLevelMtls: { '8080': { mode: 'STRICT' }, '8443': null },
    empty: {},
  },
  metadata: { labels: { 'istio.io/rev': 'canary', constructor: 'x', 'a,b': 'y', "it's": 'z' } },
}

describe('what a path picks', () => {
  test.each([
    ['the object itself', '$', ['']],
    ['a field', '$.spec.empty', ['spec.empty']],
    ['every item of a list, null left out', '$.spec.hosts[*]', ['spec.hosts[0]', 'spec.hosts[2]']],
    ['one item', '$.spec.hosts[2]', ['spec.hosts[2]']],
    ['no item that is null', '$.spec.hosts[1]', []],
    ['no item beyond the end', '$.spec.hosts[9]', []],
    ['every member of a map, null left out', '$.spec.portLevelMtls.*', ['spec.portLevelMtls[8080]']],
    ['the same with brackets', '$.spec.portLevelMtls[*]', ['spec.portLevelMtls[8080]']],
    ['nothing in an empty map', '$.spec.empty.*', []],
    ['a list in a list', '$.spec.http[*].route[*]', ['spec.http[0].route[0]', 'spec.http[0].route[1]']],
    ['a field that only some items have', '$.spec.http[*].redirect', ['spec.http[2].redirect']],
    ['a key in quotes', "$.metadata.labels['istio.io/rev']", ['metadata.labels[istio.io/rev]']],
    [
      'a key of every object only where it is written',
      '$.metadata.labels.constructor',
      ['metadata.labels.constructor'],
    ],
    ['no key that only the prototype has', '$.metadata.labels.toString', []],
    ['no length of a list', '$.spec.hosts.length', []],
    ['digits that are a key of a map', '$.spec.portLevelMtls[8080,8443]', ['spec.portLevelMtls[8080]']],
    ['the same key alone', '$.spec.portLevelMtls[8080]', ['spec.portLevelMtls[8080]']],
    ['no digits that are no key of a map', '$.spec.portLevelMtls[0]', []],
    ['no key of a list', "$.spec.hosts['0']", []],
    ['nothing below a string', '$.spec.hosts[0].name', []],
    [
      'some keys',
      "$.metadata.labels['constructor','istio.io/rev']",
      ['metadata.labels.constructor', 'metadata.labels[istio.io/rev]'],
    ],
    ['a key with a comma', "$.metadata.labels['a,b']", ['metadata.labels[a,b]']],
    ['some indexes', '$.spec.http[0,2]', ['spec.http[0]', 'spec.http[2]']],
    ['each place once', '$.spec.http[0,0]', ['spec.http[0]']],
    ['a slice', '$.spec.http[0:2].name', ['spec.http[0].name', 'spec.http[1].name']],
    ['a slice from the end', '$.spec.hosts[-1:]', ['spec.hosts[2]']],
    ['a name at any depth', '$..weight', ['spec.http[0].route[0].weight', 'spec.http[0].route[1].weight']],
    ['a name at any depth, null left out', '$..route', ['spec.http[0].route']],
  ])('%s', (_, path, fields) => {
    expect(fieldsOf(path, route)).toEqual(fields)
  })

  test.each([
    ['null', null],
    ['a string', 'spec'],
    ['a number', 1],
    ['a list', [{ spec: {} }]],
    ['an empty object', {}],
  ])('nothing of %s', (_, root: Json) => {
    for (const path of ['$.spec', '$.spec.http[*]', '$..weight', '$.spec[0,1]'])
      expect(fieldsOf(path, root)).toEqual([])
  })

  test('keys that look like operators of the library are keys', () => {
    const root: Json = {
      '*': { b: 0 },
      '^': { b: 1 },
      '~': [{ b: 2 }],
      '@string()': { '^': { b: 3 } },
      '\uE000^': { b: 4 },
      '': { b: 5 },
    }
    const found = select('$..b', root).map(({ path, value }) => [path, value])
    expect(found).toEqual([
      [['*', 'b'], 0],
      [['^', 'b'], 1],
      [['~', 0, 'b'], 2],
      [['@string()', '^', 'b'], 3],
      [['\uE000^', 'b'], 4],
      [['', 'b'], 5],
    ])
  })
})

describe('what is no path', () => {
  test.each([
    ['a path without $', 'spec.http', 0, 'a path starts with $, such as $.spec.http'],
    ['nothing', '', 0, 'a path starts with $, such as $.spec'],
    ['a filter', '$.spec.http[?(@.route)]', 11, 'a path only walks; write the condition in `when`, which is CEL'],
    ['a filter in the newer form', '$.spec[?@.a]', 6, 'a path only walks; write the condition in `when`, which is CEL'],
    ['a script', '$.spec[(@.length-1)]', 6, 'a path only walks; write the condition in `when`, which is CEL'],
    [
      'a filter below every place',
      '$..[?(@.route)]',
      1,
      'a path only walks; write the condition in `when`, which is CEL',
    ],
    [
      'a name that needs quotes',
      '$.metadata.labels.istio.io/rev',
      26,
      '"/rev" is no step; write .name, [\'a name\'], [0], [*] or ..name',
    ],
    ['an open bracket', '$.spec.http[', 11, '"[" is no index, key, list of either, slice or [*]'],
    ['a name in brackets without quotes', '$.spec[http]', 6, '"[http]" is no index, key, list of either, slice or [*]'],
    ['a negative index', '$.spec.http[-1]', 11, '"[-1]" is no index, key, list of either, slice or [*]'],
    ['a dot at the end', '$.spec.', 6, '"." is no step; write .name, [\'a name\'], [0], [*] or ..name'],
    ['three dots', '$...spec', 1, '"...spec" is no step; write .name, [\'a name\'], [0], [*] or ..name'],
    ['the parent operator', '$.spec^', 6, '"^" is no step; write .name, [\'a name\'], [0], [*] or ..name'],
    [
      'a list with a key that the library reads as an operator',
      "$['a','^']",
      1,
      "'^' cannot stand beside .., lists and slices; give it a path of its own",
    ],
  ])('%s', (_, path, offset, message) => {
    expect(compileJsonPath(path)).toEqual({ ok: false, offset, message })
  })

  test('such a key alone is one', () => {
    expect(fieldsOf("$['^']", { '^': 1 })).toEqual(['[^]'])
  })
})

describe('for any JSON', () => {
  const names = [
    'a',
    'b',
    'spec',
    '^',
    '~',
    '__proto__',
    'constructor',
    '0',
    'a b',
    'x,y',
    "it's",
    '*',
    '$',
    '@string()',
    '`a',
    '..',
    '',
  ]
  const key = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 3 }))
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 1, 'x', true),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    ),
  }))
  const step = fc.constantFrom(
    '.a',
    '.b',
    '.spec',
    '.*',
    '[*]',
    '[0]',
    '[1]',
    "['a b']",
    "['__proto__']",
    "['a','b']",
    '[0,1]',
    '[0:1]',
    '..a',
    '..*',
  )
  const path = fc.array(step, { maxLength: 4 }).map((steps) => `$${steps.join('')}`)

  test('a path picks what a plain walk over the object picks, each place once and none that is null', () => {
    fc.assert(
      fc.property(tree, path, (root, text) => {
        const targets = select(text, root)
        for (const target of targets) expect(valueAt(root, target.path)).toBe(target.value)
        expect(sorted(targets.map((target) => target.path))).toEqual(sorted(reference(root, text)))
      }),
      { numRuns: 5000 },
    )
  })
})

/** The places of a path by a plain walk: what the words say, without any care for speed. */
function reference(root: Json, text: string): readonly FieldPath[] {
  const steps = [...text.slice(1).matchAll(/\.\.(?:\w+|\*)|\.(?:\w+|\*)|\[[^\]]*\]/g)].map(([step]) => step)
  let places: readonly FieldPath[] = [[]]
  for (const step of steps) places = places.flatMap((place) => stepFrom(root, place, step))
  const unique = new Map(places.map((place) => [JSON.stringify(place), place]))
  return [...unique.values()].filter((place) => (valueAt(root, place) ?? null) !== null)
}

function stepFrom(root: Json, place: FieldPath, step: string): readonly FieldPath[] {
  if (step.startsWith('..')) return below(root, place).flatMap((inner) => stepFrom(root, inner, step.slice(1)))
  return children(root, place).filter((child) => picks(step, child.at(-1) ?? ''))
}

function picks(step: string, segment: string | number): boolean {
  if (step === '.*' || step === '[*]') return true
  if (step.startsWith('.')) return segment === step.slice(1)
  if (step === '[0:1]') return segment === 0
  if (step.startsWith("['"))
    return step
      .slice(2, -2)
      .split("','")
      .some((key) => key === segment)
  return step.slice(1, -1).split(',').includes(String(segment))
}

function children(root: Json, place: FieldPath): readonly FieldPath[] {
  const value = valueAt(root, place)
  if (typeof value !== 'object' || value === null) return []
  return Array.isArray(value)
    ? value.map((_, index) => [...place, index])
    : Object.keys(value).map((name) => [...place, name])
}

function below(root: Json, place: FieldPath): readonly FieldPath[] {
  return [place, ...children(root, place).flatMap((child) => below(root, child))]
}

function sorted(paths: readonly FieldPath[]): readonly string[] {
  return paths.map((place) => JSON.stringify(place)).toSorted()
}

function select(path: string, root: Json): readonly { readonly path: FieldPath; readonly value: Json }[] {
  const outcome = compileJsonPath(path)
  if (!outcome.ok) throw new Error(`${path}: ${outcome.message}`)
  return outcome.select(root)
}

function fieldsOf(path: string, root: Json): readonly string[] {
  return select(path, root).map((target) => formatPath(target.path))
}
