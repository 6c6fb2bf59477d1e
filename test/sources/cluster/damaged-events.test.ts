import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Json, JsonObject } from '../../../src/kube/json.ts'
import { KINDS } from '../../../src/mesh/kinds.ts'
import { watchMesh, type ClusterMesh } from '../../../src/sources/cluster/cluster-mesh.ts'
import { anyJson } from '../../policies/any-object.ts'
import { startFakeApiServer, type FakeApiServer } from './fake-api-server.ts'

// What an API server never sends, or what its schemas allow: taken or left out, counted, and never thrown at.

const versioned = (name: string, resourceVersion: Json, uid: Json = `uid-${name}`): JsonObject => ({
  metadata: { namespace: 'shop', name, uid, resourceVersion },
  spec: { hosts: [name] },
})

let server: FakeApiServer
let mesh: ClusterMesh
let taken: number

beforeEach(async () => {
  server = await startFakeApiServer()
})
afterEach(async () => {
  mesh.stop()
  await server.close()
})

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 })
const watching = async (...items: readonly JsonObject[]): Promise<void> => {
  server.pages = [{ items, next: '' }]
  const { api, watch } = server
  taken = 0
  mesh = watchMesh({
    api,
    watch,
    kinds: new Set([KINDS.virtualService]),
    now: Date.now,
    pause: 20,
    random: () => 0.5,
    changed: (_, object) => {
      if (object !== undefined) taken += 1
    },
  })
  await until(() => mesh.hasSynced() && server.openWatches() === 1)
}
const known = (): readonly string[] =>
  mesh
    .current()
    .all(KINDS.virtualService)
    .map(
      ({ metadata: { name, resourceVersion } }) =>
        `${name} ${typeof resourceVersion === 'string' ? resourceVersion : ''}`,
    )
const leftOut = () => mesh.status()[0]?.leftOut
/** Waits until everything that was sent before has been looked at. */
const settled = async (): Promise<void> => {
  server.send('ADDED', versioned('last', '900'))
  await until(() => known().includes('last 900'))
}

describe('an event', () => {
  it.each<{ what: string; type: string; object: Json; after: readonly string[]; leaves: number }>([
    {
      what: 'with a newer version is taken',
      type: 'MODIFIED',
      object: versioned('a', '51'),
      after: ['a 51'],
      leaves: 0,
    },
    {
      what: 'with the version that is known is taken',
      type: 'MODIFIED',
      object: versioned('a', '50'),
      after: ['a 50'],
      leaves: 0,
    },
    {
      what: 'with an older version is left out',
      type: 'MODIFIED',
      object: versioned('a', '49'),
      after: ['a 50'],
      leaves: 1,
    },
    {
      what: 'with an older version of fewer digits is left out',
      type: 'ADDED',
      object: versioned('a', '9'),
      after: ['a 50'],
      leaves: 1,
    },
    {
      what: 'of an object that was made anew is taken, whatever its version',
      type: 'ADDED',
      object: versioned('a', '9', 'other'),
      after: ['a 9'],
      leaves: 0,
    },
    {
      what: 'whose version is no number is taken',
      type: 'MODIFIED',
      object: versioned('a', 'x'),
      after: ['a x'],
      leaves: 0,
    },
    {
      what: 'of a deletion takes the object away',
      type: 'DELETED',
      object: versioned('a', '60'),
      after: [],
      leaves: 0,
    },
    {
      what: 'of the deletion of what was made anew since is left out',
      type: 'DELETED',
      object: versioned('a', '40', 'old'),
      after: ['a 50'],
      leaves: 1,
    },
    {
      what: 'of the deletion of what is not known is left out',
      type: 'DELETED',
      object: versioned('b', '60'),
      after: ['a 50'],
      leaves: 1,
    },
    {
      what: 'of a type that there is not is left out',
      type: 'REPLACED',
      object: versioned('a', '60'),
      after: ['a 50'],
      leaves: 1,
    },
    { what: 'without an object is left out', type: 'ADDED', object: null, after: ['a 50'], leaves: 1 },
    { what: 'with a text for an object is left out', type: 'ADDED', object: 'a', after: ['a 50'], leaves: 1 },
    {
      what: 'with a list for an object is left out',
      type: 'MODIFIED',
      object: [versioned('a', '60')],
      after: ['a 50'],
      leaves: 1,
    },
    { what: 'without metadata is left out', type: 'ADDED', object: { spec: {} }, after: ['a 50'], leaves: 1 },
    {
      what: 'with metadata of null is left out',
      type: 'ADDED',
      object: { metadata: null },
      after: ['a 50'],
      leaves: 1,
    },
    {
      what: 'with a number for a name is left out',
      type: 'ADDED',
      object: { metadata: { name: 7 } },
      after: ['a 50'],
      leaves: 1,
    },
  ])('$what', async ({ type, object, after, leaves }) => {
    await watching(versioned('a', '50'))
    server.send(type, object)
    await settled()
    expect(known()).toEqual([...after, 'last 900'])
    expect(leftOut()).toBe(leaves)
    expect(mesh.status()[0]).toMatchObject({ state: 'synced', failures: 0 })
  })

  it('with no JSON at all changes nothing', async () => {
    await watching(versioned('a', '50'))
    server.sendText('not json\n\n{"type":\n[]\nnull\n7\n{"type":"ADDED"}\n')
    await settled()
    expect(known()).toEqual(['a 50', 'last 900'])
  })

  it('with anything in it is taken or left out', async () => {
    const anything = fc.tuple(fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'X'), anyJson)
    const metadata = fc.record({
      name: fc.string(),
      namespace: anyJson,
      uid: anyJson,
      labels: anyJson,
      annotations: anyJson,
    })
    const named = fc.tuple(fc.constantFrom('ADDED', 'DELETED'), fc.record({ metadata, spec: anyJson }))
    const events = fc.sample(fc.oneof(anything, named), { numRuns: 600, seed: 600 })
    await watching()
    for (const [type, object] of events) server.send(type, object)
    await settled()
    expect(taken + (leftOut() ?? 0)).toBe(events.length + 1)
    expect(mesh.status()[0]).toMatchObject({ state: 'synced', failures: 0, trouble: '' })
  })
})

describe('a list', () => {
  it('with damaged objects among others has the others, and counts', async () => {
    const damaged: readonly Json[] = [null, 'a', 7, [], {}, { metadata: {} }, { metadata: { name: null } }]
    server.rawList = JSON.stringify({
      items: [versioned('a', '1'), ...damaged, versioned('b', '2')],
      metadata: { resourceVersion: '100' },
    })
    await watching()
    expect(known()).toEqual(['a 1', 'b 2'])
    expect(leftOut()).toBe(damaged.length)
  })

  it('with an object that is older than the one known keeps the newer, and counts', async () => {
    await watching(versioned('a', '50'))
    server.pages = [{ items: [versioned('a', '49'), versioned('b', '2')], next: '' }]
    server.send('ERROR', { code: 410 })
    server.end('end')
    await until(() => known().length === 2)
    expect(known()).toEqual(['a 50', 'b 2'])
    await until(() => leftOut() === 1)
  })
})
