import request from 'supertest'
import { describe, expect, test } from 'vitest'

import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createDryRunAccess, type Authority } from '../../src/webhook/dry-run-access.ts'
import { createRateLimit } from '../../src/webhook/rate-limit.ts'
import { createTestServer } from './test-server.ts'

const PERMISSIVE = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: PERMISSIVE } }
`

/** Knows the token `alice`, who may do what is listed: `verb resource namespace`. */
function authority(...rights: readonly string[]): Authority {
  return {
    whoIs: async (token) => (token === 'alice' ? { username: token, user: {} } : undefined),
    may: async (_, { verb, resource, namespace }) => rights.includes(`${verb} ${resource} ${namespace || '*'}`),
  }
}

function dryRun(server: Parameters<typeof createTestServer>[0], authorization?: string) {
  const call = request(createTestServer(server).app).post('/dry-run').set('Content-Type', 'application/yaml')
  return (authorization === undefined ? call : call.set('Authorization', authorization)).send(PERMISSIVE)
}

const creator = authority('create peerauthentications shop')
const OUTSIDE = '10.0.0.7'

describe('who may ask for a dry run', () => {
  test.each([
    ['nobody known, on a loopback address', { authority: creator }, undefined, 200],
    ['nobody known, elsewhere', { authority: creator, listensOn: OUTSIDE }, undefined, 401],
    ['a token that is none, even on a loopback address', { authority: creator }, 'Bearer mallory', 401],
    ['a password', { authority: creator, listensOn: OUTSIDE }, 'Basic YWxpY2U6YWxpY2U=', 401],
    ['who may create it', { authority: creator, listensOn: OUTSIDE }, 'Bearer alice', 200],
    ['who may create it elsewhere', { authority: authority('create peerauthentications books') }, 'Bearer alice', 403],
    ['a token, where no cluster could say whose', { listensOn: OUTSIDE }, 'Bearer alice', 403],
  ])('%s', async (_, server, authorization, status) => {
    expect((await dryRun(server, authorization)).status).toBe(status)
  })

  test('the refusal says what right is missing and nothing about the object', async () => {
    const { body } = await dryRun({ authority: authority() }, 'Bearer alice')
    expect(body).toMatchObject({
      reason: 'Forbidden',
      message:
        '"alice" may not create peerauthentications.security.istio.io in namespace "shop", so what would become of one is not shown. Ask for that right, or leave it out.',
    })
  })

  test('an API server that does not answer is a 503, not a right', async () => {
    const broken: Authority = { ...creator, may: () => Promise.reject(new Error('gone')) }
    expect((await dryRun({ authority: broken }, 'Bearer alice')).status).toBe(503)
  })

  test('more than a burst of requests of one caller are put off', async () => {
    const { app } = createTestServer({ authority: creator })
    const statuses: number[] = []
    for (let count = 0; count < 4; count += 1) {
      const call = request(app).post('/dry-run').set('Content-Type', 'application/yaml')
      statuses.push((await call.set('Authorization', 'Bearer alice').send(PERMISSIVE)).status)
    }
    expect(statuses).toEqual([200, 200, 200, 429])
  })
})

describe('what a caller sees of the mesh', () => {
  const object = (kind: string, namespace: string, name: string) => ({
    apiVersion: kind === 'Service' || kind === 'Namespace' ? 'v1' : 'networking.istio.io/v1',
    kind,
    metadata: namespace === '' ? { name } : { name, namespace },
  })
  const mesh = buildSnapshot([
    object('Namespace', '', 'shop'),
    object('Namespace', '', 'bank'),
    object('Service', 'shop', 'cart'),
    object('Service', 'bank', 'vault'),
    object('Service', 'istio-system', 'istiod'),
    object('VirtualService', 'bank', 'vault'),
  ])

  async function seen(...rights: readonly string[]) {
    const access = createDryRunAccess({
      listensOn: () => OUTSIDE,
      authority: authority(...rights),
      limit: () => true,
    })
    const permissions = await access(Object.assign(Object.create(null), { headers: { authorization: 'Bearer alice' } }))
    if (!permissions.ok) throw new Error(permissions.problem.message)
    const view = await permissions.value.view(mesh, new Set(['shop']))
    if (!view.ok) throw new Error(view.problem.message)
    const all = view.value.mesh.kinds().flatMap((kind) => view.value.mesh.all(kind))
    return {
      whole: view.value.whole,
      names: all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`).sort(),
    }
  }

  test('is everything for who may list each kind everywhere', async () => {
    const { whole, names } = await seen('list services *', 'list namespaces *', 'list virtualservices *')
    expect([whole, names.length]).toEqual([true, 6])
  })

  test('is nothing for who may list nothing', async () => {
    expect(await seen()).toEqual({ whole: false, names: [] })
  })

  test('is of the namespaces asked about, and of the root namespace, what may be listed there', async () => {
    const rights = ['list services shop', 'get namespaces shop', 'list virtualservices bank', 'list services bank']
    expect(await seen(...rights)).toEqual({ whole: false, names: ['Namespace /shop', 'Service shop/cart'] })
    expect(await seen('list services istio-system')).toEqual({ whole: false, names: ['Service istio-system/istiod'] })
  })

  test('is all of one kind where only that may be listed everywhere', async () => {
    const names = ['Service bank/vault', 'Service istio-system/istiod', 'Service shop/cart']
    expect(await seen('list services *')).toEqual({ whole: false, names })
  })
})

describe('a rate limit', () => {
  test('gives each key its burst and then its rate, and forgets who was not seen for longest', () => {
    let now = 0
    const limit = createRateLimit({ burst: 2, perSecond: 1, keys: 2, monotonic: () => now })
    expect([limit('a'), limit('a'), limit('a'), limit('b')]).toEqual([true, true, false, true])
    now = 1000
    expect([limit('a'), limit('a')]).toEqual([true, false])
    expect(limit('c')).toBe(true)
    // `b` was forgotten for `c`, `a` was not.
    expect([limit('a'), limit('b'), limit('b'), limit('b')]).toEqual([false, true, true, false])
  })
})
