import { describe, expect, test } from 'vitest'

import type { Topic } from '../../src/mesh/conversation/step.ts'
import { answersIn, verdictIn, type Asked } from './conversation-in.ts'
import { meshConfig, meshFrom, object, pod, service } from './mesh-from.ts'

const world =
  pod('shop', 'web', 'app: web') +
  pod('shop', 'cart', 'app: cart, version: v1') +
  pod('pay', 'bank', 'app: bank') +
  service('shop', 'cart') +
  service('pay', 'bank')
const CART = 'cart.shop.svc.cluster.local'
const THROUGH = 'ok: an answer; it gets through to shop/cart: no policy forbids it'
const TO_BANK = 'ok: an answer; it gets through to pay/bank: no policy forbids it'
const WEB = 'cluster.local/ns/shop/sa/web'

function verdict(more: string, asked?: Asked): string {
  return verdictIn(meshFrom(world + more), asked)
}

function answers(topic: Topic, more: string, asked?: Asked): readonly string[] {
  return answersIn(meshFrom(world + more), topic, asked)
}

const routing = (name: string, spec: string, minute = 0): string => object('VirtualService', 'shop', name, spec, minute)
const rule = (namespace: string, name: string, spec: string): string => object('DestinationRule', namespace, name, spec)
const sidecar = (spec: string): string => object('Sidecar', 'shop', 'default', spec)
const strict = object('PeerAuthentication', 'shop', 'strict', '{ mtls: { mode: STRICT } }')
const allow = (name: string, spec: string): string => object('AuthorizationPolicy', 'shop', name, spec)

describe('the name that is called', () => {
  test.each<readonly [string, string, string]>([
    ['cart:80', THROUGH, `${CART}, a host of Service shop/cart — Service shop/cart metadata.name`],
    ['CART:80', THROUGH, `${CART}, a host of Service shop/cart — Service shop/cart metadata.name`],
    ['cart.shop:80', THROUGH, `${CART}, a host of Service shop/cart — Service shop/cart metadata.name`],
    ['cart.shop.svc:80', THROUGH, `${CART}, a host of Service shop/cart — Service shop/cart metadata.name`],
    [`${CART}:80`, THROUGH, `${CART}, a host of Service shop/cart — Service shop/cart metadata.name`],
    ['bank.pay:80', TO_BANK, 'bank.pay.svc.cluster.local, a host of Service pay/bank — Service pay/bank metadata.name'],
    ['bank:80', 'fails: DNS failure; there is no Service for "bank"; did you mean "bank.pay"?', ''],
    ['nobody:80', 'fails: DNS failure; there is no Service for "nobody"', ''],
    ['bnak.pay:80', 'fails: DNS failure; there is no Service for "bnak.pay"; did you mean "bank.pay"?', ''],
    [
      'api.example:80',
      'ok: an answer; it leaves the mesh as the application sends it',
      'api.example is no host of the registry',
    ],
  ])('%s', (to, ending, host) => {
    expect([verdict('', { to }), answers('host', '', { to }).join()]).toStrictEqual([ending, host])
  })

  test('may be an address', () => {
    const own = service('pay', 'bank').replace('10.1.0.1', '10.1.0.2')
    expect(answers('host', own, { to: '10.1.0.2:80' })).toStrictEqual([
      'bank.pay.svc.cluster.local, a host of Service pay/bank — Service pay/bank metadata.name',
    ])
    expect(answers('host', own, { to: '10.1.0.3:80' })).toStrictEqual(['10.1.0.3 is no host of the registry'])
  })

  const alias = (name: string, target: string): string =>
    object(
      'Service',
      'shop',
      name,
      `{ type: ExternalName, externalName: ${target}, ports: [{ port: 80, name: http }] }`,
    ).replace('networking.istio.io/v1', 'v1')
  test('an ExternalName stands for another', () => {
    const asked = { to: 'basket:80' }
    expect([verdict(alias('basket', CART), asked), answers('host', alias('basket', CART), asked)]).toStrictEqual([
      THROUGH,
      [
        'basket.shop.svc.cluster.local, a host of Service shop/basket — Service shop/basket metadata.name',
        `stands for ${CART} — Service shop/basket spec.externalName`,
      ],
    ])
  })
  test('ExternalNames in a circle stand for nothing', () => {
    const circle = alias('a', 'b.shop.svc.cluster.local') + alias('b', 'a.shop.svc.cluster.local')
    expect(verdict(circle, { to: 'a:80' })).toBe(
      'fails: DNS failure; the ExternalName Services behind a.shop.svc.cluster.local lead in a circle',
    )
  })
})

