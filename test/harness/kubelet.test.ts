import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { writeAtomically, type VolumeFiles } from '../cluster/harness/kubelet/atomic-writer.ts'
import { chooseNode } from '../cluster/harness/kubelet/choose-node.ts'
import { expand } from '../cluster/harness/kubelet/container-environment.ts'
import { fieldValue, resourceValue } from '../cluster/harness/kubelet/field-reference.ts'
import { findImage, type Image } from '../cluster/harness/kubelet/image.ts'
import { mountScript } from '../cluster/harness/kubelet/mount-script.ts'

test.each([
  ['plain', 'plain'],
  ['$(A)', 'one'],
  ['$(A)$(B)', 'onetwo'],
  ['$(MISSING)', '$(MISSING)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$one'],
  ['$A ${A} $', '$A ${A} $'],
  ['$(A', '$(A'],
])('a reference to a variable: %s becomes %s', (text, expected) => {
  expect(expand(text, { A: 'one', B: 'two' })).toBe(expected)
})

const image: Image = { files: {}, entrypoint: [], command: [], environment: {}, workingDirectory: '/', user: 1 }

test.each([
  ['registry.test:5000/a/b:1.2', true],
  ['registry.test:5000/a/b', true],
  ['registry.test:5000/a/b:1.2@sha256:00ff', true],
  ['registry.test:5000/a/b@sha256:00ff', true],
  ['registry.test:5000/a/bc:1.2', false],
  ['registry.test/a/b:1.2', false],
])('the image of %s is known: %s', (reference, known) => {
  expect(findImage({ 'registry.test:5000/a/b': image }, reference)).toBe(known ? image : undefined)
})

describe('a folder written atomically', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshward-atomic-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const files = (contents: Readonly<Record<string, string>>): VolumeFiles =>
    new Map(Object.entries(contents).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o640 }]))
  const shown = (volume: string) =>
    Object.fromEntries(
      readdirSync(volume)
        .filter((name) => !name.startsWith('..'))
        .map((name) => [
          name,
          statSync(join(volume, name)).isDirectory() ? 'folder' : readFileSync(join(volume, name), 'utf8'),
        ]),
    )

  test('shows files through links, and swaps all of them with one rename', () => {
    const volume = join(folder, 'swap')
    writeAtomically(volume, files({ a: '1', 'deep/b': '2' }))
    expect(shown(volume)).toEqual({ a: '1', deep: 'folder' })
    expect(readlinkSync(join(volume, 'a'))).toBe('..data/a')
    expect(statSync(join(volume, 'deep/b')).mode & 0o777).toBe(0o640)
    const before = readlinkSync(join(volume, '..data'))
    writeAtomically(volume, files({ a: '3', c: '4' }))
    expect(shown(volume)).toEqual({ a: '3', c: '4' })
    expect(readlinkSync(join(volume, '..data'))).not.toBe(before)
    expect(readdirSync(volume).filter((name) => name.startsWith('..'))).toHaveLength(2)
  })

  test('stays as it is when nothing changed', () => {
    const volume = join(folder, 'same')
    writeAtomically(volume, files({ a: '1', 'deep/b': '2' }))
    const before = readlinkSync(join(volume, '..data'))
    writeAtomically(volume, files({ 'deep/b': '2', a: '1' }))
    expect(readlinkSync(join(volume, '..data'))).toBe(before)
    writeAtomically(volume, files({ a: '1' }))
    expect(shown(volume)).toEqual({ a: '1' })
  })

  test('can be empty', () => {
    const volume = join(folder, 'empty')
    mkdirSync(volume)
    writeAtomically(volume, files({}))
    expect(shown(volume)).toEqual({})
  })
})

