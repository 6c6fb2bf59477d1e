import { getEventListeners } from 'node:events'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { JsonObject } from '../../../src/kube/json.ts'
import { KINDS } from '../../../src/mesh/kinds.ts'
import { watchMesh, type ClusterMesh } from '../../../src/sources/cluster/cluster-mesh.ts'
import { watchKind } from '../../../src/sources/cluster/watch-kind.ts'
import { startFakeApiServer, type FakeApiServer } from './fake-api-server.ts'

// Every way there is for a list or a watch to end: the mesh follows on, what failed is counted, and nothing is thrown.

const virtualService = (name: string, resourceVersion: string): JsonObject => ({
  metadata: { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion },
  spec: { hosts: [name] },
})

let server: FakeApiServer
let mesh: ClusterMesh

beforeEach(async () => {
  server = await startFakeApiServer({ silence: 300 })
  server.pages = [{ items: [virtualService('a', '1')], next: '' }]
})
afterEach(async () => {
  mesh.stop()
  await server.close()
})

const start = (): void => {
  const { api, watch } = server
  mesh = watchMesh({ api, watch, kinds: new Set([KINDS.virtualService]), now: Date.now, pause: 20, random: () => 0.5 })
}
const names = (): readonly (string | undefined)[] =>
  mesh
    .current()
    .all(KINDS.virtualService)
    .map(({ metadata }) => metadata.name)
const status = () => mesh.status()[0]
const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 })
/** The requests after the first list and watch. */
const later = (): readonly string[] => server.calls.slice(2)

