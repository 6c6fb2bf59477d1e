import { describe, expect, test } from 'vitest'

import { object, objectsFrom, pod, service } from '../../mesh/mesh-from.ts'
import { ask } from './ask.ts'

const route = (destination: string, more = ''): string =>
  object(
    'VirtualService',
    'shop',
    'v',
    `{ hosts: [cart], http: [{ route: [{ destination: ${destination} }] ${more} }] }`,
  )
const other = service('shop', 'other')
const subsets = object(
  'DestinationRule',
  'shop',
  'cart',
  '{ host: cart, subsets: [{ name: v1, labels: { version: v1 }, trafficPolicy: {} }] }',
)
const selecting = object('Sidecar', 'shop', 's', '{ workloadSelector: { labels: { app: cart } }, egress: [] }')

/** A function, the object, the field, and the least that has to be known for an answer. */
const QUESTIONS: readonly (readonly [name: string, object: string, field: string, enough: string])[] = [
  ['routing.unknownDestinations', route('{ host: cart }'), 'spec.http[0].route[0].destination.host', other],
  ['routing.unknownMirrors', route('{ host: other }', ', mirror: { host: cart }'), 'spec.http[0].mirror.host', other],
  [
    'routing.unknownDestinations',
    route('{ host: cart.stock.svc.cluster.local }'),
    'spec.http[0].route[0].destination.host',
    service('stock', 'other'),
  ],
  [
    'routing.unknownSubsets',
    route('{ host: cart, subset: v1 }'),
    'spec.http[0].route[0].destination.subset',
    object('DestinationRule', 'shop', 'other', '{ host: other }'),
  ],
  [
    'routing.unknownGateways',
    object('VirtualService', 'shop', 'v', '{ hosts: [a.com], gateways: [edge/web] }'),
    'spec.gateways[0]',
    object('Gateway', 'edge', 'other', '{ servers: [] }'),
  ],
  ['routing.unknownHost', object('DestinationRule', 'shop', 'd', '{ host: cart }'), 'spec.host', other],
  ['routing.emptySubsets', subsets, 'spec.subsets[0].labels', pod('shop', 'cart-1', 'app: cart')],
  [
    'routing.idleSubsetPolicies',
    subsets,
    'spec.subsets[0].trafficPolicy',
    object('VirtualService', 'shop', 'other', '{ hosts: [other] }'),
  ],
  [
    'ambient.withoutWaypoint',
    object('AuthorizationPolicy', 'shop', 'get', '{ rules: [{ to: [{ operation: { methods: [GET] } }] }] }'),
    'spec.rules[0].to[0].operation.methods',
    other,
  ],
  [
    'ambient.unenforcedDenials',
    object(
      'AuthorizationPolicy',
      'shop',
      'get',
      '{ action: DENY, rules: [{ to: [{ operation: { methods: [GET] } }] }] }',
    ),
    'spec.rules[0]',
    other,
  ],
  [
    'ambient.unservedNamespace',
    object('VirtualService', 'shop', 'v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cart } }] }] }'),
    'spec.hosts',
    `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec: { gatewayClassName: istio }
`,
  ],
  [
    'authorization.uncoveredBehindGateway',
    object('Gateway', 'edge', 'web', '{ selector: { istio: ingress }, servers: [] }'),
    'spec.servers',
    object('AuthorizationPolicy', 'shop', 'other', '{ selector: { matchLabels: { app: other } } }'),
  ],
  [
    'authorization.idleSelector',
    object('AuthorizationPolicy', 'shop', 'p', '{ selector: { matchLabels: { app: cart } } }'),
    'spec.selector.matchLabels',
    pod('shop', 'web-1', 'app: web'),
  ],
  [
    'authorization.optionalTokens',
    object('RequestAuthentication', 'istio-system', 'jwt', '{ jwtRules: [{ issuer: "https://id.example.com" }] }'),
    'spec.jwtRules',
    object('AuthorizationPolicy', 'shop', 'other', '{ selector: { matchLabels: { app: other } } }'),
  ],
  ['scoping.idleSelector', selecting, 'spec.workloadSelector.labels', pod('shop', 'web-1', 'app: web')],
  [
    'scoping.unknownImports',
    object('Sidecar', 'shop', 's', '{ egress: [{ hosts: ["./cart.shop.svc.cluster.local"] }] }'),
    'spec.egress[0].hosts[0]',
    other,
  ],
  [
    'resilience.unboundedRetries',
    route('{ host: cart }', ', retries: { attempts: 2 }'),
    'spec.http[0].retries.attempts',
    object('DestinationRule', 'shop', 'other', '{ host: other }'),
  ],
]

const captured = `
---
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Pod
metadata: { name: cart, namespace: shop, labels: { app: cart } }
status: { podIP: 10.0.0.1 }
`
const gatewayPod = `
---
apiVersion: v1
kind: Pod
metadata: { name: gw, namespace: edge, labels: { istio: ingress } }
spec: { containers: [{ name: istio-proxy, args: [proxy, router] }] }
status: { podIP: 10.0.0.9 }
`

/** Without which there would be nothing to ask about. */
const AROUND: Readonly<Record<string, string>> = {
  'routing.emptySubsets': service('shop', 'cart'),
  'ambient.withoutWaypoint': captured,
  'ambient.unenforcedDenials': captured,
  'ambient.unservedNamespace': captured + service('shop', 'cart'),
  'authorization.optionalTokens': pod('shop', 'cart-1', 'app: cart'),
  'authorization.uncoveredBehindGateway':
    gatewayPod +
    service('shop', 'cart') +
    pod('shop', 'cart-1', 'app: cart') +
    object(
      'VirtualService',
      'edge',
      'v',
      '{ hosts: [a.com], gateways: [web], http: [{ route: [{ destination: { host: cart.shop.svc.cluster.local } }] }] }',
    ),
}