describe('what the client sees', () => {
  const closed = '{ outboundTrafficPolicy: { mode: REGISTRY_ONLY }, egress: [{ hosts: ["./*"] }] }'
  test.each<readonly [string, string, Asked, string]>([
    ['everything without a Sidecar', '', { to: 'bank.pay:80' }, TO_BANK],
    ['what the Sidecar imports', sidecar('{ egress: [{ hosts: ["./*"] }] }'), {}, THROUGH],
    [
      'what it does not import passes in plaintext',
      sidecar('{ egress: [{ hosts: ["./*"] }] }'),
      { to: 'bank.pay:80' },
      TO_BANK,
    ],
    [
      'and is blocked where only the registry counts',
      sidecar(closed),
      { to: 'bank.pay:80' },
      'fails: 502; the Sidecar imports [./*], and so not pay/bank.pay.svc.cluster.local:80; outbound traffic to what the client does not see is blocked — Sidecar shop/default spec.egress[0].hosts',
    ],
    [
      'by closing the connection where no HTTP is served on the port',
      sidecar(closed),
      { to: 'bank.pay:5432' },
      'fails: connection reset; the Sidecar imports [./*], and so not pay/bank.pay.svc.cluster.local:5432; outbound traffic to what the client does not see is blocked — Sidecar shop/default spec.egress[0].hosts',
    ],
    ['what the Sidecar imports is not blocked', sidecar(closed), {}, THROUGH],
    [
      'MeshConfig may block what nobody knows',
      meshConfig('outboundTrafficPolicy: { mode: REGISTRY_ONLY }'),
      { to: 'api.example:80' },
      'fails: 502; the registry has no api.example; outbound traffic to what the client does not see is blocked — ConfigMap istio-system/istio data.mesh outboundTrafficPolicy',
    ],
    [
      'a route to a host makes it visible',
      sidecar(closed) +
        routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: bank.pay.svc.cluster.local } }] }] }'),
      {},
      TO_BANK,
    ],
  ])('%s', (_, more, asked, expected) => {
    expect(verdict(more, asked)).toBe(expected)
  })
})

