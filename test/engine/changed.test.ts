import { expect, describe, test } from 'vitest'

import { FILLED_ANNOTATION, hasChanged } from '../../src/engine/changed.ts'
import type { JsonObject } from '../../src/kube/json.ts'

const metadata: JsonObject = {
  name: 'a',
  labels: { app: 'a' },
  annotations: { note: 'x' },
  resourceVersion: '1',
  generation: 1,
}

const object: JsonObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata,
  spec: { servers: [{ hosts: ['a'], port: { number: 443 } }] },
  status: { ready: false },
}

function withMetadata(changes: JsonObject): JsonObject {
  return { ...object, metadata: { ...metadata, ...changes } }
}

describe('nothing that is judged has changed', () => {
  test.each<[string, JsonObject]>([
    ['by nothing at all', { ...object }],
    ['by the order of keys', Object.fromEntries(Object.entries(object).toReversed())],
    ['by the status', { ...object, status: { ready: true } }],
    ['by a finalizer', withMetadata({ finalizers: ['a'] })],
    ['by what the API server counts', withMetadata({ resourceVersion: '2', generation: 2, managedFields: [{}] })],
    ['by the start of a deletion', withMetadata({ deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['by another version of the kind', { ...object, apiVersion: 'networking.istio.io/v1beta1' }],
    [
      'by what kubectl applied last',
      withMetadata({ annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
    ],
    ['by our own record', withMetadata({ annotations: { note: 'x', [FILLED_ANNOTATION]: '[]' } })],
  ])('%s', (_, changed) => {
    expect([hasChanged(changed, object), hasChanged(object, changed)]).toEqual([false, false])
  })

  test('by labels and annotations that are absent, null or empty', () => {
    const bare = { kind: 'Gateway', metadata: {} }
    for (const nothing of [null, {}]) {
      expect(hasChanged({ kind: 'Gateway', metadata: { labels: nothing, annotations: nothing } }, bare)).toBe(false)
    }
  })
})

describe('something has', () => {
  test.each<[string, JsonObject]>([
    ['in the spec', { ...object, spec: { servers: [{ hosts: ['b'], port: { number: 443 } }] } }],
    ['in the order of a list', { ...object, spec: { servers: [{ hosts: ['a'], port: { number: 443 } }, {}] } }],
    ['by the spec that went', { ...object, spec: undefined }],
    ['beside the spec, as kinds without one have it', { ...object, data: { mesh: '' } }],
    ['by a label', withMetadata({ labels: { app: 'b' } })],
    ['by labels that went', withMetadata({ labels: null })],
    ['by an annotation', withMetadata({ annotations: { note: 'x', dryRun: 'true' } })],
    ['by an annotation of an odd name', withMetadata({ annotations: { note: 'x', constructor: 'y' } })],
    ['by an annotation that went', withMetadata({ annotations: {} })],
  ])('%s', (_, changed) => {
    expect([hasChanged(changed, object), hasChanged(object, changed)]).toEqual([true, true])
  })

  test('by an annotation called __proto__', () => {
    const odd: JsonObject = JSON.parse('{ "metadata": { "annotations": { "__proto__": "x" } } }')
    expect(hasChanged(odd, { metadata: { annotations: {} } })).toBe(true)
  })
})

test.each<[string, JsonObject]>([
  ['no metadata', {}],
  ['metadata that is none', { metadata: 'x' }],
  ['labels that are a list', { metadata: { labels: ['a'], annotations: 5 } }],
])('an object with %s has not changed against itself', (_, odd) => {
  expect(hasChanged(odd, structuredClone(odd))).toBe(false)
})
