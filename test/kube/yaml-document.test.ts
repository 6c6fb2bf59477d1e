import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'

import type { FieldPath } from '../../src/kube/field-path.ts'
import type { Json } from '../../src/kube/json.ts'
import { parseYamlDocuments, type YamlDocument, type YamlError } from '../../src/kube/yaml-document.ts'

const MIB = 1024 * 1024

function values(text: string): readonly unknown[] {
  return parseYamlDocuments(text).map((outcome) => (outcome.ok ? outcome.document.value : outcome.error))
}

function only(text: string): YamlDocument {
  const [outcome] = parseYamlDocuments(text)
  if (outcome?.ok !== true) throw new Error(outcome?.error.message ?? 'no document')
  return outcome.document
}

function error(code: YamlError['code'], line: number, column: number, message: string): YamlError {
  return { code, line, column, message }
}

describe('values are what Kubernetes reads (sigs.k8s.io/yaml v1.6.0)', () => {
  test.each<readonly [text: string, value: Json]>([
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['N', false],
    ['oN', 'oN'],
    ['TRUE', true],
    ['tRue', 'tRue'],
    ['~', null],
    ['NULL', null],
    ['nULL', 'nULL'],
    ['0777', 511],
    ['0o777', 511],
    ['-0777', -511],
    ['08', 8],
    ['0o8', '0o8'],
    ['0b11', 3],
    ['0x1F', 31],
    ['1_000', 1000],
    ['_1', '_1'],
    ['.5_5', 0.55],
    ['60:30', '60:30'],
    ['190:20:30.15', '190:20:30.15'],
    ['1e3', 1000],
    ['5.', 5],
    ['.e1', '.e1'],
    ['1e400', '1e400'],
    ['2001-12-14', '2001-12-14'],
    ['18446744073709551615', 2 ** 64],
    ['0x1FFFFFFFFFFFFFFFF', '0x1FFFFFFFFFFFFFFFF'],
    ['!!str 12', '12'],
    ['!!int "12"', 12],
    ['!!bool "yes"', true],
    ['! 12', '12'],
    ['"yes"', 'yes'],
    ["'0777'", '0777'],
    ['|\n  two\n  lines\n', 'two\nlines\n'],
    ['>-\n  one\n  line\n', 'one line'],
    ['|\n  cut off', 'cut off'],
    ['[2001:db8::, b]', ['2001:db8::', 'b']],
    ['{ host: 2001:db8::, c: d }', { host: '2001:db8::', c: 'd' }],
    ['["quoted":]', [{ quoted: null }]],
    ['{a, b: c}', { a: null, b: 'c' }],
  ])('a: %s', (text, value) => {
    expect(values(`a: ${text}`)).toStrictEqual([{ a: value }])
  })

  test.each<readonly [name: string, text: string, value: Json]>([
    ['keys become text', '1: a\n0x10: b\nyes: c\n', { 1: 'a', 16: 'b', true: 'c' }],
    [
      'a merge fills what comes after',
      'a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}',
      { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } },
    ],
    [
      'a merge overrides what came before',
      'a: &x {b: 1, c: 2}\nd: {c: 3, <<: *x}',
      { a: { b: 1, c: 2 }, d: { c: 2, b: 1 } },
    ],
    [
      'of several merged maps the first wins',
      'a: &x {b: 1}\ne: &y {b: 2, f: 3}\nd: {<<: [*x, *y]}',
      { a: { b: 1 }, e: { b: 2, f: 3 }, d: { b: 1, f: 3 } },
    ],
    ['a quoted << is a key', 'd: {"<<": {b: 1}}', { d: { '<<': { b: 1 } } }],
    ['a lone << is a text', 'd: <<', { d: '<<' }],
    ['an anchor may be set anew', 'a: &x 1\nb: &x 2\nc: *x', { a: 1, b: 2, c: 2 }],
    ['a carriage return ends a line, and so a comment', '# c\rkind: A', { kind: 'A' }],
    ['so does a next-line character', '# c\u0085kind: A', { kind: 'A' }],
    ['a byte order mark is no content', '\uFEFFa: 1', { a: 1 }],
    ['JSON may have one too', '\uFEFF{"a": 1}', { a: 1 }],
    ['JSON knows its own escapes', '{"a": "\\ud83d\\ude00\\/"}', { a: '😀/' }],
    ['JSON indented by tabs', '{\n\t"a": [\n\t\t1\n\t]\n}', { a: [1] }],
    ['a top-level list', '- a\n- b', ['a', 'b']],
  ])('%s', (_, text, value) => {
    expect(values(text)).toStrictEqual([value])
  })

  test('__proto__ and constructor are keys like others, in YAML, in merges and in JSON', () => {
    const expected: Json = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}')
    expect(values('__proto__: {a: 1}\nconstructor: 2')).toStrictEqual([expected])
    expect(values('<<: {__proto__: {a: 1}, constructor: 2}')).toStrictEqual([expected])
    expect(values('{"__proto__": {"a": 1}, "constructor": 2}')).toStrictEqual([expected])
    expect({}).not.toHaveProperty('a')
  })

  test('what a library writes is read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json: Json = JSON.parse(JSON.stringify({ value }))
        expect(values(JSON.stringify(json))).toStrictEqual([json])
        expect(
          values(stringify(json, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' })),
        ).toStrictEqual([json])
      }),
    )
  })
})

