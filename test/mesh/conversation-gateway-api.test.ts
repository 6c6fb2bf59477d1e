import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { answersIn, verdictIn, type Asked } from './conversation-in.ts'
import { authorizationPolicy, meshOf, object, pod, service } from './gateway-mesh.ts'

const HOST = 'shop.example'
const CART = 'cart.shop.svc.cluster.local'
const THROUGH = 'ok: an answer; it gets through to shop/cart: no policy forbids it'
const SIDECAR = { labels: { 'security.istio.io/tlsMode': 'istio' } }
const instance = object(
  'Pod',
  'edge/front-istio-0',
  { spec: { serviceAccountName: 'front-istio', containers: [{ name: 'istio-proxy', args: ['proxy', 'router'] }] } },
  {
    labels: {
      'gateway.networking.k8s.io/gateway-name': 'front',
      'gateway.istio.io/managed': 'istio.io-gateway-controller',
    },
  },
)
const all = { allowedRoutes: { namespaces: { from: 'All' } } }
const http = { name: 'http', port: 80, protocol: 'HTTP', ...all }
const https = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'tls' }] }, ...all }
const toCart = { backendRefs: [{ name: 'cart', port: 80 }] }

function gateway(...listeners: readonly JsonObject[]): KubeObject {
  // `Waypoint` is a Gateway of the Gateway API
  return object('Waypoint', 'edge/front', { spec: { gatewayClassName: 'istio', listeners } })
}
function route(spec: JsonObject, kind = 'HTTPRoute', name = 'shop/r', age = 1): KubeObject {
  const parentRefs = [{ name: 'front', namespace: 'edge' }]
  return object(kind, name, { spec: { parentRefs, hostnames: [HOST], ...spec } }, { age })
}
function world(objects: readonly KubeObject[]): MeshSnapshot {
  return meshOf(instance, pod('shop/cart', SIDECAR), service('shop/cart'), objects)
}
const asked = (to: string, path = '/'): Asked => ({ client: 'edge/front-istio-0', to, request: { path } })
const F = 'Gateway edge/front spec.listeners'
const R = 'HTTPRoute shop/r spec.rules'

describe('what somebody asks of a gateway of the Gateway API', () => {
  test.each<[string, readonly KubeObject[], Asked, string]>([
    ['goes where its route leads', [gateway(http), route({ rules: [toCart] })], asked(`${HOST}:80`), THROUGH],
    ['may come in TLS', [gateway(https), route({ rules: [toCart] })], asked(`${HOST}:443`), THROUGH],
    [
      'is refused where the certificate is not there',
      [gateway(https), route({ rules: [toCart] }), object('Secret', 'edge/other', { data: {} })],
      asked(`${HOST}:443`),
      `fails: connection reset; Secret edge/tls for its TLS is not here — ${F}[0].tls.certificateRefs[0]`,
    ],
    [
      'is not for a route that names another Gateway',
      [gateway(http), route({ parentRefs: [{ name: 'back', namespace: 'edge' }], rules: [toCart] })],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'is not for a route that names another listener',
      [
        gateway(http),
        route({ parentRefs: [{ name: 'front', namespace: 'edge', sectionName: 'https' }], rules: [toCart] }),
      ],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'is not for a route of a namespace that may not attach',
      [gateway({ ...http, allowedRoutes: {} }), route({ rules: [toCart] })],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'is for a route of a namespace that is selected',
      [
        gateway({
          ...http,
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } },
        }),
        object('Namespace', 'shop', {}, { labels: { team: 'a' } }),
        route({ rules: [toCart] }),
      ],
      asked(`${HOST}:80`),
      THROUGH,
    ],
    [
      'is not for a kind of route that the listener does not take',
      [
        gateway({ ...http, allowedRoutes: { ...all.allowedRoutes, kinds: [{ kind: 'GRPCRoute' }] } }),
        route({ rules: [toCart] }),
      ],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'is for any host without hostnames, within that of the listener',
      [gateway({ ...http, hostname: '*.example' }), route({ hostnames: [], rules: [toCart] })],
      asked('any.example:80'),
      THROUGH,
    ],
    [
      'goes to the listener that is closest to its host',
      [
        gateway(http, { ...http, name: 'own', hostname: HOST }),
        route({ parentRefs: [{ name: 'front', namespace: 'edge', sectionName: 'http' }], rules: [toCart] }),
      ],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'meets a prefix by whole segments',
      [gateway(http), route({ rules: [{ matches: [{ path: { value: '/api/' } }], ...toCart }] })],
      asked(`${HOST}:80`, '/apis'),
      `fails: 404; no route of HTTPRoute shop/r takes GET /apis — ${R}`,
    ],
    [
      'meets a prefix as a whole path',
      [gateway(http), route({ rules: [{ matches: [{ path: { value: '/api/' } }], ...toCart }] })],
      asked(`${HOST}:80`, '/api'),
      THROUGH,
    ],
    [
      'is answered with 500 without a backend',
      [gateway(http), route({ rules: [{ backendRefs: [] }] })],
      asked(`${HOST}:80`),
      `fails: 500; the gateway answers it itself — ${R}[0].backendRefs`,
    ],
    [
      'is answered with 500 for a backend that is not there',
      [gateway(http), route({ rules: [{ backendRefs: [{ name: 'cat', port: 80 }] }] })],
      asked(`${HOST}:80`),
      `fails: 500; the route leads to cat.shop.svc.cluster.local, which the registry does not have — ${R}[0].backendRefs[0].name`,
    ],
    [
      'is answered with 500 for a backend of another namespace',
      [
        gateway(http),
        route({ rules: [{ backendRefs: [{ name: 'cart', namespace: 'shop', port: 80 }] }] }, 'HTTPRoute', 'web/r'),
      ],
      asked(`${HOST}:80`),
      'fails: 500; the route may not use its backend: no ReferenceGrant of its namespace allows it, or it is of a kind that Istio does not send to — HTTPRoute web/r spec.rules[0].backendRefs[0].name',
    ],
    [
      'goes to one that a ReferenceGrant allows',
      [
        gateway(http),
        route({ rules: [{ backendRefs: [{ name: 'cart', namespace: 'shop', port: 80 }] }] }, 'HTTPRoute', 'web/r'),
        object('ReferenceGrant', 'shop/g', {
          spec: {
            from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'web' }],
            to: [{ group: '', kind: 'Service' }],
          },
        }),
      ],
      asked(`${HOST}:80`),
      THROUGH,
    ],
    [
      'may be redirected',
      [
        gateway(http),
        route({
          rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }] }],
        }),
      ],
      asked(`${HOST}:80`),
      `ok: 301; the gateway redirects it — ${R}[0].filters`,
    ],
    [
      'takes no route with a filter that nobody knows',
      [gateway(http), route({ rules: [{ filters: [{ type: 'ExtensionRef' }], ...toCart }] })],
      asked(`${HOST}:80`),
      `fails: 404; no route that is attached to the listener has ${HOST} — ${F}[0]`,
    ],
    [
      'is judged by policies that target the Gateway',
      [
        gateway(http),
        route({ rules: [toCart] }),
        authorizationPolicy('edge/no', {
          action: 'DENY',
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'front' }],
          rules: [{}],
        }),
      ],
      asked(`${HOST}:80`),
      'fails: 403; a rule denies it to a client without an identity — AuthorizationPolicy edge/no spec.rules[0]',
    ],
    [
      'may be a call of gRPC',
      [
        gateway(http),
        route({ rules: [{ matches: [{ method: { service: 'shop.Cart', method: 'Add' } }], ...toCart }] }, 'GRPCRoute'),
      ],
      asked(`${HOST}:80`, '/shop.Cart/Add'),
      THROUGH,
    ],
    [
      'may be a call of gRPC of another method',
      [
        gateway(http),
        route({ rules: [{ matches: [{ method: { service: 'shop.Cart', method: 'Add' } }], ...toCart }] }, 'GRPCRoute'),
      ],
      asked(`${HOST}:80`, '/shop.Cart/Drop'),
      'fails: 404; no route of GRPCRoute shop/r takes GET /shop.Cart/Drop — GRPCRoute shop/r spec.rules',
    ],
    [
      'may be TLS that is passed on by its name',
      [
        gateway({ name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' }, ...all }),
        route({ rules: [{ backendRefs: [{ name: 'cart', port: 5432 }] }] }, 'TLSRoute'),
      ],
      asked(`${HOST}:443`),
      THROUGH,
    ],
    [
      'may be a connection',
      [
        gateway({ name: 'tcp', port: 5000, protocol: 'TCP', ...all }),
        route({ rules: [{ backendRefs: [{ name: 'cart', port: 5432 }] }] }, 'TCPRoute'),
      ],
      asked(`${HOST}:5000`),
      THROUGH,
    ],
  ])('%s', (_, objects, question, expected) => {
    expect(verdictIn(world(objects), question)).toBe(expected)
  })
})