const strict = object('PeerAuthentication', 'shop', 'default', '{ mtls: { mode: STRICT } }')
const strictCart = object(
  'PeerAuthentication',
  'shop',
  'cart',
  '{ selector: { matchLabels: { app: cart } }, mtls: { mode: STRICT } }',
)
const plain = object('DestinationRule', 'shop', 'cart', '{ host: cart, trafficPolicy: { tls: { mode: DISABLE } } }')
const plainToAll = object(
  'DestinationRule',
  'shop',
  'all',
  '{ host: "*.shop.svc.cluster.local", trafficPolicy: { tls: { mode: DISABLE } } }',
)
const unset = object('PeerAuthentication', 'shop', 'default', '{}')
const unsetCart = object('PeerAuthentication', 'shop', 'cart', '{ selector: { matchLabels: { app: cart } } }')
const both = (namespace: string): string =>
  object('PeerAuthentication', namespace, 'default', '{ mtls: { mode: PERMISSIVE } }')
const cart = service('shop', 'cart') + pod('shop', 'cart-1', 'app: cart')

describe('of a few files modes of mTLS are told of where no further policy could change them', () => {
  test.each<[what: string, name: string, asked: string, around: string, partial: 'told' | 'skip']>([
    ['a client of a workload with a policy of its own', 'mtls.refusedClients', plain, cart + strictCart, 'told'],
    ['a policy for a workload that breaks a client', 'mtls.refusedClients', strictCart, cart + plain, 'told'],
    [
      'a client of a namespace, in which a workload may have its own',
      'mtls.refusedClients',
      plain,
      cart + strict,
      'skip',
    ],
    ['a policy of a namespace, beside which one may be', 'mtls.refusedClients', strict, cart + plain, 'skip'],
    ['a wildcard, under which a rule may be', 'mtls.refusedClients', plainToAll, cart + strictCart, 'skip'],
    ['a policy for a workload under a wildcard', 'mtls.refusedClients', strictCart, cart + plainToAll, 'skip'],
    ['a client of a Service that is not there', 'mtls.refusedClients', plain, strict, 'skip'],
    ['a workload below a namespace that accepts both', 'mtls.plaintext', unsetCart, cart + both('shop'), 'told'],
    [
      'a workload below a namespace that may say more',
      'mtls.plaintext',
      unsetCart,
      cart + both('istio-system'),
      'skip',
    ],
    ['a namespace, in which a workload may have its own', 'mtls.plaintext', unset, cart + both('istio-system'), 'skip'],
    ['a workload below nothing that is known', 'mtls.plaintext', unsetCart, cart, 'skip'],
  ])('%s', (_what, name, yaml, around, partial) => {
    const [asked] = objectsFrom(yaml)
    const answer = (knowledge: 'whole' | 'partial') =>
      asked && ask(name, { object: asked, mesh: objectsFrom(around), knowledge }).map(({ message }) => typeof message)
    expect(answer('whole')).toEqual(['string'])
    expect(answer('partial')).toEqual([partial === 'told' ? 'string' : 'undefined'])
  })
})

describe('of a few files nothing is said about what they may not show', () => {
  const around = (name: string): string => AROUND[name] ?? ''

  test.each(QUESTIONS)('%s skips the place, of %s', (name, yaml, field) => {
    const [asked] = objectsFrom(yaml)
    const skipped = asked && ask(name, { object: asked, mesh: objectsFrom(around(name)), knowledge: 'partial' })
    const place = name === 'routing.idleSubsetPolicies' ? 'spec.subsets' : field
    expect(skipped).toEqual([{ field: place, outcome: 'skip' }])
  })

  test.each(QUESTIONS)('%s answers once an object of the kind is known there, of %s', (name, yaml, field, enough) => {
    const [asked] = objectsFrom(yaml)
    const mesh = objectsFrom(around(name) + enough)
    const found = asked && ask(name, { object: asked, mesh, knowledge: 'partial' })
    expect(found?.map((each) => [each.field, typeof each.message])).toEqual([[field, 'string']])
  })

  test.each(QUESTIONS)('%s answers where all is known, of %s', (name, yaml, field) => {
    const [asked] = objectsFrom(yaml)
    const found = asked && ask(name, { object: asked, mesh: objectsFrom(around(name)) })
    expect(found?.map((each) => [each.field, typeof each.message])).toEqual([[field, 'string']])
  })
})

test('a selector of the root namespace selects in the whole mesh, of which a few files show no end', () => {
  const [policy] = objectsFrom(
    object('AuthorizationPolicy', 'istio-system', 'p', '{ selector: { matchLabels: { app: cart } } }'),
  )
  const mesh = objectsFrom(pod('istio-system', 'istiod', 'app: istiod'))
  const field = 'spec.selector.matchLabels'
  const answer = (knowledge: 'whole' | 'partial') =>
    policy && ask('authorization.idleSelector', { object: policy, mesh, knowledge })
  expect(answer('partial')).toEqual([{ field, outcome: 'skip' }])
  expect(answer('whole')).toMatchObject([{ field, atMost: 'Warn' }])
})