describe('a stream', () => {
  test.each<readonly [name: string, text: string, expected: readonly unknown[]]>([
    ['nothing at all', '', []],
    ['comments and blank documents only', '# a\n---\n# b\n---\n\n...\n---\n~\n', []],
    [
      'documents in order, empty ones left out',
      '---\n# none\n---\na: 1\n---\nb: 2\n...\n---\nc: 3\n',
      [{ a: 1 }, { b: 2 }, { c: 3 }],
    ],
    ['what comes after an end marker is read as well', 'a: 1\n...\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    [
      'a broken document leaves the others alone',
      'a: 1\n---\nb: [1\n---\nc: 3\n',
      [
        { a: 1 },
        error('DOC-01', 3, 6, 'a bracket is not closed here; write ], and indent what stands between the brackets'),
        { c: 3 },
      ],
    ],
    [
      'a line of three dashes ends a text that is not closed',
      'a: "x\n---\nb: 2\n',
      [error('DOC-01', 1, 6, 'a quoted text is not closed, or one of its lines is not indented'), { b: 2 }],
    ],
    ['three dashes inside a line are no separator', 'a: x --- y\nb: ---\n', [{ a: 'x --- y', b: '---' }]],
  ])('%s', (_, text, expected) => {
    expect(values(text)).toStrictEqual(expected)
  })

  test('documents are numbered without the empty ones, broken ones included', () => {
    const outcomes = parseYamlDocuments('# head\n---\na: 1\n---\nb: [\n---\nc: 3\n')
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.document.index : outcome.index))).toStrictEqual([0, 1, 2])
  })
})