describe('a route of the Gateway API', () => {
  test.each<[string, readonly KubeObject[], string, string]>([
    [
      'comes before another that says less, whatever their order and age',
      [
        route({ rules: [{ matches: [{ path: { value: '/a' } }], ...toCart }] }, 'HTTPRoute', 'shop/old', 1),
        route(
          { rules: [{ matches: [{ path: { value: '/a' } }, { path: { type: 'Exact', value: '/a/b' } }], ...toCart }] },
          'HTTPRoute',
          'shop/new',
          2,
        ),
      ],
      '/a/b',
      `GET /a/b goes to ${CART}:80 — HTTPRoute shop/new spec.rules[0]`,
    ],
    [
      'comes after an older one that says the same',
      [route({ rules: [toCart] }, 'HTTPRoute', 'shop/new', 2), route({ rules: [toCart] }, 'HTTPRoute', 'shop/old', 1)],
      '/',
      `GET / goes to ${CART}:80 — HTTPRoute shop/old spec.rules[0]`,
    ],
  ])('%s', (_, routes, path, expected) => {
    expect(answersIn(world([gateway(http), ...routes]), 'route', asked(`${HOST}:80`, path))).toStrictEqual([expected])
  })

  test('has deadlines and retries under names of its own', () => {
    const rule = { ...toCart, timeouts: { request: '5s', backendRequest: '1s' }, retry: { attempts: 1, codes: [503] } }
    const mesh = world([gateway(http), route({ rules: [rule] })])
    expect([
      answersIn(mesh, 'retries', asked(`${HOST}:80`)),
      answersIn(mesh, 'timeout', asked(`${HOST}:80`)),
    ]).toStrictEqual([
      [
        `tried up to 2 times, each for at most 1s; again on connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,503 — ${R}[0].retry`,
      ],
      [`5s for all tries together; the tries are over sooner, after 2.025s — ${R}[0].timeouts`, '10s to connect'],
    ])
  })

  test('rewrites a prefix without a second slash', () => {
    const rule = {
      matches: [{ path: { value: '/api' } }],
      filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } }],
      ...toCart,
    }
    const policy = authorizationPolicy('shop/p', { rules: [{ to: [{ operation: { paths: ['/items'] } }] }] })
    expect(verdictIn(world([gateway(http), route({ rules: [rule] }), policy]), asked(`${HOST}:80`, '/api/items'))).toBe(
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/p spec.rules[0]',
    )
  })
})
