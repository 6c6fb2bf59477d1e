import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'

import { isList, isObject, type Json } from '../../src/kube/json.ts'
import { applySplices, rewriteSource } from '../../src/kube/rewrite-source.ts'
import { parseYamlDocuments, type YamlDocument } from '../../src/kube/yaml-document.ts'

function only(text: string): YamlDocument {
  const [outcome] = parseYamlDocuments(text)
  if (outcome?.ok !== true) throw new Error(`${outcome?.error.message}\n${text}`)
  return outcome.document
}

function rewrite(text: string, value: Json): string {
  return applySplices(text, rewriteSource(text, only(text).root, value))
}

const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json; scalar: Json }>((tie) => ({
  scalar: fc.oneof(
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      -1,
      1.5,
      '',
      'x',
      'yes',
      '0777',
      'a: b',
      ' lead',
      'a #b',
      '2001:db8::',
      '*',
      '1e3',
      'two\nlines\n',
      "it's",
      '{{ x }}',
    ),
    fc.string(),
    fc.integer(),
  ),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('scalar'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('a', 'b', 'mode', 'sidecar.istio.io/inject', '8443', '__proto__', 'on'), fc.string()),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value

interface Edit {
  readonly steps: readonly number[]
  readonly kind: 'set' | 'remove' | 'insert'
  readonly value: Json
}

const edit: fc.Arbitrary<Edit> = fc.record({
  steps: fc.array(fc.nat(6), { maxLength: 4 }),
  kind: fc.constantFrom('set', 'remove', 'insert'),
  value: json,
})

function applyEdit(value: Json, { steps, kind, value: other }: Edit): Json {
  const [step, ...rest] = steps
  if (isList(value) && value.length > 0 && step !== undefined) {
    const index = step % value.length
    if (rest.length > 0) return value.with(index, applyEdit(value[index] ?? null, { steps: rest, kind, value: other }))
    return kind === 'remove' ? value.toSpliced(index, 1) : value.toSpliced(index, kind === 'set' ? 1 : 0, other)
  }
  if (isObject(value) && step !== undefined) {
    const keys = Object.keys(value)
    const key = keys[step % Math.max(keys.length, 1)]
    const entries = Object.entries(value)
    if (kind === 'insert' && rest.length === 0) return Object.fromEntries([...entries, [`new-${step}`, other]])
    if (key === undefined) return value
    if (kind === 'remove' && rest.length === 0) return Object.fromEntries(entries.filter(([name]) => name !== key))
    return Object.fromEntries(
      entries.map(([name, member]) => [
        name,
        name === key ? applyEdit(member ?? null, { steps: rest, kind, value: other }) : member,
      ]),
    )
  }
  return other
}

const texts = [
  ['block style', (value: Json) => stringify(value, { lineWidth: 0, version: '1.1', singleQuote: true })],
  [
    'lists beside their keys',
    (value: Json) => stringify(value, { lineWidth: 0, version: '1.1', indentSeq: false, indent: 4 }),
  ],
  ['flow style', (value: Json) => stringify(value, { collectionStyle: 'flow', version: '1.1', lineWidth: 60 })],
  ['JSON on one line', (value: Json) => JSON.stringify(value)],
  ['JSON indented by tabs', (value: Json) => JSON.stringify(value, null, '\t')],
] as const

describe('rewriting a text', () => {
  test.each(texts)('any value in %s becomes any other, and nothing else', (_, write) => {
    fc.assert(
      fc.property(json, fc.array(edit, { maxLength: 4 }), (before, edits) => {
        const text = write(before)
        const [outcome] = parseYamlDocuments(text)
        fc.pre(outcome?.ok === true)
        const after: Json = JSON.parse(JSON.stringify(edits.reduce(applyEdit, outcome.document.value)))
        const result = applySplices(text, rewriteSource(text, outcome.document.root, after))
        const [reread] = parseYamlDocuments(result)
        expect(reread?.ok === true ? reread.document.value : (reread ?? null), `${text}\n=>\n${result}`).toStrictEqual(
          after,
        )
      }),
      { numRuns: 1000 },
    )
  })

  test.each<readonly [name: string, before: string, value: (old: Json) => Json, after: string]>([
    [
      'a scalar keeps its comment and its quotes',
      "mode: 'PERMISSIVE'   # for now\n",
      () => ({ mode: 'STRICT' }),
      "mode: 'STRICT'   # for now\n",
    ],
    ['a text that would read as something else is quoted', 'a: x\n', () => ({ a: 'yes' }), 'a: "yes"\n'],
    ['octals are quoted, since Kubernetes reads them as numbers', 'a: x\n', () => ({ a: '0777' }), 'a: "0777"\n'],
    ['a number needs no quotes', 'a: "x" # n\n', () => ({ a: 3 }), 'a: 3 # n\n'],
    [
      'a new field comes last in its map, below the comment of the line before',
      'spec:\n  # who\n  host: reviews # the service\n\n# end\n',
      (old) => set(old, ['spec', 'timeout'], '15s'),
      'spec:\n  # who\n  host: reviews # the service\n  timeout: 15s\n\n# end\n',
    ],
    [
      'a new map is indented as the others are',
      'metadata:\n    name: a\nspec:\n    http:\n    - route: []\n',
      (old) => set(old, ['spec', 'pool'], { tcp: { maxConnections: 1 }, hosts: ['a'] }),
      'metadata:\n    name: a\nspec:\n    http:\n    - route: []\n    pool:\n        tcp:\n            maxConnections: 1\n        hosts:\n        - a\n',
    ],
    ['a removed field takes its line along', 'a: 1\nb: 2 # why\nc: 3\n', () => ({ a: 1, c: 3 }), 'a: 1\nc: 3\n'],
    ['the last field is removed without a trace', 'a: 1\nb:\n  c: 2', () => ({ a: 1 }), 'a: 1'],
    ['the first field of an item leaves the dash', '- a: 1\n  b: 2\n', () => [{ b: 2 }], '- b: 2\n'],
    [
      'what is emptied says so',
      'spec:\n  tls:\n    mode: DISABLE\n',
      () => ({ spec: { tls: {} } }),
      'spec:\n  tls: {}\n',
    ],
    [
      'an empty map is filled in block style',
      'spec: {} # later\n',
      () => ({ spec: { a: 1 } }),
      'spec:\n  a: 1 # later\n',
    ],
    [
      'a field without value gets one',
      'spec:\nkind: A\n',
      () => ({ spec: { a: 1 }, kind: 'A' }),
      'spec:\n  a: 1\nkind: A\n',
    ],
    [
      'flow maps stay on their line',
      'tls: { mode: "DISABLE", sni: a } # x\n',
      () => ({ tls: { mode: 'SIMPLE', sni: 'a', v: 1 } }),
      'tls: { mode: "SIMPLE", sni: a, v: 1 } # x\n',
    ],
    ['the only field of a flow map leaves an empty one', 'tls: { mode: A }\n', () => ({ tls: {} }), 'tls: {}\n'],
    [
      'an item goes with its line',
      'h:\n  - a # 1\n  - b # 2\n  - c # 3\n',
      () => ({ h: ['a', 'c'] }),
      'h:\n  - a # 1\n  - c # 3\n',
    ],
    ['an item comes in its place', 'h:\n- a\n- c\n', () => ({ h: ['a', 'b', 'c'] }), 'h:\n- a\n- b\n- c\n'],
    [
      'Windows line breaks stay what they are',
      'a:\r\n  b: 1\r\n',
      () => ({ a: { b: 1, c: 2 } }),
      'a:\r\n  b: 1\r\n  c: 2\r\n',
    ],
    [
      'an alias is written out where it changes',
      'a: &x { m: 1 }\nb: *x\n',
      () => ({ a: { m: 1 }, b: { m: 2 } }),
      'a: &x { m: 1 }\nb:\n  m: 2\n',
    ],
    [
      'a merged field is overridden where it is used',
      'a: &x { m: 1 }\nb:\n  <<: *x\n',
      () => ({ a: { m: 1 }, b: { m: 2 } }),
      'a: &x { m: 1 }\nb:\n  <<: *x\n  m: 2\n',
    ],
    ['an anchor stays at its value', 'a: &x 1\nb: *x\n', () => ({ a: 2, b: 2 }), 'a: &x 2\nb: 2\n'],
    [
      'JSON stays JSON',
      '{\n\t"a": {\n\t\t"b": "c"\n\t}\n}\n',
      () => ({ a: { b: 'yes', d: { e: [1] } } }),
      '{\n\t"a": {\n\t\t"b": "yes",\n\t\t"d": {\n\t\t\t"e": [\n\t\t\t\t1\n\t\t\t]\n\t\t}\n\t}\n}\n',
    ],
    ['nothing changes where nothing differs', "a:   'x'\n\n\nb: [ 1,2 ]", (old) => old, "a:   'x'\n\n\nb: [ 1,2 ]"],
  ])('%s', (_, before, value, after) => {
    expect(rewrite(before, value(only(before).value))).toBe(after)
  })
})

function set(value: Json, [key = '', ...rest]: readonly string[], to: Json): Json {
  if (!isObject(value)) return to
  return { ...value, [key]: rest.length === 0 ? to : set(value[key] ?? null, rest, to) }
}
