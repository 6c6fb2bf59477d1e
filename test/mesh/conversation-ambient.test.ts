import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { objectName } from '../../src/mesh/conversation/step.ts'
import { converseIn, verdictIn, type Asked } from './conversation-in.ts'
import {
  ambient,
  authorizationPolicy,
  meshOf,
  object,
  peerAuthentication,
  pod,
  service,
  virtualService,
  waypoint,
} from './gateway-mesh.ts'

const WEB = 'cluster.local/ns/shop/sa/web'
const USES_WAYPOINT = { 'istio.io/use-waypoint': 'gate' }
const SIDECAR = { labels: { 'security.istio.io/tlsMode': 'istio' } }

function inShop(objects: readonly KubeObject[]): MeshSnapshot {
  return meshOf(pod('shop/web'), pod('shop/cart'), service('shop/cart'), objects)
}

function verdict(objects: readonly KubeObject[], asked: Asked = {}): string {
  return verdictIn(inShop(objects), asked)
}

const from = (source: JsonObject): JsonObject => ({ from: [{ source }] })
const THROUGH = 'ok: an answer; it gets through to shop/cart: no policy forbids it'

describe('from ztunnel to ztunnel', () => {
  const strict = peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } })
  const plain = [pod('old/job'), object('Namespace', 'old')]
  test.each<[string, readonly KubeObject[], Asked, string]>([
    ['everything passes', [ambient('shop')], {}, THROUGH],
    ['STRICT is what it speaks', [ambient('shop'), strict], {}, THROUGH],
    [
      'but not what others speak',
      [ambient('shop'), strict, ...plain],
      { client: 'old/job', to: 'cart.shop:80' },
      'fails: connection reset; ztunnel takes mTLS only, which denies the connection of a client without an identity — PeerAuthentication shop/strict spec.mtls.mode',
    ],
    ['who may pass without STRICT', [ambient('shop'), ...plain], { client: 'old/job', to: 'cart.shop:80' }, THROUGH],
    [
      'a rule denies a client',
      [ambient('shop'), authorizationPolicy('shop/deny', { action: 'DENY', rules: [from({ principals: [WEB] })] })],
      {},
      `fails: connection reset; a rule denies the connection of ${WEB} — AuthorizationPolicy shop/deny spec.rules[0]`,
    ],
    [
      'a rule allows others only',
      [ambient('shop'), authorizationPolicy('shop/allow', { rules: [from({ namespaces: ['pay'] })] })],
      {},
      `fails: connection reset; no ALLOW policy allows the connection of ${WEB} — AuthorizationPolicy shop/allow spec.rules`,
    ],
    [
      'a port that the Service does not have',
      [ambient('shop')],
      { to: 'cart:81' },
      'fails: timeout; cart.shop.svc.cluster.local has no port 81, but 80, 5432: nobody answers there — Service shop/cart spec.ports',
    ],
  ])('%s', (_, objects, asked, expected) => {
    expect(verdict(objects, asked)).toBe(expected)
  })
})