describe('the route', () => {
  const two =
    '{ hosts: [cart], http: [{ name: admin, match: [{ uri: { prefix: /admin }, method: { exact: POST } }], route: [{ destination: { host: bank.pay.svc.cluster.local } }] }, { match: [{ uri: { exact: / } }, { headers: { x-beta: { regex: "y(es)?" } } }], route: [{ destination: { host: cart } }] }] }'
  test.each<readonly [string, string, Asked, string]>([
    [
      'is the first that takes the request',
      routing('v', two),
      { request: { method: 'POST', path: '/admin?x=1' } },
      TO_BANK,
    ],
    [
      'not one whose method is another',
      routing('v', two),
      { request: { path: '/admin' } },
      'fails: 404; no route of VirtualService shop/v takes GET /admin — VirtualService shop/v spec.http',
    ],
    [
      'any of the conditions will do',
      routing('v', two),
      { request: { path: '/x', headers: { 'X-Beta': 'yes' } } },
      THROUGH,
    ],
    [
      'a regular expression matches the whole value',
      routing('v', two),
      { request: { path: '/x', headers: { 'x-beta': 'yess' } } },
      'fails: 404; no route of VirtualService shop/v takes GET /x — VirtualService shop/v spec.http',
    ],
    [
      'may lead to a host that nobody has',
      routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cat } }] }] }'),
      {},
      'fails: 503; the route leads to cat.shop.svc.cluster.local, which the registry does not have — VirtualService shop/v spec.http[0].route[0].destination.host',
    ],
    [
      'may lead to a port that the host does not have',
      routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cart, port: { number: 81 } } }] }] }'),
      {},
      `fails: 503; the route leads nowhere: ${CART} has no port 81, but 80, 5432 — Service shop/cart spec.ports`,
    ],
    [
      'may redirect',
      routing('v', '{ hosts: [cart], http: [{ redirect: { uri: /x } }] }'),
      {},
      "ok: 301; the client's sidecar redirects it — VirtualService shop/v spec.http[0].redirect",
    ],
    [
      'may answer with an error',
      routing('v', '{ hosts: [cart], http: [{ directResponse: { status: 503 } }] }'),
      {},
      "fails: 503; the client's sidecar answers it itself — VirtualService shop/v spec.http[0].directResponse",
    ],
    [
      'may abort some requests',
      routing(
        'v',
        '{ hosts: [cart], http: [{ fault: { abort: { httpStatus: 500, percentage: { value: 10 } } }, route: [{ destination: { host: cart } }] }] }',
      ),
      {},
      "partly: 500; 10 % of the requests: the client's sidecar aborts it on purpose — VirtualService shop/v spec.http[0].fault.abort",
    ],
    [
      'aborts none where it is not said how many',
      routing(
        'v',
        '{ hosts: [cart], http: [{ fault: { abort: { httpStatus: 500 } }, route: [{ destination: { host: cart } }] }] }',
      ),
      {},
      THROUGH,
    ],
    [
      'may fail for one of its destinations',
      routing(
        'v',
        '{ hosts: [cart], http: [{ route: [{ destination: { host: cart }, weight: 3 }, { destination: { host: cat }, weight: 1 }] }] }',
      ),
      {},
      'partly: 503; 25 % of the requests (cat.shop.svc.cluster.local:80): the route leads to cat.shop.svc.cluster.local, which the registry does not have — VirtualService shop/v spec.http[0].route[1].destination.host',
    ],
    [
      'may fail for more than one',
      routing(
        'v',
        '{ hosts: [cart], http: [{ route: [{ destination: { host: cart }, weight: 1 }, { destination: { host: cat }, weight: 2 }, { destination: { host: cat, subset: b }, weight: 1 }, { destination: { host: no }, weight: 0 }] }] }',
      ),
      {},
      'partly: 503; 75 % of the requests (cat.shop.svc.cluster.local:80 and others): the route leads to cat.shop.svc.cluster.local, which the registry does not have — VirtualService shop/v spec.http[0].route[1].destination.host',
    ],
    ['for HTTP says nothing of connections', routing('v', two), { to: 'cart:5432' }, THROUGH],
    [
      'of a name without a Service is taken all the same',
      routing('v', '{ hosts: [old.example], http: [{ route: [{ destination: { host: cart } }] }] }'),
      { to: 'old.example:80' },
      THROUGH,
    ],
  ])('%s', (_, more, asked, expected) => {
    expect(verdict(more, asked)).toBe(expected)
  })

  test('of an older VirtualService hides those of a younger', () => {
    const plain = '{ hosts: [cart], http: [{ route: [{ destination: { host: cart } }] }] }'
    expect(answers('route', routing('a', plain, 2) + routing('b', plain, 1))).toStrictEqual([
      `ignored: it names ${CART} as well, and VirtualService shop/b comes before it — VirtualService shop/a spec.hosts`,
      `GET / goes to ${CART}:80 — VirtualService shop/b spec.http[0]`,
    ])
  })

  test('that takes everything hides those behind it', () => {
    const shadowing =
      '{ hosts: [cart], http: [{ route: [{ destination: { host: cart } }] }, { match: [{ uri: { prefix: /v2 } }], route: [{ destination: { host: bank.pay.svc.cluster.local } }] }] }'
    expect(answers('route', routing('v', shadowing), { request: { path: '/v2' } })).toStrictEqual([
      `GET /v2 goes to ${CART}:80 — VirtualService shop/v spec.http[0]`,
      'never reached: spec.http[0] takes all that it would — VirtualService shop/v spec.http[1]',
    ])
  })

  test('rewrites what policies see', () => {
    const rewriting =
      '{ hosts: [cart], http: [{ match: [{ uri: { prefix: /api/ } }], rewrite: { uri: / }, route: [{ destination: { host: cart } }] }] }'
    const policy = allow('p', '{ rules: [{ to: [{ operation: { paths: [/items] } }] }] }')
    expect(verdict(routing('v', rewriting) + policy, { request: { path: '/api/items' } })).toBe(
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/p spec.rules[0]',
    )
    expect(verdict(policy, { request: { path: '/api/items' } })).toBe(
      `fails: 403; no rule of AuthorizationPolicy shop/p allows GET /api/items of ${WEB} — AuthorizationPolicy shop/p spec.rules`,
    )
  })
})

