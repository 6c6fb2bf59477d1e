import { describe, expect, test } from 'vitest'

import { formatPath } from '../../src/kube/field-path.ts'
import { nameOf } from '../../src/kube/object.ts'
import { locateField, readManifests, type SourceText } from '../../src/sources/manifests.ts'

function named(text: string): SourceText {
  return { file: 'a.yaml', text, origin: 'named' }
}

/** What was read, each object as `document/item kind name at path`. */
function read(...texts: readonly SourceText[]): readonly string[] {
  const { manifests, errors, notes } = readManifests(texts)
  return [
    ...manifests.map(({ object, place, path }) => {
      const where = place.item === undefined ? `${place.document}` : `${place.document}/${place.item}`
      return `${where} ${object.apiVersion} ${object.kind} ${nameOf(object)} at "${formatPath(path)}"`
    }),
    ...errors.map(({ code, document, item, line, message }) => `${code} ${document}/${item} line ${line}: ${message}`),
    ...notes,
  ]
}

describe('what counts as a manifest', () => {
  test.each<readonly [name: string, text: string, expected: readonly string[]]>([
    [
      'every document with apiVersion and kind',
      'apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n---\napiVersion: b/v1\nkind: B\n',
      ['0 v1 A a at ""', '1 b/v1 B  at ""'],
    ],
    [
      'the items of a List',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: B}\n',
      ['0/0 v1 A a at "items[0]"', '0/1 v1 B  at "items[1]"'],
    ],
    [
      'the items of a typed list, which leave out their kind',
      'apiVersion: networking.istio.io/v1\nkind: GatewayList\nitems:\n- {metadata: {name: a}}\n',
      ['0/0 networking.istio.io/v1 Gateway a at "items[0]"'],
    ],
    [
      'lists in lists, by the outermost item',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n- apiVersion: v1\n  kind: List\n  items: [{apiVersion: v1, kind: B}]\n',
      ['0/0 v1 A  at "items[0]"', '0/1 v1 B  at "items[1].items[0]"'],
    ],
    ['a list without items is nothing', 'apiVersion: v1\nkind: List\nitems: []\n', []],
    [
      'a kind that only ends in List is an object where it has no items',
      'apiVersion: v1\nkind: AllowList\n',
      ['0 v1 AllowList  at ""'],
    ],
    [
      'an item without kind',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1}\n- null\n',
      [
        'DOC-08 0/0 line 4: item 0 of this List: an object of apiVersion "v1" without kind; write apiVersion and kind',
        'DOC-08 0/1 line 5: item 1 of this List: this is no Kubernetes object; write apiVersion and kind',
      ],
    ],
    [
      'a list at the top',
      '- a\n',
      ['DOC-08 0/undefined line 1: this is no Kubernetes object; write apiVersion and kind, or leave this file out'],
    ],
    [
      'a broken document keeps its number',
      'apiVersion: v1\nkind: A\n---\na: [\n---\napiVersion: v1\nkind: C\n',
      [
        '0 v1 A  at ""',
        '2 v1 C  at ""',
        'DOC-01 1/undefined line 4: a bracket is not closed here; write ], and indent what stands between the brackets',
      ],
    ],
  ])('%s', (_, text, expected) => {
    expect(read(named(text))).toStrictEqual(expected)
  })

  test('what lies in a folder and is no manifest is passed over with a note', () => {
    expect(read({ file: 'values.yaml', text: 'a: 1\n---\nb: 2\n', origin: 'found' })).toStrictEqual([
      'values.yaml: no apiVersion and kind, so no Kubernetes object; passed over',
      'values.yaml (document 1): no apiVersion and kind, so no Kubernetes object; passed over',
    ])
  })

  test('a step is counted for each text', () => {
    let steps = 0
    readManifests([named(''), named('a: [')], () => {
      steps += 1
    })
    expect(steps).toBe(2)
  })
})

test('fields of items are found in the file', () => {
  const [, second] = readManifests([
    named(
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n- apiVersion: v1\n  kind: B\n  spec:\n    a: 1\n',
    ),
  ]).manifests
  expect(second && [locateField(second, ['spec', 'a']), locateField(second, ['spec', 'b'])]).toStrictEqual([
    { line: 8, column: 8 },
    { line: 8, column: 5 },
  ])
})