describe('a watch that ends', () => {
  const error = (code: number) => () => {
    server.send('ERROR', { kind: 'Status', code, message: 'so it is' })
    server.end('end')
  }
  /** Ends the watch, and answers the next ones so until one has been made. */
  const answering = (code: number) => async () => {
    server.watchStatus = code
    server.end('end')
    await until(() => later().length > 0)
    server.watchStatus = 200
  }

  it.each<{
    how: string
    end: () => void | Promise<void>
    resumes: 'from where it was' | 'with a list'
    failures: number
  }>([
    { how: 'politely', end: () => server.end('end'), resumes: 'from where it was', failures: 0 },
    { how: 'by a lost connection', end: () => server.end('cut'), resumes: 'from where it was', failures: 1 },
    {
      how: 'in the middle of an event',
      end: () => {
        server.sendText('{"type":"ADDED","object":{"metadata":{"na')
        server.end('cut')
      },
      resumes: 'from where it was',
      failures: 1,
    },
    { how: 'in silence', end: () => undefined, resumes: 'from where it was', failures: 0 },
    { how: 'because its version is too old', end: error(410), resumes: 'with a list', failures: 0 },
    { how: 'by an error of the API server', end: error(500), resumes: 'from where it was', failures: 1 },
    { how: 'by an error without a status', end: error(Number.NaN), resumes: 'from where it was', failures: 1 },
    { how: 'and is refused with 410', end: answering(410), resumes: 'with a list', failures: 0 },
    { how: 'and is refused with 403', end: answering(403), resumes: 'from where it was', failures: 1 },
    { how: 'and is refused with 429', end: answering(429), resumes: 'from where it was', failures: 1 },
    { how: 'and is refused with 503', end: answering(503), resumes: 'from where it was', failures: 1 },
    { how: 'and is not answered for a while', end: answering(0), resumes: 'from where it was', failures: 0 },
  ])('$how is taken up $resumes', async ({ end, resumes, failures }) => {
    start()
    await until(() => server.openWatches() === 1)
    server.send('ADDED', virtualService('b', '101'))
    await until(() => names().length === 2)
    server.pages = [{ items: [virtualService('a', '1'), virtualService('b', '101')], next: '' }]
    await end()
    await until(() => later().some((call) => call.startsWith('WATCH')) && server.openWatches() === 1)
    server.send('ADDED', virtualService('c', '102'))
    await until(() => names().length === 3)
    expect(later()).toContain(resumes === 'with a list' ? 'WATCH 100' : 'WATCH 101')
    expect(later().includes('LIST')).toBe(resumes === 'with a list')
    expect(status()).toMatchObject({ state: 'synced', trouble: '' })
    expect(status()?.failures).toBeGreaterThanOrEqual(failures)
    if (failures === 0) expect(status()?.failures).toBe(0)
  })

  it('leaves nothing behind that waits for the end of all watches: they are taken up for as long as a server runs', async () => {
    const { api, watch } = server
    const stopped = new AbortController()
    const told = { changed: () => true, removed: () => true, replaced: async () => 0, status: () => undefined }
    const clock = { now: Date.now, pause: 20, random: () => 0.5 }
    void watchKind({ api, watch, ...clock, kind: KINDS.virtualService, signal: stopped.signal, listener: told })
    for (let round = 0; round < 5; round += 1) {
      await until(() => server.openWatches() === 1)
      server.end('end')
      await until(() => server.openWatches() === 0)
    }
    await until(() => server.openWatches() === 1)
    await vi.waitFor(() => expect(getEventListeners(stopped.signal, 'abort')).toHaveLength(1))
    stopped.abort()
    await until(() => server.openWatches() === 0)
    start()
  })

  it('at once, again and again, is not asked for in a tight loop', async () => {
    start()
    await until(() => server.openWatches() === 1)
    const ending = setInterval(() => server.end('end'), 1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    clearInterval(ending)
    expect(later().length).toBeGreaterThan(3)
    // A pause of 20 ms is between any two.
    expect(later().length).toBeLessThan(30)
  })
})

describe('a list', () => {
  it('whose second page has expired is begun anew', async () => {
    server.pages = [
      { items: [virtualService('a', '1')], next: '1' },
      { items: [virtualService('b', '2')], next: '' },
    ]
    server.expired = '1'
    start()
    await until(() => mesh.hasSynced())
    expect(names()).toEqual(['a', 'b'])
    expect(server.calls.slice(0, 4)).toEqual(['LIST', 'LIST continue=1', 'LIST', 'LIST continue=1'])
    expect(status()?.failures).toBe(1)
  })

  it.each([
    ['is no JSON', '<html>'],
    ['is another thing', '{"kind":"Status"}'],
    ['is null', 'null'],
    ['has items that are none', '{"items":{"a":1},"metadata":{"resourceVersion":"1"}}'],
    ['has no version to watch from', '{"items":[],"metadata":{}}'],
  ])('that %s is no empty one, and is asked for again', async (_, body) => {
    server.rawList = body
    start()
    await until(() => status()?.trouble !== '')
    const trouble =
      'what the API server answered when asked for /apis/networking.istio.io/v1/virtualservices is no list'
    expect([mesh.hasSynced(), status()?.trouble]).toEqual([false, trouble])
    server.rawList = undefined
    await until(() => mesh.hasSynced())
    expect(names()).toEqual(['a'])
  })

  it('without items is an empty one', async () => {
    server.rawList = '{"items":null,"metadata":{"resourceVersion":"1"}}'
    start()
    await until(() => mesh.hasSynced())
    expect([names(), status()?.failures]).toEqual([[], 0])
  })

  it('that fails again and again is asked for after pauses that double, up to a bound', async () => {
    server.status = 503
    start()
    const began = performance.now()
    await until(() => server.calls.length === 8)
    // 20, 40, 80, 160, 320 and then 600 ms each.
    expect(performance.now() - began).toBeGreaterThan(1500)
    const eighth = performance.now()
    await until(() => server.calls.length === 9)
    expect(performance.now() - eighth).toBeLessThan(2000)
    expect(status()?.state).toBe('listing')
  })

  it('that becomes no list later takes nothing away', async () => {
    start()
    await until(() => server.openWatches() === 1)
    server.rawList = '{}'
    server.send('ERROR', { kind: 'Status', code: 410 })
    server.end('end')
    await until(() => (status()?.failures ?? 0) > 1)
    expect(names()).toEqual(['a'])
  })
})