describe('which deadline wins', () => {
  const route = (more: string): string =>
    routing('v', `{ hosts: [cart], http: [{ ${more} route: [{ destination: { host: cart } }] }] }`)
  const V = 'VirtualService shop/v spec.http[0]'
  test.each<readonly [string, string, string, string]>([
    [
      'none by default',
      '',
      'tried up to 3 times; again where the request did not reach the server',
      'none: the client waits as long as the server takes',
    ],
    [
      'the timeout of the route',
      route('timeout: 5s,'),
      'tried up to 3 times; again where the request did not reach the server',
      `5s for all tries together — ${V}.timeout`,
    ],
    [
      'that of the route, before the tries are over',
      route('timeout: 5s, retries: { attempts: 3, perTryTimeout: 2s, retryOn: 5xx },'),
      `tried up to 3 times, each for at most 2s; again on 5xx — ${V}.retries`,
      `5s for all tries together, which cuts tries short that might take 8.275s — ${V}.timeout`,
    ],
    [
      'that of the tries, before that of the route',
      route('timeout: 30s, retries: { attempts: 3, perTryTimeout: 2s, retryOn: 5xx },'),
      `tried up to 4 times, each for at most 2s; again on 5xx — ${V}.retries`,
      `30s for all tries together; the tries are over sooner, after 8.275s — ${V}.timeout`,
    ],
    [
      'that of the route, before the first try is over',
      route('timeout: 1s, retries: { attempts: 3, perTryTimeout: 2s, retryOn: 5xx },'),
      `tried up to 4 times, each for at most 2s; again on 5xx — ${V}.retries`,
      `1s for all tries together, which ends the first try before its own 2s are over — ${V}.timeout`,
    ],
    [
      'that of the tries alone',
      route('retries: { attempts: 1, perTryTimeout: 2s },'),
      `tried up to 2 times, each for at most 2s; again where the request did not reach the server — ${V}.retries`,
      `no timeout for the route; its tries end after 4.025s at the latest — ${V}.retries`,
    ],
    [
      'none where retries are switched off',
      route('retries: { attempts: 0 },'),
      `tried once: retries are switched off — ${V}.retries`,
      'none: the client waits as long as the server takes',
    ],
    [
      'retries may be those of MeshConfig',
      meshConfig('defaultHttpRetryPolicy: { attempts: 5 }'),
      'tried up to 6 times; again where the request did not reach the server — ConfigMap istio-system/istio data.mesh defaultHttpRetryPolicy',
      'none: the client waits as long as the server takes',
    ],
  ])('%s', (_, more, retries, timeout) => {
    expect([answers('retries', more), answers('timeout', more)]).toStrictEqual([[retries], [timeout, '10s to connect']])
  })
})

