import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { KINDS } from '../../../src/mesh/kinds.ts'
import { openLiveMesh, type LiveMesh } from '../../../src/sources/cluster/live-mesh.ts'
import { policySetOf } from '../../engine/policy-set-of.ts'
import { policyFrom, policyText } from '../../policy/policy-from.ts'
import { startFakeApiServer, type FakeApiServer } from './fake-api-server.ts'

const reading = (...functions: readonly string[]) =>
  policySetOf(
    functions.map((name, index) => {
      const head = { code: `TEST-${index}`, name: `test-${index}` }
      return policyFrom(policyText(`validations: [{ findings: "mesh.${name}(object, params)" }]`, head))
    }),
  )

/** Reads ConfigMaps, Namespaces and VirtualServices. */
const policies = reading('routing.rivalHosts')

const MINUTE = 60_000

describe('the mesh that a server judges by', () => {
  let server: FakeApiServer
  let mesh: LiveMesh
  let now: number

  beforeEach(async () => {
    server = await startFakeApiServer()
    // A clock that has just begun: what was never heard of is too old from the start.
    now = 0
    mesh = openLiveMesh({
      connection: server,
      istioNamespace: 'istio-system',
      secretNamespaces: [],
      maxStaleness: 5 * MINUTE,
      now: () => now,
    })
  })
  afterEach(async () => {
    mesh.stop()
    await server.close()
  })

  const until = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 })
  const stale = () => {
    const knowledge = mesh.knowledge()
    return knowledge === 'whole' ? {} : Object.fromEntries(knowledge.stale)
  }
  const troubled = (): boolean => mesh.status().some(({ trouble }) => trouble !== '')

  it('has synced when every kind is listed', async () => {
    expect([mesh.hasSynced(), mesh.unsynced()]).toEqual([false, 'not loaded yet'])
    mesh.follow(policies)
    await until(() => mesh.hasSynced())
    expect([mesh.unsynced(), mesh.knowledge()]).toEqual([undefined, 'whole'])
    expect(mesh.status().map(({ kind }) => kind)).toEqual([KINDS.configMap, KINDS.namespace, KINDS.virtualService])
  })

  it('has synced although one kind may not be listed: who reads it is told, and others are not', async () => {
    server.forbidden = 'virtualservices'
    mesh.follow(policies)
    await until(() => mesh.hasSynced())
    expect(stale()).toEqual({
      [KINDS.virtualService]:
        'VirtualService.networking.istio.io could not be read from the API server yet (the API server answered 403 when asked for /apis/networking.istio.io/v1/virtualservices: you may not)',
    })
    server.forbidden = ''
    await until(() => mesh.knowledge() === 'whole')
  })

  describe('another set of policies', () => {
    const fewer = reading()
    const watched = () => mesh.status().map(({ kind }) => kind)

    it('finds what it reads when it comes, and what nobody reads any more is forgotten after that', async () => {
      mesh.follow(fewer)
      await until(() => mesh.hasSynced())
      expect(watched()).toEqual([KINDS.namespace])
      await mesh.prepare(policies)
      expect([watched(), mesh.knowledge()]).toEqual([[KINDS.configMap, KINDS.namespace, KINDS.virtualService], 'whole'])
      mesh.follow(policies)
      await mesh.prepare(fewer)
      expect(watched()).toHaveLength(3)
      mesh.follow(fewer)
      expect(watched()).toEqual([KINDS.namespace])
    })

    it('does not wait for what may not be read', async () => {
      mesh.follow(fewer)
      await until(() => mesh.hasSynced())
      server.forbidden = 'virtualservices'
      await mesh.prepare(policies)
      expect(Object.keys(stale())).toEqual([KINDS.virtualService])
    })
  })

  it('waits for an API server that has other troubles, says so, and no longer than the mesh may be old', async () => {
    server.status = 503
    mesh.follow(policies)
    await until(() => mesh.status().every(({ trouble }) => trouble !== ''))
    expect(mesh.unsynced()).toBe(
      'ConfigMap and 2 more kinds not listed yet: the API server answered 503 when asked for /api/v1/namespaces/istio-system/configmaps: not now',
    )
    now += 5 * MINUTE
    expect(mesh.hasSynced()).toBe(false)
    now += 1
    expect(mesh.hasSynced()).toBe(true)
    expect(Object.keys(stale())).toEqual([KINDS.configMap, KINDS.namespace, KINDS.virtualService])
  })

  it('stays synced when the API server goes, and is too old to judge by past the bound', async () => {
    mesh.follow(policies)
    await until(() => mesh.hasSynced() && server.openWatches() === 3)
    server.status = 503
    server.end('cut')
    await until(troubled)
    now += 5 * MINUTE
    expect(mesh.knowledge()).toBe('whole')
    now += 1000
    expect(mesh.hasSynced()).toBe(true)
    expect(stale()[KINDS.namespace]).toMatch(
      /^the API server was last heard of Namespace 301 s ago, more than the 300 s allowed \(.+\)$/,
    )
    server.status = 200
    await until(() => server.openWatches() === 3)
    server.send('BOOKMARK', { metadata: { resourceVersion: '140' } })
    await until(() => mesh.knowledge() === 'whole' && !troubled())
  })

  it('does not judge by a kind that other policies read before it is listed', async () => {
    mesh.follow(reading('routing.unknownGateways'))
    await until(() => mesh.hasSynced())
    server.forbidden = 'virtualservices'
    mesh.follow(policies)
    expect(mesh.hasSynced()).toBe(true)
    expect(Object.keys(stale())).toContain(KINDS.virtualService)
    await until(troubled)
    server.forbidden = ''
    await until(() => mesh.knowledge() === 'whole')
  })

  describe('the namespace of a request', () => {
    const shop = (tier: string) => ({ metadata: { name: 'shop', uid: 'u1', resourceVersion: '90', labels: { tier } } })
    const looks = () => server.calls.filter((call) => call.startsWith('LIST metadata.name')).length
    const tierOf = async (name: string) => (await mesh.withNamespace(name)).namespace(name)?.metadata.labels
    const start = async () => {
      mesh.follow(reading())
      await until(() => mesh.hasSynced() && server.openWatches() === 1)
    }

    it('is as the watch has it, without a question', async () => {
      server.pages = [{ items: [shop('web')], next: '' }]
      await start()
      server.named = [shop('db')]
      expect(await mesh.withNamespace('shop')).toBe(mesh.current())
      expect([await tierOf('shop'), await mesh.withNamespace(''), looks()]).toEqual([
        { tier: 'web' },
        mesh.current(),
        0,
      ])
    })

    it('is asked for where the watch has not seen it yet, once for all who ask', async () => {
      await start()
      server.named = [shop('web')]
      expect(await Promise.all(['shop', 'shop', 'shop'].map(tierOf))).toEqual([1, 2, 3].map(() => ({ tier: 'web' })))
      expect([looks(), mesh.current().namespace('shop')]).toEqual([1, undefined])
      server.send('ADDED', shop('db'))
      await until(() => mesh.current().namespace('shop') !== undefined)
      expect([await tierOf('shop'), looks()]).toEqual([{ tier: 'db' }, 1])
    })

    it('is not there where nobody says so', async () => {
      await start()
      expect([await tierOf('shop'), looks()]).toEqual([undefined, 1])
      server.named = [shop('web')]
      server.forbidden = 'namespaces'
      expect([await tierOf('shop'), looks()]).toEqual([undefined, 2])
      server.forbidden = ''
      expect([await tierOf('shop'), looks()]).toEqual([undefined, 2])
      now += 5000
      expect([await tierOf('shop'), looks()]).toEqual([{ tier: 'web' }, 3])
      await server.close()
      expect(await tierOf('shop')).toBeUndefined()
    })

    it('is asked for again where the watch was not heard of for too long, and else is not known', async () => {
      server.pages = [{ items: [shop('web')], next: '' }]
      await start()
      server.watchStatus = 503
      server.end('cut')
      now += 5 * MINUTE + 1
      server.named = [shop('db')]
      expect(await tierOf('shop')).toEqual({ tier: 'db' })
      server.named = []
      expect([await tierOf('shop'), mesh.current().namespace('shop')?.metadata.labels]).toEqual([
        undefined,
        { tier: 'web' },
      ])
    })
  })
})