describe('through a waypoint', () => {
  const gated = [ambient('shop', USES_WAYPOINT), waypoint('shop/gate')]
  const atService = (name: string, spec: JsonObject): KubeObject =>
    authorizationPolicy(name, { ...spec, targetRefs: [{ kind: 'Service', group: '', name: 'cart' }] })
  const route = (http: readonly JsonObject[]): KubeObject =>
    virtualService('shop/v', { hosts: ['cart.shop.svc.cluster.local'], http })
  test.each<[string, readonly KubeObject[], Asked, string]>([
    ['everything passes', gated, {}, THROUGH],
    [
      'its policies answer with 403',
      [...gated, atService('shop/deny', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin'] } }] }] })],
      { request: { path: '/admin' } },
      `fails: 403; a rule denies it to ${WEB} — AuthorizationPolicy shop/deny spec.rules[0]`,
    ],
    [
      'those for another path do not',
      [...gated, atService('shop/deny', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin'] } }] }] })],
      {},
      THROUGH,
    ],
    [
      'its routes may take no request',
      [...gated, route([{ match: [{ uri: { prefix: '/api' } }], route: [{ destination: { host: 'cart' } }] }])],
      {},
      'fails: 404; no route of VirtualService shop/v takes GET / — VirtualService shop/v spec.http',
    ],
    [
      'its routes may lead to a subset that is not there',
      [...gated, route([{ route: [{ destination: { host: 'cart', subset: 'v2' } }] }])],
      {},
      'fails: 503; subset "v2" is in no DestinationRule that the waypoint uses for cart.shop.svc.cluster.local — VirtualService shop/v spec.http[0].route[0].destination',
    ],
    [
      'its routes for connections may lead to nobody',
      [...gated, virtualService('shop/v', { hosts: ['cart'], tcp: [{ route: [{ destination: { host: 'cat' } }] }] })],
      { to: 'cart:5432' },
      'fails: connection reset; the route leads to cat.shop.svc.cluster.local:5432, which the registry does not have — VirtualService shop/v spec.tcp[0].route[0].destination',
    ],
    ['without such routes connections go to the service', [...gated], { to: 'cart:5432' }, THROUGH],
    [
      'ztunnel sees the waypoint, not the client',
      [...gated, authorizationPolicy('shop/allow', { rules: [from({ principals: [WEB] })] })],
      {},
      'fails: 503; no ALLOW policy allows the connection of cluster.local/ns/shop/sa/gate — AuthorizationPolicy shop/allow spec.rules',
    ],
  ])('%s', (_, objects, asked, expected) => {
    expect(verdict(objects, asked)).toBe(expected)
  })

  test('the steps name the waypoint and who asks for it', () => {
    const { steps } = converseIn(inShop(gated))
    expect(
      steps.map(({ topic, text, by }) => [topic, text, by === undefined ? '' : objectName(by.object)]),
    ).toStrictEqual([
      ['client', 'is in ambient: ztunnel carries what it sends', ''],
      ['host', 'cart.shop.svc.cluster.local, a host of Service shop/cart', 'Service shop/cart'],
      ['route', 'through the waypoint Gateway shop/gate', 'Namespace shop'],
      ['policy', 'none: everybody may call', ''],
      ['route', 'no VirtualService routes it: it goes to cart.shop.svc.cluster.local:80', ''],
      ['retries', 'tried up to 3 times; again where the request did not reach the server', ''],
      ['timeout', 'none: the client waits as long as the server takes', ''],
      ['timeout', '10s to connect', ''],
      ['transport', 'HBONE, with the identity of the waypoint', ''],
      ['server', 'shop/cart, reached over HBONE', ''],
      [
        'server',
        'port 8080 of a pod in ambient is PERMISSIVE: ztunnel takes HBONE and plaintext; no PeerAuthentication says otherwise',
        '',
      ],
      ['policy', 'none forbids the connection', ''],
    ])
  })

  test('not through one that is not ready', () => {
    const { steps, verdict: ending } = converseIn(inShop([ambient('shop', USES_WAYPOINT)]))
    expect([steps[2]?.text, ending.outcome]).toStrictEqual([
      'past the waypoint shop/gate, which is not used: WaypointIsNotReady',
      'ok',
    ])
  })
})

describe('at a waypoint', () => {
  const instance = pod('shop/gate-0', {
    labels: {
      'gateway.istio.io/managed': 'istio.io-mesh-controller',
      'gateway.networking.k8s.io/gateway-name': 'gate',
    },
  })
  const gated = [ambient('shop', USES_WAYPOINT), waypoint('shop/gate'), instance]
  const onlyWeb = authorizationPolicy('shop/p', {
    targetRefs: [{ kind: 'Service', name: 'cart' }],
    rules: [from({ principals: [WEB] })],
  })
  const client = 'shop/gate-0'
  test.each<[string, readonly KubeObject[], Asked, string]>([
    ['a request goes on to the service', gated, { client }, THROUGH],
    [
      'what nobody knows of who asks may decide',
      [...gated, onlyWeb],
      { client },
      'unknown: it depends; policies ask for the identity of the client, which is not here — AuthorizationPolicy shop/p spec.rules[0]',
    ],
    ['the request may say it', [...gated, onlyWeb], { client, request: { principal: WEB } }, THROUGH],
    [
      'and be refused for it',
      [...gated, onlyWeb],
      { client, request: { principal: 'cluster.local/ns/shop/sa/other' } },
      'fails: 403; no rule of AuthorizationPolicy shop/p allows GET / of cluster.local/ns/shop/sa/other — AuthorizationPolicy shop/p spec.rules',
    ],
    [
      'its routes count',
      [
        ...gated,
        virtualService('shop/v', {
          hosts: ['cart'],
          http: [{ route: [{ destination: { host: 'cart', subset: 'v2' } }] }],
        }),
      ],
      { client },
      'fails: 503; subset "v2" is in no DestinationRule that the waypoint uses for cart.shop.svc.cluster.local — VirtualService shop/v spec.http[0].route[0].destination',
    ],
    [
      'nothing comes for a service that does not use it',
      [...gated, service('shop/cart', { labels: { 'istio.io/use-waypoint': 'none' } })],
      { client },
      'fails: connection reset; Gateway shop/gate gets nothing for cart.shop.svc.cluster.local, which uses no waypoint — Service shop/cart metadata.labels["istio.io/use-waypoint"]',
    ],
    [
      'nothing comes for a service that may not use it',
      [ambient('shop', USES_WAYPOINT), waypoint('shop/gate', 'workload'), instance],
      { client },
      'fails: connection reset; Gateway shop/gate is not used for cart.shop.svc.cluster.local: UnsupportedTrafficType — Namespace shop metadata.labels["istio.io/use-waypoint"]',
    ],
    [
      'nor for a port that the service does not have',
      gated,
      { client, to: 'cart:81' },
      'fails: connection reset; cart.shop.svc.cluster.local has no port 81, but 80, 5432 — Service shop/cart spec.ports',
    ],
    [
      'without its Gateway nothing is known',
      [ambient('shop', USES_WAYPOINT), instance],
      { client },
      'unknown: it depends; the Gateway that the waypoint is an instance of is not here',
    ],
  ])('%s', (_, objects, asked, expected) => {
    expect(verdict(objects, asked)).toBe(expected)
  })
})

describe('between sidecars and ambient', () => {
  const mixed = [ambient('shop'), pod('pay/till', SIDECAR), object('Namespace', 'pay')]
  test.each<[string, readonly KubeObject[], string]>([
    ['what both transports pass is known', mixed, THROUGH],
    [
      'what only one passes depends on the installation',
      [...mixed, peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } })],
      'unknown: it depends; whether sidecars and ztunnel speak HBONE to each other is up to the installation: with it an answer, without it 503: ztunnel takes mTLS only, which denies the connection of a client without an identity — PeerAuthentication shop/strict spec.mtls.mode',
    ],
  ])('%s', (_, objects, expected) => {
    expect(verdict(objects, { client: 'pay/till', to: 'cart.shop:80' })).toBe(expected)
  })

  test('from ambient to a STRICT sidecar', () => {
    const objects = [
      ambient('shop'),
      pod('shop/cart', SIDECAR),
      peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } }),
    ]
    expect(verdict(objects)).toContain(
      'unknown: it depends; whether sidecars and ztunnel speak HBONE to each other is up to the installation',
    )
  })
})