describe('the limits of the destination', () => {
  const BUILT_IN = 'tried up to 3 times; again where the request did not reach the server'
  const WAITS = 'none: the client waits as long as the server takes'
  const cart = (policy: string, more = ''): string =>
    rule('shop', 'cart', `{ host: cart, trafficPolicy: ${policy} ${more} }`)
  const C = 'DestinationRule shop/cart spec.trafficPolicy'
  test.each<readonly [string, string, Asked, readonly string[], readonly string[]]>([
    [
      'a budget of retries',
      cart('{ retryBudget: { percent: 12.5, minRetryConcurrency: 5 } }'),
      {},
      [BUILT_IN, `at once for at most 12.5 % of the requests under way, and for 5 in any case — ${C}.retryBudget`],
      [WAITS, '10s to connect'],
    ],
    [
      "the budget's own limits, where it names none",
      cart('{ retryBudget: {} }'),
      {},
      [BUILT_IN, `at once for at most 20 % of the requests under way, and for 3 in any case — ${C}.retryBudget`],
      [WAITS, '10s to connect'],
    ],
    [
      'a number of retries',
      cart('{ connectionPool: { http: { maxRetries: 7 } } }'),
      {},
      [BUILT_IN, `at once for at most 7 requests — ${C}.connectionPool.http.maxRetries`],
      [WAITS, '10s to connect'],
    ],
    [
      'a number that a budget takes the place of',
      cart('{ retryBudget: {}, connectionPool: { http: { maxRetries: 7 } } }'),
      {},
      [
        BUILT_IN,
        `at once for at most 20 % of the requests under way, and for 3 in any case — ${C}.retryBudget`,
        `not at once for at most 7 requests: the budget takes its place — ${C}.connectionPool.http.maxRetries`,
      ],
      [WAITS, '10s to connect'],
    ],
    [
      'the time to connect, of the entry for the port',
      cart(
        '{ connectionPool: { tcp: { connectTimeout: 9s } }, portLevelSettings: [{ port: { number: 80 }, connectionPool: { tcp: { connectTimeout: 2s } } }] }',
      ),
      {},
      [BUILT_IN],
      [WAITS, `2s to connect — ${C}.portLevelSettings[0].connectionPool.tcp.connectTimeout`],
    ],
    [
      'of a subset before those of the host',
      cart(
        '{ connectionPool: { http: { maxRetries: 7 } } }',
        ', subsets: [{ name: v1, labels: { version: v1 }, trafficPolicy: { connectionPool: { tcp: { connectTimeout: 1s } } } }]',
      ) + routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cart, subset: v1 } }] }] }'),
      {},
      [BUILT_IN],
      [
        WAITS,
        '1s to connect — DestinationRule shop/cart spec.subsets[0].trafficPolicy.connectionPool.tcp.connectTimeout',
      ],
    ],
    [
      'of MeshConfig where no rule has any',
      meshConfig('connectTimeout: 3s\ndefaultTrafficPolicy: { connectionPool: { http: { maxRetries: 4 } } }'),
      {},
      [BUILT_IN, 'at once for at most 4 requests — ConfigMap istio-system/istio data.mesh defaultTrafficPolicy'],
      [WAITS, '3s to connect — ConfigMap istio-system/istio data.mesh connectTimeout'],
    ],
    [
      'of retries say nothing of connections that are not HTTP',
      cart('{ retryBudget: {}, connectionPool: { tcp: { connectTimeout: 4s }, http: { maxRetries: 7 } } }'),
      { to: 'cart:5432' },
      [],
      [`4s to connect — ${C}.connectionPool.tcp.connectTimeout`],
    ],
  ])('%s', (_, more, asked, retries, timeout) => {
    expect([answers('retries', more, asked), answers('timeout', more, asked)]).toStrictEqual([retries, timeout])
  })
})