test.each([
  ["metadata.labels['app']", 'shop'],
  ["metadata.annotations['none']", ''],
  ['metadata.labels', 'app="shop"\nz="\\"q\\""'],
  ['spec.serviceAccountName', 'default'],
  ['status.podIP', '10.200.0.7'],
])('the field %s of a pod is %s', (fieldPath, value) => {
  const pod = { metadata: { name: 'p', labels: { z: '"q"', app: 'shop' } }, spec: { containers: [] } }
  expect(fieldValue({ fieldPath }, pod, { address: '10.200.0.7', hostAddress: '10.200.0.1' })).toBe(value)
})

test('a field that containers cannot refer to is an error', () => {
  expect(() => fieldValue({ fieldPath: 'spec.hostname' }, {}, { address: '', hostAddress: '' })).toThrow(
    'spec.hostname',
  )
})

test.each([
  ['limits.memory', '1Mi', '128'],
  ['limits.memory', undefined, '134217728'],
  ['requests.cpu', '1m', '250'],
  ['requests.cpu', undefined, '1'],
  ['limits.cpu', '1', '2'],
])('the resource %s in units of %s is %s', (resource, divisor, value) => {
  const resources = { limits: { memory: '128Mi' }, requests: { cpu: '250m' } }
  const selector = { resource, ...(divisor === undefined ? {} : { divisor }) }
  expect(resourceValue(selector, { name: 'c', resources })).toBe(value)
})

describe('the node for a pod', () => {
  const node = (name: string, more: { labels?: Record<string, string>; unschedulable?: boolean } = {}) => ({
    metadata: { name, labels: more.labels ?? {} },
    spec: { unschedulable: more.unschedulable ?? false },
  })
  const pod = (nodeName: string | undefined, app: string, nodeSelector?: Record<string, string>) => ({
    metadata: { labels: { app } },
    spec: {
      containers: [],
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
    },
  })
  const zoned = node('b', { labels: { zone: 'z' } })

  test.each([
    ['the emptier one', pod(undefined, 'x'), [node('a'), zoned], [pod('a', 'y')], 'b'],
    [
      'the one without a replica of it, however full',
      pod(undefined, 'x'),
      [node('a'), zoned],
      [pod('a', 'x'), pod('b', 'y'), pod('b', 'y')],
      'b',
    ],
    [
      'the one with the labels it selects',
      pod(undefined, 'x', { zone: 'z' }),
      [node('a'), zoned],
      [pod('b', 'x')],
      'b',
    ],
    [
      'not one that is cordoned',
      pod(undefined, 'x'),
      [node('a', { unschedulable: true }), zoned],
      [pod('b', 'x')],
      'b',
    ],
    ['none, when none fits', pod(undefined, 'x', { zone: 'other' }), [node('a'), zoned], [], undefined],
  ])('is %s', (_title, waiting, nodes, pods, expected) => {
    expect(chooseNode(waiting, nodes, pods)).toBe(expected)
  })
})

test('a mount script quotes every path, mounts outer paths first, and closes the root last', () => {
  const script = mountScript({
    root: "/srv/it's/root",
    mounts: [
      { source: '/data/in ner', target: '/scratch/inner', readOnly: false },
      { source: '/data/outer', target: '/scratch', readOnly: true },
    ],
    hostname: 'pod',
    user: 7,
    readOnlyRoot: true,
    doneFile: '/srv/done',
  })
  const lines = script.split('\n')
  const at = (text: string) => lines.findIndex((line) => line.includes(text))
  expect(lines[1]).toBe(`mount -t tmpfs -o mode=0755 tmpfs '/srv/it'\\''s/root'`)
  expect(lines[at("'/data/in ner'")]).toContain(`mount --bind '/data/in ner' '/srv/it'\\''s/root/scratch/inner'`)
  expect(at("'/data/outer'")).toBeLessThan(at("'/data/in ner'"))
  expect(at("'/data/in ner'")).toBeLessThan(at('mount -o remount,ro'))
  expect(lines.slice(-3)).toEqual([`: > '/srv/done'`, 'exec "$@"', ''])
})
