import { describe, expect, test } from 'vitest'

import { timeoutInversions, worstLatencyOf, worstPathThrough } from '../../src/mesh/amplification.ts'
import { callsFrom, callsTo, retryBoundOf } from '../../src/mesh/call-graph.ts'
import type { CallNode } from '../../src/mesh/call-node.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { meshFrom, object, pod, service } from './mesh-from.ts'

const SECOND = 1_000_000_000n
const node = (name: string, kind: CallNode['kind'] = 'workloads'): CallNode => ({
  kind,
  namespace: kind === 'outside' ? '' : 'shop',
  name,
})
const app = (name: string, calls = ''): string =>
  pod('shop', name, `app: ${name}`).replace('labels:', `annotations: { meshward.io/calls: "${calls}" }, labels:`) +
  service('shop', name)
const retrying = (host: string, attempts: number, more = ''): string =>
  object(
    'VirtualService',
    'shop',
    host,
    `{ hosts: [${host}], http: [{ route: [{ destination: { host: ${host} } }], retries: { attempts: ${attempts}, retryOn: 5xx } ${more} }] }`,
  )

const chain = app('web', 'cart') + app('cart', 'stock') + app('stock')

function path(mesh: MeshSnapshot, name: string): string {
  const { edges, requests, isPartial } = worstPathThrough(mesh, node(name))
  const hops = edges.map((edge) => ` ×${edge.isConnectLevel ? 1 : edge.tries} → ${edge.to.name}`)
  return `${edges[0]?.from.name ?? name}${hops.join('')} = ${requests}${isPartial ? ', at least' : ''}`
}

describe('who calls whom', () => {
  const selfless = app('web') + app('cart') + app('stock')
  test.each<[string, string, readonly string[]]>([
    ['nobody, where nothing says so', selfless, []],
    ['what an annotation says', app('web', 'cart, stock:80') + app('cart') + app('stock'), ['cart', 'stock']],
    [
      'what a Sidecar imports by name',
      selfless +
        object(
          'Sidecar',
          'shop',
          's',
          '{ workloadSelector: { labels: { app: web } }, egress: [{ hosts: ["./cart.shop.svc.cluster.local", "./*.example"] }] }',
        ),
      ['cart'],
    ],
    [
      'what a policy permits by name',
      selfless +
        object(
          'AuthorizationPolicy',
          'shop',
          'p',
          '{ selector: { matchLabels: { app: cart } }, rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }] }] }',
        ),
      ['cart'],
    ],
    [
      'not what a pattern permits',
      selfless +
        object(
          'AuthorizationPolicy',
          'shop',
          'p',
          '{ selector: { matchLabels: { app: cart } }, rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/*"] } }] }] }',
        ),
      [],
    ],
    [
      'not what is denied',
      selfless +
        object(
          'AuthorizationPolicy',
          'shop',
          'p',
          '{ action: DENY, selector: { matchLabels: { app: cart } }, rules: [{ from: [{ source: { serviceAccounts: [web] } }] }] }',
        ),
      [],
    ],
    [
      'what a VirtualService routes for it',
      selfless +
        object(
          'VirtualService',
          'shop',
          'v',
          '{ hosts: [cart], http: [{ match: [{ sourceLabels: { app: web } }], route: [{ destination: { host: stock } }] }] }',
        ),
      ['stock'],
    ],
    [
      'where routes lead, not what is called',
      app('web', 'cart') +
        app('cart') +
        app('stock') +
        object(
          'VirtualService',
          'shop',
          'v',
          '{ hosts: [cart], http: [{ route: [{ destination: { host: stock } }] }] }',
        ),
      ['stock'],
    ],
    ['what is outside', app('web', 'api.example'), ['api.example']],
  ])('%s', (_name, yaml, expected) => {
    const mesh = meshFrom(yaml)
    expect(callsFrom(mesh, node('web')).map((edge) => edge.to.name)).toEqual(expected)
    for (const edge of callsFrom(mesh, node('web')))
      expect(callsTo(mesh, edge.to).map(({ from }) => from.name)).toContain('web')
  })

  test('gateways call what they route', () => {
    const mesh = meshFrom(
      app('web') +
        object(
          'VirtualService',
          'shop',
          'v',
          '{ hosts: [x.example], gateways: [edge], http: [{ route: [{ destination: { host: web } }], retries: { attempts: 4, retryOn: 5xx } }] }',
        ),
    )
    expect(callsTo(mesh, node('web')).map(({ from, tries }) => [from.kind, from.name, tries])).toEqual([
      ['gateway', 'edge', 5],
    ])
    expect(callsFrom(mesh, node('edge', 'gateway')).map(({ to }) => to.name)).toEqual(['web'])
  })

  test('an edge knows its route and what says that it is there', () => {
    const mesh = meshFrom(chain + retrying('cart', 2))
    const [edge] = callsFrom(mesh, node('web'))
    expect(edge?.route).toMatchObject({ object: { metadata: { name: 'cart' } }, field: 'spec.http[0]' })
    expect(edge?.evidence).toMatchObject({ object: { kind: 'Pod' }, field: 'metadata.annotations[meshward.io/calls]' })
  })

  test('a budget or a limit bounds retries', () => {
    const bound = (policy: string): unknown => {
      const mesh = meshFrom(
        chain +
          retrying('cart', 2) +
          object('DestinationRule', 'shop', 'd', `{ host: cart, trafficPolicy: { ${policy} } }`),
      )
      const [edge] = callsFrom(mesh, node('web'))
      return edge && retryBoundOf(mesh, edge)
    }
    expect(bound('retryBudget: {}')).toBe('retryBudget')
    expect(bound('connectionPool: { http: { maxRetries: 3 } }')).toBe('maxRetries')
    expect(bound('connectionPool: { tcp: { maxConnections: 3 } }')).toBeUndefined()
  })
})