describe('the destination and its transport', () => {
  const subset = routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cart, subset: v2 } }] }] }')
  const tls = (mode: string, more = ''): string =>
    rule('shop', 'cart', `{ host: cart, trafficPolicy: { tls: { mode: ${mode} ${more} } } }`)
  const plain = (yaml: string): string => yaml.replace('security.istio.io/tlsMode: istio, ', '')
  const disabled = object('PeerAuthentication', 'shop', 'plaintext', '{ mtls: { mode: DISABLE } }')
  const TLS = 'DestinationRule shop/cart spec.trafficPolicy.tls.mode'

  test.each<readonly [string, string, string]>([
    [
      'a subset without any DestinationRule',
      subset,
      `fails: 503; subset "v2" is in no DestinationRule that namespace shop uses for ${CART} — VirtualService shop/v spec.http[0].route[0].destination.subset`,
    ],
    [
      'a subset that only a rule of another namespace has',
      subset +
        rule('shop', 'cart', '{ host: cart, subsets: [{ name: v1 }] }') +
        rule('pay', 'cart', `{ host: ${CART}, subsets: [{ name: v2 }] }`),
      `fails: 503; there is no subset "v2" of ${CART}, but v1; DestinationRule pay/cart has it, but is not the one in use — DestinationRule shop/cart spec.subsets`,
    ],
    [
      'a subset that selects no pod',
      subset + rule('shop', 'cart', '{ host: cart, subsets: [{ name: v2, labels: { version: v2 } }] }'),
      `fails: 503; nothing that runs here is behind subset "v2" of ${CART} — DestinationRule shop/cart spec.subsets[0].labels`,
    ],
    [
      'a subset that selects one',
      subset + rule('shop', 'cart', '{ host: cart, subsets: [{ name: v2, labels: { version: v1 } }] }'),
      THROUGH,
    ],
    ['automatic mTLS to STRICT', strict, THROUGH],
    ['automatic mTLS to DISABLE, which it notices', disabled, THROUGH],
    [
      'plaintext to STRICT',
      strict + tls('DISABLE'),
      `fails: 503; the client speaks plaintext; the server takes mTLS only and resets the connection — ${TLS}`,
    ],
    ['plaintext to PERMISSIVE', tls('DISABLE'), THROUGH],
    ['mTLS to STRICT', strict + tls('ISTIO_MUTUAL'), THROUGH],
    [
      'mTLS to DISABLE',
      disabled + tls('ISTIO_MUTUAL'),
      `fails: 503; the client speaks mTLS; the server takes plaintext only — ${TLS}`,
    ],
    [
      'TLS to STRICT',
      strict + tls('SIMPLE'),
      `fails: 503; the client speaks TLS without an identity; the server takes mTLS only — ${TLS}`,
    ],
    [
      'TLS to PERMISSIVE',
      tls('SIMPLE'),
      `unknown: it depends; it takes an application that serves TLS itself on that port — ${TLS}`,
    ],
    [
      'mTLS to a pod without a sidecar',
      plain(pod('shop', 'cart', 'app: cart')) + tls('ISTIO_MUTUAL'),
      `fails: 503; the client speaks mTLS to pods that have no sidecar — ${TLS}`,
    ],
    [
      'automatic mTLS to a pod without a sidecar, which it notices',
      plain(pod('shop', 'cart', 'app: cart')) + strict,
      'ok: an answer; it gets through to shop/cart: nothing of the mesh is before the application',
    ],
    [
      'mTLS that expects somebody else',
      tls('ISTIO_MUTUAL', ', subjectAltNames: [spiffe://cluster.local/ns/shop/sa/stock]'),
      `fails: 503; the certificate is of service account cart, which is none of subjectAltNames — ${TLS}`,
    ],
    [
      'mTLS that expects the server',
      tls('ISTIO_MUTUAL', ', subjectAltNames: [spiffe://cluster.local/ns/shop/sa/cart]'),
      THROUGH,
    ],
    [
      'one of two pods without a sidecar',
      plain(pod('shop', 'cart-2', 'app: cart')) + tls('ISTIO_MUTUAL'),
      `partly: 503; 50 % of the endpoints (shop/cart-2): the client speaks mTLS to pods that have no sidecar — ${TLS}`,
    ],
    [
      'one of two pods, on a route',
      plain(pod('shop', 'cart-2', 'app: cart')) +
        tls('ISTIO_MUTUAL') +
        routing('v', '{ hosts: [cart], http: [{ route: [{ destination: { host: cart } }] }] }'),
      `partly: 503; 50 % of the endpoints (shop/cart-2): the client speaks mTLS to pods that have no sidecar — ${TLS}`,
    ],
    [
      'a gateway',
      plain(pod('shop', 'cart', 'app: cart')).replace(
        'labels:',
        'annotations: { inject.istio.io/templates: gateway }, labels:',
      ),
      'unknown: it depends; a gateway: its Gateways and VirtualServices decide — Pod shop/cart spec',
    ],
  ])('%s', (_, more, expected) => {
    expect(verdict(more)).toBe(expected)
  })

  test('what keeps automatic mTLS out is named', () => {
    const asked = meshConfig('enableAutoMtls: false')
    expect([answers('transport', disabled), answers('transport', asked), answers('transport', '')]).toStrictEqual([
      ['plaintext: automatic mTLS takes no part — PeerAuthentication shop/plaintext spec.mtls.mode'],
      ['plaintext: automatic mTLS takes no part — ConfigMap istio-system/istio data.mesh enableAutoMtls'],
      ['mTLS to pods with a sidecar, plaintext to others: automatic mTLS'],
    ])
  })

  test('replicas are told once, and what differs on its own', () => {
    const replicas = ['cart-1', 'cart-2', 'cart-3'].map((name) => pod('shop', name, 'app: cart')).join('')
    expect(answers('server', replicas)).toStrictEqual([
      'shop/cart, shop/cart-1 and 2 more, reached in mTLS',
      'port 8080 is PERMISSIVE: it takes mTLS and plaintext',
    ])
    expect(answers('server', plain(pod('shop', 'cart-2', 'app: cart')) + strict)).toStrictEqual([
      '[shop/cart] shop/cart, reached in mTLS',
      '[shop/cart] port 8080 is STRICT: it takes mTLS only — PeerAuthentication shop/strict spec.mtls.mode',
      '[shop/cart-2] shop/cart-2, reached in plaintext',
      "[shop/cart-2] no sidecar and no ztunnel: port 8080 is the application's own",
    ])
  })
})