describe('what cannot be read says where and what to do', () => {
  test.each<readonly [text: string, expected: YamlError]>([
    ['a:\n\tb: 1', error('DOC-01', 2, 1, 'a tab indents this line; YAML allows spaces only')],
    [
      'a: b: c',
      error(
        'DOC-01',
        1,
        4,
        'a second ": " on one line; put quotes around a value that contains ": ", or check the indentation',
      ),
    ],
    ['a: 1\nb', error('DOC-01', 2, 1, 'this line is neither "key: value" nor "- item"')],
    ['a: @x', error('DOC-01', 1, 4, 'plain value cannot start with reserved character @; put the value in quotes')],
    [
      'a: "\\q"',
      error('DOC-01', 1, 5, 'invalid escape sequence \\q; write \\\\ for a backslash, or use single quotes'),
    ],
    ['a: "x', error('DOC-01', 1, 6, 'a quoted text is not closed, or one of its lines is not indented')],
    ['a: x\u0007', error('DOC-01', 1, 5, 'the invisible character U+0007 is not allowed here; remove it')],
    ['# c\n%YAML 1.1\n---\na: 1', error('DOC-01', 2, 1, 'kubectl reads no % directives; remove this line')],
    [
      'a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n',
      error('DOC-02', 5, 3, 'key "c" is written twice, in line 3 column 3 and line 5 column 3; keep one of them'),
    ],
    [
      '0x10: a\n16: b',
      error('DOC-02', 2, 1, 'key "16" is written twice, in line 1 column 1 and line 2 column 1; keep one of them'),
    ],
    [
      '{"a": 1,\n "b": {"a": 2}, "a": 3}',
      error('DOC-02', 2, 17, 'key "a" is written twice, in line 1 column 2 and line 2 column 17; keep one of them'),
    ],
    ['a: .inf', error('DOC-06', 1, 4, '.inf is a number that JSON cannot hold; put it in quotes if it is a text')],
    [
      'a: !!python/object x',
      error('DOC-06', 1, 20, 'the tag tag:yaml.org,2002:python/object means nothing to Kubernetes; remove it'),
    ],
    ['a: !!int x', error('DOC-06', 1, 10, '"x" is not of the type that its tag names')],
    ['~: a', error('DOC-06', 1, 1, 'a key must be a text, a whole number or a boolean; put it in quotes')],
    ['1.10: a', error('DOC-06', 1, 1, 'a key must be a text, a whole number or a boolean; put it in quotes')],
    ['? [a]\n: b', error('DOC-06', 1, 3, 'a key must be a text, a whole number or a boolean; put it in quotes')],
    ['a: *x', error('DOC-06', 1, 4, '*x refers to an anchor that is not set before it; write &x first')],
    ['a: &x [*x]', error('DOC-06', 1, 8, '*x stands inside the value that it refers to; remove it')],
    ['a: &b:c STRICT', error('DOC-06', 1, 9, 'the anchor "&b:c" may have letters, digits, _ and - only')],
    ['a: {<<: 5}', error('DOC-06', 1, 5, '<< takes a map, an alias to a map, or a list of them')],
    [
      'a: {{ .Values.x }}',
      error(
        'DOC-07',
        1,
        5,
        'this looks like a Helm template ({{ .Values.x }}); run `helm template` first and check what it prints',
      ),
    ],
    [
      '{{- if .x }}\na: 1\n{{- end }}',
      error(
        'DOC-07',
        1,
        3,
        'this looks like a Helm template ({{- if .x }}); run `helm template` first and check what it prints',
      ),
    ],
  ])('%j', (text, expected) => {
    expect(values(text)[0]).toStrictEqual(expected)
  })

  test('a template in quotes is a text like any other', () => {
    expect(values('a: "{{ .Values.x }}"')).toStrictEqual([{ a: '{{ .Values.x }}' }])
  })
})

describe('hostile texts end soon, with a reason', () => {
  const nested = (levels: number): string =>
    'a: &a0 [x]\n' + Array.from({ length: levels }, (_, i) => `a${i}: &a${i + 1} [*a${i}]\n`).join('')
  const laughs = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${Array(10)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join(', ')}]\n`,
  ).join('')
  test.each<readonly [name: string, text: string, code: YamlError['code']]>([
    ['a million brackets', '['.repeat(1e6), 'DOC-04'],
    ['a million closed brackets, which is JSON', '['.repeat(1e6) + ']'.repeat(1e6), 'DOC-04'],
    ['a million braces', '{"a":'.repeat(6e5) + '1' + '}'.repeat(6e5), 'DOC-04'],
    ['half a million dashes', '- '.repeat(5e5), 'DOC-04'],
    ['half a million question marks', '? '.repeat(5e5), 'DOC-04'],
    ['aliases that explode', laughs, 'DOC-05'],
    ['aliases that nest', nested(5000), 'DOC-04'],
    ['a document of 5 MiB', `a: ${'x'.repeat(5 * MIB)}`, 'DOC-03'],
    ['a JSON document of 5 MiB', JSON.stringify({ a: 'x'.repeat(5 * MIB) }), 'DOC-03'],
    ['a text of 10 MB in small documents', 'a: 1\n---\n'.repeat(1.2e6), 'DOC-03'],
    ['two million commas', `[${','.repeat(2e6)}`, 'DOC-03'],
    ['two million stray quotes', `a: ${'"'.repeat(2e6)}`, 'DOC-03'],
  ])('%s', (_, text, code) => {
    const [outcome, ...more] = parseYamlDocuments(text)
    expect(outcome).toMatchObject({ ok: false, error: { code } })
    expect(more).toStrictEqual([])
  })

  test('200 levels are read, 201 are not', () => {
    const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count)
    const yaml = (count: number): string => `${levels(count)} # not JSON`
    for (const write of [levels, yaml]) {
      expect(parseYamlDocuments(write(200))[0]?.ok).toBe(true)
      expect(parseYamlDocuments(write(201))[0]?.ok).toBe(false)
    }
  })
})

