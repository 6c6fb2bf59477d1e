import { describe, expect, test } from 'vitest'

import { aliasesOf, concreteHost } from '../../src/mesh/aliases.ts'
import { callsFrom, callsTo } from '../../src/mesh/call-graph.ts'
import { facts } from '../../src/mesh/facts.ts'
import { shortNames } from '../../src/mesh/hosts.ts'
import { routesTo } from '../../src/mesh/routes.ts'
import { scopeFor } from '../../src/mesh/sidecar.ts'
import { asObject } from '../../src/kube/json.ts'
import { meshFrom, object, pod, service } from './mesh-from.ts'

const cart = 'cart.shop.svc.cluster.local'
const stock = 'stock.shop.svc.cluster.local'
const basket = 'basket.shop.svc.cluster.local'
const client = { namespace: 'shop', labels: { app: 'web' } }

const external = (name: string, target: string, ports = '[{ name: http, port: 80 }]'): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { type: ExternalName, externalName: ${target}, ports: ${ports} }
`
const routing = (name: string, hosts: string, to: string, minute = 0): string =>
  object(
    'VirtualService',
    'shop',
    name,
    `{ hosts: [${hosts}], http: [{ route: [{ destination: { host: ${to} } }] }] }`,
    minute,
  )

describe('the host behind an ExternalName Service', () => {
  test.each<[string, string, string, string | undefined]>([
    ['is a Service', external('basket', cart) + service('shop', 'cart'), basket, cart],
    ['is a name outside', external('basket', 'api.example.com'), basket, 'api.example.com'],
    [
      'is at the end of a chain',
      external('basket', 'bag.shop.svc.cluster.local') + external('bag', cart),
      basket,
      cart,
    ],
    [
      'is not there in a circle',
      external('basket', 'bag.shop.svc.cluster.local') + external('bag', basket),
      basket,
      undefined,
    ],
    ['is itself, where it is none', service('shop', 'cart'), cart, cart],
  ])('%s', (_title, yaml, host, expected) => {
    expect(concreteHost(meshFrom(yaml), host)).toBe(expected)
  })

  test('knows all of its other names', () => {
    const mesh = meshFrom(external('basket', cart) + external('bag', basket) + external('api', 'api.example.com'))
    expect([...aliasesOf(mesh, cart)]).toEqual([basket, 'bag.shop.svc.cluster.local'])
  })

  test('counts every name of a circle once', () => {
    const mesh = meshFrom(external('basket', 'bag.shop.svc.cluster.local') + external('bag', basket))
    expect([...aliasesOf(mesh, basket)]).toEqual(['bag.shop.svc.cluster.local'])
  })
})

describe('routes of an ExternalName Service', () => {
  const world = service('shop', 'cart') + service('shop', 'stock')
  test.each<[string, string, unknown]>([
    ['are those of what it stands for', external('basket', cart) + routing('v', cart, 'stock'), [`${stock}:80`]],
    ['are so without a port of its own', external('basket', cart, '[]') + routing('v', cart, 'stock'), [`${stock}:80`]],
    [
      'are of its own VirtualService first',
      external('basket', cart) + routing('v', 'basket', 'stock'),
      [`${stock}:80`],
    ],
    ['go by default to what it stands for', external('basket', cart), 'default'],
    ['are none in a circle', external('basket', basket), undefined],
    [
      'are none for a Sidecar that imports only what it stands for',
      external('basket', cart) + object('Sidecar', 'shop', 'default', `{ egress: [{ hosts: ["./${cart}"] }] }`),
      undefined,
    ],
    ['are where a destination names it', routing('v', 'basket', 'basket') + external('basket', cart), [`${cart}:80`]],
    [
      'are not where a destination names it for a port that it does not list',
      routing('v', 'basket', 'bag') + external('basket', cart) + external('bag', cart, '[]'),
      ['bag.shop.svc.cluster.local:80'],
    ],
  ])('%s', (_title, yaml, expected) => {
    const mesh = meshFrom(world + yaml)
    const found = routesTo(mesh, scopeFor(mesh, client), client, basket, 80)
    const targets = (routes: Exclude<typeof found, 'default' | undefined>): unknown =>
      routes.flatMap(({ action }) =>
        action.kind === 'forward' ? action.to.map(({ host, port }) => `${host}:${port}`) : [],
      )
    expect(typeof found === 'object' ? targets(found) : found).toEqual(expected)
  })

  test('are edges to what it stands for', () => {
    const web = pod('shop', 'web', 'app: web').replace(
      'labels:',
      'annotations: { meshward.io/calls: "basket:80" }, labels:',
    )
    const mesh = meshFrom(world + web + pod('shop', 'cart', 'app: cart') + external('basket', cart))
    const [from, to] = ['web', 'cart'].map((name) => ({ kind: 'workloads' as const, namespace: 'shop', name }))
    if (from === undefined || to === undefined) throw new Error('two nodes')
    expect(callsFrom(mesh, from).map((edge) => edge.to.name)).toEqual(['cart'])
    expect(callsTo(mesh, to).map((edge) => edge.from.name)).toEqual(['web'])
  })
})

describe('routes for names that no service has', () => {
  const web = pod('shop', 'web', 'app: web')
  const port9 = service('shop', 'cart').replace('port: 80', 'port: 9')
  const detected = port9.replace('name: http', 'name: x')
  const entry = (more: string): string =>
    object(
      'ServiceEntry',
      'shop',
      'e',
      `{ hosts: [api.example.com], ports: [{ number: 9, name: x, protocol: ${more} }], resolution: DNS }`,
    )
  test.each<[string, string, readonly string[]]>([
    ['are on port 80', service('shop', 'cart') + routing('v', 'pay.example', 'cart'), ['pay.example:80']],
    ['are nowhere, where nothing is on port 80', port9 + routing('v', 'pay.example', 'cart'), []],
    [
      'are on other ports beside those for a service',
      port9 + routing('v', 'pay.example, cart', 'cart'),
      ['pay.example:9'],
    ],
    ['are not on a port that one service has for itself', detected + routing('v', 'pay.example, cart', 'cart'), []],
    [
      'are on a port that one without address shares',
      entry('TCP').replace('TCP', '""') + routing('v', 'pay.example, api.example.com', 'api.example.com'),
      ['pay.example:9'],
    ],
    ['are not on a port for TCP', entry('TCP') + routing('v', 'pay.example, api.example.com', 'api.example.com'), []],
    [
      'are for the short form of a service, where that comes first',
      service('shop', 'cart') + routing('a', 'cart.shop', 'cart', 1) + routing('b', 'cart', 'cart', 2),
      ['cart.shop:80'],
    ],
    [
      'are not for the short form of a service that is routed before',
      service('shop', 'cart') + routing('a', 'cart.shop', 'cart', 2) + routing('b', 'cart', 'cart', 1),
      [],
    ],
    [
      'are for a wildcard that no service is under',
      service('shop', 'cart') + routing('v', '"*.example", "*.cluster.local"', 'cart'),
      ['*.example:80'],
    ],
    [
      'are not for the name of an ExternalName Service',
      service('shop', 'cart') + external('basket', cart) + routing('v', 'basket', 'cart'),
      [],
    ],
  ])('%s', (_title, yaml, expected) => {
    const { otherRoutes } = facts(meshFrom(web + yaml), [])
    expect(Object.keys(asObject(asObject(otherRoutes)['shop/web']))).toEqual(expected)
  })
})

describe('shorter names of a host', () => {
  test.each<[string, string, string, readonly string[]]>([
    ['of a Service in the same namespace', cart, 'shop', ['cart.shop.svc', 'cart.shop', 'cart']],
    ['of a Service elsewhere', cart, 'far', ['cart.shop.svc', 'cart.shop']],
    ['of a host outside', 'api.example.com', 'shop', []],
  ])('%s', (_title, host, namespace, expected) => {
    expect(shortNames(host, namespace)).toEqual(expected)
  })
})