describe('hosts outside of the mesh', () => {
  const entry = (port: string, more = ''): string =>
    object('ServiceEntry', 'shop', 'api', `{ hosts: [api.example], resolution: DNS, ports: [${port}] ${more} }`)
  const simple = rule('shop', 'api', '{ host: api.example, trafficPolicy: { tls: { mode: SIMPLE } } }')
  const TLS = 'DestinationRule shop/api spec.trafficPolicy.tls.mode'
  test.each<readonly [string, string, string]>([
    [
      'plain HTTP to a port for it',
      entry('{ number: 80, name: http, protocol: HTTP }'),
      'ok: an answer; it gets through to api.example:80: as the application sends it, as far as the mesh decides',
    ],
    [
      'TLS of the sidecar to a port for it',
      entry('{ number: 80, name: http, protocol: HTTP, targetPort: 443 }') + simple,
      'ok: an answer; it gets through to api.example:443: in TLS, as far as the mesh decides',
    ],
    [
      'plain HTTP to a port for TLS',
      entry('{ number: 80, name: http, protocol: HTTP, targetPort: 443 }'),
      'unknown: it depends; plain HTTP goes to port 443; a server that expects TLS there answers 400',
    ],
    [
      'TLS in TLS',
      entry('{ number: 80, name: tls, protocol: TLS }') + simple,
      `fails: connection reset; port 80 is tls: TLS of the application inside TLS of its sidecar — ${TLS}`,
    ],
    [
      'any address, where the entry resolves none',
      entry('{ number: 80, name: http, protocol: HTTP }').replace('DNS', 'NONE'),
      'ok: an answer; it gets through to api.example:80: as the application sends it, as far as the mesh decides',
    ],
    [
      'a name behind a wildcard',
      entry('{ number: 80, name: http, protocol: HTTP }').replace('DNS', 'NONE').replace('api.example', '"*.example"'),
      'ok: an answer; it gets through to *.example:80: as the application sends it, as far as the mesh decides',
    ],
    [
      'a name behind a wildcard with routes of its own',
      entry('{ number: 80, name: http, protocol: HTTP }').replace('DNS', 'NONE').replace('api.example', '"*.example"') +
        routing('v', '{ hosts: [api.example], http: [{ route: [{ destination: { host: cart } }] }] }'),
      THROUGH,
    ],
    [
      'mTLS of the mesh',
      entry('{ number: 80, name: http, protocol: HTTP }') + simple.replace('SIMPLE', 'ISTIO_MUTUAL'),
      `fails: 503; the client speaks mTLS of the mesh to a host that is outside of it — ${TLS}`,
    ],
  ])('%s', (_, more, expected) => {
    expect(verdict(more, { to: 'api.example:80' })).toBe(expected)
  })
})

