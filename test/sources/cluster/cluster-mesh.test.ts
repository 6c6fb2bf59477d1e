import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { asObject, type JsonObject } from '../../../src/kube/json.ts'
import { KINDS } from '../../../src/mesh/kinds.ts'
import { watchMesh, type ClusterMesh } from '../../../src/sources/cluster/cluster-mesh.ts'
import { startFakeApiServer, type FakeApiServer } from './fake-api-server.ts'

const virtualService = (name: string, version: string, more: JsonObject = {}): JsonObject => ({
  metadata: {
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    resourceVersion: version,
    managedFields: [{ manager: 'x' }],
  },
  spec: { hosts: [name] },
  ...more,
})

/** The same as the mesh keeps it. */
const kept = (name: string, version: string): JsonObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion: version },
  spec: { hosts: [name] },
})

describe('the mesh from the API server', () => {
  let server: FakeApiServer
  let mesh: ClusterMesh
  let now = 1_000_000

  beforeEach(async () => {
    server = await startFakeApiServer()
  })
  afterEach(async () => {
    mesh.stop()
    await server.close()
  })

  const start = (): void => {
    mesh = watchMesh({
      api: server.api,
      watch: server.watch,
      kinds: new Set([KINDS.virtualService]),
      now: () => now,
      pause: 20,
      random: () => 0.5,
    })
  }
  const stored = (): readonly unknown[] => mesh.current().all(KINDS.virtualService)
  const until = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 15_000, interval: 5 })
  const synced = async (): Promise<void> => {
    start()
    await until(() => mesh.hasSynced() && server.openWatches() === 1)
  }

  it('has synced only after the last page of the list, trimmed and in one piece', async () => {
    server.pages = [
      { items: [virtualService('a', '1')], next: '1' },
      { items: [virtualService('b', '2', { status: { conditions: [] } })], next: '' },
    ]
    start()
    expect(mesh.hasSynced()).toBe(false)
    await until(() => mesh.hasSynced())
    expect(stored()).toEqual([kept('a', '1'), kept('b', '2')])
    await until(() => server.openWatches() === 1)
    expect(server.calls).toEqual(['LIST', 'LIST continue=1', 'WATCH 100'])
  })

  it('follows what is added, changed and deleted', async () => {
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await synced()
    server.send('ADDED', virtualService('b', '101'))
    server.send('MODIFIED', virtualService('a', '102'))
    await until(() => stored().length === 2)
    server.send('DELETED', virtualService('b', '103'))
    await until(() => stored().length === 1)
    expect(stored()).toEqual([kept('a', '102')])
  })

  it('forgets a kind that is wanted no more, and lists it anew when it is wanted again', async () => {
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await synced()
    mesh.watchKinds([])
    expect(mesh.status()).toEqual([])
    await until(() => server.openWatches() === 0 && stored().length === 0)
    server.pages = [{ items: [virtualService('b', '2')], next: '' }]
    mesh.watchKinds([KINDS.virtualService])
    await until(() => mesh.hasSynced() && server.openWatches() === 1)
    expect(stored()).toEqual([kept('b', '2')])
    server.send('ADDED', virtualService('c', '103'))
    await until(() => stored().length === 2)
  })

  it('forgets a kind in the middle of its list', async () => {
    server.pages = [{ items: Array.from({ length: 2000 }, (_, index) => virtualService(`a${index}`, '1')), next: '' }]
    start()
    await until(() => stored().length > 0)
    mesh.watchKinds([])
    await until(() => server.openWatches() === 0 && stored().length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([stored().length, server.openWatches(), mesh.status()]).toEqual([0, 0, []])
  })

  it('leaves a watch alone that is wanted still', async () => {
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await synced()
    const calls = server.calls.length
    mesh.watchKinds([KINDS.virtualService])
    server.send('ADDED', virtualService('b', '101'))
    await until(() => stored().length === 2)
    expect(server.calls.length).toBe(calls)
  })

  it('leaves out a version that is older than the one it knows, but takes an object that was made anew', async () => {
    server.pages = [{ items: [virtualService('a', '50')], next: '' }]
    await synced()
    server.send('MODIFIED', virtualService('a', '49'))
    server.send('ADDED', virtualService('b', '101'))
    await until(() => stored().length === 2)
    expect(stored()[0]).toEqual(kept('a', '50'))
    const anew = virtualService('a', '7')
    server.send('ADDED', { ...anew, metadata: { ...asObject(anew.metadata), uid: 'another' } })
    await until(() => mesh.current().get(KINDS.virtualService, 'shop', 'a')?.metadata.uid === 'another')
  })

  it.each(['end', 'cut'] as const)('resumes after the last event when a watch ends by %s', async (how) => {
    await synced()
    server.send('ADDED', virtualService('a', '101'))
    server.send('BOOKMARK', { metadata: { resourceVersion: '140' } })
    await until(() => stored().length === 1)
    server.end(how)
    await until(() => server.calls.includes('WATCH 140'))
    expect(server.calls.filter((call) => call.startsWith('LIST'))).toEqual(['LIST'])
  })

  it('lists again when the version to resume from is too old, and forgets what is gone', async () => {
    server.pages = [{ items: [virtualService('a', '1'), virtualService('b', '2')], next: '' }]
    await synced()
    server.pages = [{ items: [virtualService('b', '2'), virtualService('c', '3')], next: '' }]
    server.resourceVersion = '200'
    server.send('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' })
    server.end('end')
    await until(() => server.calls.includes('WATCH 200'))
    expect(stored()).toEqual([kept('b', '2'), kept('c', '3')])
  })

  it('keeps what it has, says why, and tries again while the API server answers with errors', async () => {
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await synced()
    server.status = 500
    server.end('cut')
    await until(() => mesh.status()[0]?.trouble !== '')
    expect(mesh.hasSynced()).toBe(true)
    expect(stored()).toEqual([kept('a', '1')])
    server.status = 200
    await until(() => server.openWatches() === 1)
    server.send('ADDED', virtualService('b', '101'))
    await until(() => stored().length === 2)
    expect(mesh.status()[0]?.trouble).toBe('')
  })

  it('does not sync on a list that fails, and syncs when it succeeds', async () => {
    server.status = 503
    start()
    await until(() => server.calls.length >= 3)
    expect(mesh.hasSynced()).toBe(false)
    expect(mesh.status()[0]?.trouble).toBe(
      'the API server answered 503 when asked for /apis/networking.istio.io/v1/virtualservices: not now',
    )
    server.status = 200
    await until(() => mesh.hasSynced())
  })

  it('has synced without a CRD, and takes its objects up once it is installed', async () => {
    server.served = false
    start()
    await until(() => mesh.hasSynced())
    expect(mesh.status()[0]?.state).toBe('absent')
    server.served = true
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await until(() => stored().length === 1)
    expect(mesh.status()[0]?.state).toBe('synced')
  })

  it('forgets the objects of a CRD that vanishes', async () => {
    server.pages = [{ items: [virtualService('a', '1')], next: '' }]
    await synced()
    server.served = false
    server.end('end')
    await until(() => mesh.status()[0]?.state === 'absent')
    expect(stored()).toEqual([])
  })

  it.each([
    ['has one page after the other', true, 'does not end after 300000 objects'],
    ['has the same page for ever', false, 'begins again and again'],
  ])('gives up on a list that %s, with nothing taken from it', async (_, endless, reason) => {
    server.endless = endless
    server.pages = [{ items: [virtualService('a', '1')], next: '0' }]
    start()
    await vi.waitFor(() => expect(mesh.status()[0]?.failures).toBeGreaterThan(0), { timeout: 18_000 })
    expect(mesh.status()[0]?.trouble).toBe(`the list of /apis/networking.istio.io/v1/virtualservices ${reason}`)
    expect([mesh.hasSynced(), stored()]).toEqual([false, []])
  })

  it('survives lines that are no events', async () => {
    await synced()
    server.sendText('not json\n{"type":"ADDED"}\n{"type":"ADDED","object":null}\n[]\n')
    server.send('ADDED', virtualService('a', '101'))
    await until(() => stored().length > 0)
    expect(stored()).toEqual([kept('a', '101')])
  })

  it('measures the age of the last contact', async () => {
    start()
    expect(mesh.staleness()).toBe(Number.POSITIVE_INFINITY)
    await until(() => mesh.hasSynced() && server.openWatches() === 1)
    expect(mesh.staleness()).toBe(0)
    now += 7000
    expect(mesh.staleness()).toBe(7000)
    server.send('BOOKMARK', { metadata: { resourceVersion: '140' } })
    await until(() => mesh.staleness() === 0)
  })
})