describe('how much one request becomes', () => {
  test.each([
    ['retries multiply', chain + retrying('cart', 2) + retrying('stock', 2), 'cart', 'web ×3 → cart ×3 → stock = 9'],
    ['seen from the end', chain + retrying('cart', 2) + retrying('stock', 2), 'stock', 'web ×3 → cart ×3 → stock = 9'],
    ['Istio\u2019s own retries multiply nothing', chain, 'cart', 'cart = 1'],
    ['a hop that does not multiply is passed', chain + retrying('stock', 3), 'web', 'web ×1 → cart ×4 → stock = 4'],
    [
      'a timeout cuts tries short',
      chain +
        object(
          'VirtualService',
          'shop',
          'v',
          '{ hosts: [cart], http: [{ route: [{ destination: { host: cart } }], timeout: 2s, retries: { attempts: 9, perTryTimeout: 1s, retryOn: 5xx } }] }',
        ),
      'web',
      'web ×2 → cart = 2',
    ],
    [
      'a circle ends',
      app('web', 'cart') + app('cart', 'web') + retrying('cart', 1) + retrying('web', 1),
      'web',
      'cart ×2 → web = 2',
    ],
    ['who calls itself does not count', app('web', 'web') + retrying('web', 5), 'web', 'web = 1'],
  ])('%s', (_name, yaml, through, expected) => {
    expect(path(meshFrom(yaml), through)).toBe(expected)
  })

  test('the search stops where it is bad enough', () => {
    const mesh = meshFrom(chain + retrying('cart', 9) + retrying('stock', 9))
    expect(worstPathThrough(mesh, node('web'), { enough: 5 }).requests).toBe(10)
  })
})

describe('how long one request takes', () => {
  test('a timeout at the start holds for everything behind it', () => {
    const mesh = meshFrom(chain + retrying('cart', 2, ', timeout: 4s') + retrying('stock', 2, ', timeout: 3s'))
    expect(worstLatencyOf(worstPathThrough(mesh, node('web')).edges)).toBe(4n * SECOND)
  })

  test('without one, each try waits for what is behind it', () => {
    const mesh = meshFrom(chain + retrying('cart', 2) + retrying('stock', 2, ', timeout: 3s'))
    expect(worstLatencyOf(worstPathThrough(mesh, node('web')).edges)).toBe(9n * SECOND)
  })

  test('nothing ends it where nobody has a timeout', () => {
    const mesh = meshFrom(chain + retrying('cart', 2) + retrying('stock', 2))
    expect(worstLatencyOf(worstPathThrough(mesh, node('web')).edges)).toBeUndefined()
  })

  test('a callee that outlasts its caller is found, one that does not is not', () => {
    const inversions = (outer: string, inner: string): number => {
      const mesh = meshFrom(
        chain + retrying('cart', 2, `, timeout: ${outer}`) + retrying('stock', 2, `, timeout: ${inner}`),
      )
      return timeoutInversions(mesh, node('cart')).length
    }
    expect(inversions('2s', '3s')).toBe(1)
    expect(inversions('3s', '3s')).toBe(0)
  })
})