describe('places', () => {
  const manifest = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
spec:
  mtls:
    mode: PERMISSIVE
  portLevelMtls:
    8443: { mode: DISABLE }
  hosts: [a, b]
  list:
    - name: x
    - &second
      name: y
  again: *second
`
  test.each<readonly [path: FieldPath, line: number, column: number]>([
    [[], 1, 1],
    [['spec', 'mtls', 'mode'], 7, 11],
    [['spec', 'mtls'], 7, 5],
    [['spec', 'mtls', 'missing', 'deeper'], 7, 5],
    [['status'], 1, 1],
    [['spec', 'portLevelMtls', '8443', 'mode'], 9, 19],
    [['spec', 'hosts', 1], 10, 14],
    [['spec', 'hosts', 2], 10, 10],
    [['spec', 'list', 0], 12, 7],
    [['spec', 'list', 1, 'name'], 14, 13],
    [['spec', 'again', 'name'], 14, 13],
    [['spec', 'again'], 15, 10],
  ])('%j is in line %i, column %i', (path, line, column) => {
    expect(only(manifest).locate(path)).toStrictEqual({ line, column })
  })

  test('a merged field is where it is written', () => {
    const document = only('base: &b\n  mode: A\nuse:\n  <<: *b\n  other: 1\n')
    expect(document.locate(['use', 'mode'])).toStrictEqual({ line: 2, column: 9 })
  })

  test('documents further down count from the top of the file', () => {
    const outcome = parseYamlDocuments('a: 1\n---\r\n# c\nb:\n  c: 2\n')[1]
    expect(outcome?.ok === true && outcome.document.locate(['b', 'c'])).toStrictEqual({ line: 5, column: 6 })
  })

  test('every scalar that is written in JSON is found where it stands', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify({ value }, null, indent)
        const lines = text.split('\n')
        const document = only(text)
        for (const { path, scalar } of scalarsOf(document.value, [])) {
          const { line, column } = document.locate(path)
          const written = JSON.stringify(scalar)
          expect(lines[line - 1]?.slice(column - 1, column - 1 + written.length)).toBe(written)
        }
      }),
    )
  })

  test.each<readonly [name: string, text: string, needle: string, line: number, column: number]>([
    ['plain', 'e: has(a) && b\n', 'b', 1, 14],
    ['plain over lines', 'e: has(a)\n  && b\n', 'b', 2, 6],
    ['single quotes', "e: 'it''s b'\n", 'b', 1, 11],
    ['double quotes', 'e: "a\\t\\u0041\\U0001F600b"\n', 'b', 1, 24],
    ['double quotes over lines', 'e: "a \\\n    b"\n', 'b', 2, 5],
    ['a literal block', 'e: |-\n  a\n    && b\n', 'b', 3, 8],
    ['a folded block', 'e: >-\n  a\n  && c\n\n  b\n', 'b', 5, 3],
    ['JSON', '{"e": "a\\n\\"b"}', 'b', 1, 13],
  ])('a character of a text in %s is found in the file', (_, text, needle, line, column) => {
    const document = only(text)
    const decoded = new Map(Object.entries(Object(document.value))).get('e')
    expect(document.locateInScalar(['e'], String(decoded).indexOf(needle))).toStrictEqual({ line, column })
  })

  test('every character that is not white space is found, whatever the style', () => {
    const styles = ['PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', ' ', '\n', '"', "'", '\\', '😀', ':', '#') }),
        fc.constantFrom(...styles),
        (text, style) => {
          const written = stringify({ e: text }, { defaultStringType: style, lineWidth: 20 })
          const document = only(written)
          fc.pre(JSON.stringify(document.value) === JSON.stringify({ e: text }))
          const lines = written.split('\n')
          for (const [index, character] of [...text.matchAll(/[ab:#]/g)].map(
            (match) => [match.index, match[0]] as const,
          )) {
            const { line, column } = document.locateInScalar(['e'], index)
            expect(lines[line - 1]?.[column - 1], `${index} of ${written}`).toBe(character)
          }
        },
      ),
    )
  })
})

function scalarsOf(value: Json, path: FieldPath): readonly { readonly path: FieldPath; readonly scalar: Json }[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => scalarsOf(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return [{ path, scalar: value }]
  return Object.entries(value).flatMap(([key, member]) => scalarsOf(member ?? null, [...path, key]))
}