describe('what policies say', () => {
  const from = (source: string): string => `rules: [{ from: [{ source: { ${source} } }] }]`
  test.each<readonly [string, string, Asked, string]>([
    [
      'nothing is allowed by a policy without rules',
      allow('none', '{}'),
      {},
      `fails: 403; AuthorizationPolicy shop/none allows nothing, and nothing else allows GET / of ${WEB} — AuthorizationPolicy shop/none spec.rules`,
    ],
    [
      'another policy opens what that closes',
      allow('none', '{}') + allow('web', `{ ${from(`principals: [${WEB}]`)} }`),
      {},
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/web spec.rules[0]',
    ],
    [
      'the policy to change is the one that has rules',
      allow('none', '{}') + allow('web', `{ ${from('namespaces: [pay]')} }`),
      {},
      `fails: 403; no rule of AuthorizationPolicy shop/web or 1 more allows GET / of ${WEB} — AuthorizationPolicy shop/web spec.rules`,
    ],
    [
      'DENY comes first',
      allow('all', '{ rules: [{}] }') + allow('deny', `{ action: DENY, ${from('namespaces: [shop]')} }`),
      {},
      `fails: 403; a rule denies it to ${WEB} — AuthorizationPolicy shop/deny spec.rules[0]`,
    ],
    ['a DENY for others does not matter', allow('deny', `{ action: DENY, ${from('namespaces: [pay]')} }`), {}, THROUGH],
    [
      'plaintext has no identity',
      allow('web', `{ ${from(`principals: [${WEB}]`)} }`) +
        rule('shop', 'cart', '{ host: cart, trafficPolicy: { tls: { mode: DISABLE } } }'),
      {},
      'fails: 403; no rule of AuthorizationPolicy shop/web allows GET / of a client without an identity: it speaks plaintext — AuthorizationPolicy shop/web spec.rules',
    ],
    [
      'TCP has no answer to give',
      allow('none', '{}'),
      { to: 'cart:5432' },
      `fails: connection reset; AuthorizationPolicy shop/none allows nothing, and nothing else allows the connection of ${WEB} — AuthorizationPolicy shop/none spec.rules`,
    ],
    [
      'an external authorizer is not known',
      allow('ext', '{ action: CUSTOM, provider: { name: opa }, rules: [{}] }'),
      {},
      'unknown: it depends; an external authorizer has the last word — AuthorizationPolicy shop/ext spec.rules[0]',
    ],
    [
      'a token of an unknown issuer',
      object('RequestAuthentication', 'shop', 'jwt', '{ jwtRules: [{ issuer: here }] }'),
      { request: { jwt: { issuer: 'there', sub: 'me' } } },
      'fails: 401; its token is of the issuer "there", which the server does not know — RequestAuthentication shop/jwt spec.jwtRules',
    ],
    [
      'a token of a known one',
      object('RequestAuthentication', 'shop', 'jwt', '{ jwtRules: [{ issuer: here }] }'),
      { request: { jwt: { issuer: 'here', sub: 'me' } } },
      THROUGH,
    ],
    [
      'the address of a pod counts',
      allow('ip', `{ ${from('ipBlocks: [10.0.0.0/24]')} }`),
      {},
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/ip spec.rules[0]',
    ],
  ])('%s', (_, more, asked, expected) => {
    expect(verdict(more, asked)).toBe(expected)
  })

  test('the address of what does not run yet is not known', () => {
    const job = `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: job, namespace: shop }
spec: { template: { metadata: { labels: { app: job, security.istio.io/tlsMode: istio } }, spec: { containers: [{ name: a }] } } }
`
    const ip = allow('ip', `{ ${from('ipBlocks: [10.0.0.0/24]')} }`)
    expect(verdict(job + ip, { client: 'shop/job' })).toBe(
      'unknown: it depends; policies ask for the address of the client, which is not here — AuthorizationPolicy shop/ip spec.rules[0]',
    )
    // whoever is allowed for another reason is allowed whatever the address
    expect(verdict(job + ip + allow('shop', `{ ${from('namespaces: [shop]')} }`), { client: 'shop/job' })).toBe(
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/shop spec.rules[0]',
    )
  })
})
