import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { answersIn, verdictIn, type Asked } from './conversation-in.ts'
import {
  ambient,
  authorizationPolicy,
  gateway,
  gatewayInstallation,
  meshOf,
  object,
  peerAuthentication,
  pod,
  server,
  service,
  virtualService,
  waypoint,
} from './gateway-mesh.ts'

const SIDECAR = { labels: { 'security.istio.io/tlsMode': 'istio' } }
const HOST = 'shop.example'
const CART = 'cart.shop.svc.cluster.local'
const THROUGH = 'ok: an answer; it gets through to shop/cart: no policy forbids it'
const GATEWAY = 'cluster.local/ns/istio-system/sa/default'
const toCart = (port = 80): JsonObject => ({ destination: { host: CART, port: { number: port } } })
const http = server('80 HTTP', [HOST])
const https = server('443 HTTPS', [HOST], { tls: { mode: 'SIMPLE', credentialName: 'shop-tls' } })
const secret = object('Secret', 'istio-system/shop-tls', { data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } })
const other = object('Secret', 'istio-system/other', { data: {} })
const routed = virtualService('shop/v', {
  hosts: [HOST],
  gateways: ['istio-system/front'],
  http: [{ route: [toCart()] }],
})
const routing = (spec: JsonObject): KubeObject =>
  virtualService('shop/v', { hosts: [HOST], gateways: ['istio-system/front'], ...spec })
const front = (...servers: readonly JsonObject[]): KubeObject => gateway('istio-system/front', servers)
const from = (source: JsonObject): JsonObject => ({ from: [{ source }] })
const atGateway = (spec: JsonObject): KubeObject =>
  authorizationPolicy('istio-system/edge', { selector: { matchLabels: { istio: 'ingressgateway' } }, ...spec })

function world(objects: readonly KubeObject[]): MeshSnapshot {
  return meshOf(gatewayInstallation(), pod('shop/cart', SIDECAR), service('shop/cart'), objects)
}
const asked = (to: string, request: Asked['request'] = {}): Asked => ({ client: 'istio-system/gw-0', to, request })

describe('what somebody asks of a gateway', () => {
  const F = 'Gateway istio-system/front spec.servers'
  test.each<[string, readonly KubeObject[], Asked, string]>([
    ['goes where its route leads', [front(http), routed], asked(`${HOST}:80`), THROUGH],
    ['may name the port of the pod', [front(http), routed], asked(`${HOST}:8080`), THROUGH],
    ['may come in TLS', [front(https), routed, secret], asked(`${HOST}:443`), THROUGH],
    [
      'is refused where the certificate is not there',
      [front(https), routed, other],
      asked(`${HOST}:443`),
      `fails: connection reset; Secret istio-system/shop-tls for its TLS is not here — ${F}[0].tls.credentialName`,
    ],
    ['is taken not to be where no Secret is known', [front(https), routed], asked(`${HOST}:443`), THROUGH],
    [
      'is sent to https where the server says so',
      [front({ ...http, tls: { httpsRedirect: true } }, https), routed],
      asked(`${HOST}:80`),
      `ok: 301; the gateway sends plain requests to https — ${F}[0].tls.httpsRedirect`,
    ],
    [
      'meets conditions on the scheme',
      [front(https), routing({ http: [{ match: [{ scheme: { exact: 'http' } }], route: [toCart()] }] })],
      asked(`${HOST}:443`),
      'fails: 404; no route of VirtualService shop/v takes GET / — VirtualService shop/v spec.http',
    ],
    [
      'is not for a host without a VirtualService',
      [front(server('80 HTTP', ['*'])), routed],
      asked('other.example:80'),
      `fails: 404; no VirtualService has other.example — ${F}[0]`,
    ],
    [
      'is not for a host whose VirtualService is of a namespace that may not use it',
      [front(server('80 HTTP', [`pay/${HOST}`])), routed],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but Gateway istio-system/front takes it of other namespaces only — ${F}[0]`,
    ],
    [
      'is not for a host whose VirtualService is for other hosts of the Gateway',
      [front(server('80 HTTP', ['other.example'])), routed],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but Gateway istio-system/front takes no such host — ${F}[0]`,
    ],
    [
      'is not for a host whose VirtualService names another Gateway',
      [front(http), virtualService('shop/v', { hosts: [HOST], gateways: ['fornt'], http: [{ route: [toCart()] }] })],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but there is no Gateway shop/fornt — VirtualService shop/v spec.gateways`,
    ],
    [
      'is not for a host whose VirtualService names none',
      [front(http), virtualService('shop/v', { hosts: [HOST], http: [{ route: [toCart()] }] })],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but names no Gateway — VirtualService shop/v spec.gateways`,
    ],
    [
      'is not for a host whose VirtualService is not exported',
      [front(http), routing({ exportTo: ['.'], http: [{ route: [toCart()] }] })],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but is not exported to the namespace of the gateway — VirtualService shop/v spec.exportTo`,
    ],
    [
      'is not for a port whose protocol its routes are not for',
      [front(http), routing({ tcp: [{ route: [toCart()] }] })],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but has no route for Gateway istio-system/front — VirtualService shop/v spec.gateways`,
    ],
    [
      'is not for a port of another Gateway of its own',
      [
        front(http),
        gateway('istio-system/late', [server('8081 HTTP', ['*'])]),
        virtualService('shop/v', { hosts: [HOST], gateways: ['istio-system/late'], http: [{ route: [toCart()] }] }),
      ],
      asked(`${HOST}:80`),
      `fails: 404; VirtualService shop/v has ${HOST}, but is for Gateway istio-system/late, and not for this port of this gateway — VirtualService shop/v spec.gateways`,
    ],
    [
      'is for a host under a wildcard',
      [
        front(server('80 HTTP', ['*'])),
        virtualService('shop/v', {
          hosts: ['*.example'],
          gateways: ['istio-system/front'],
          http: [{ route: [toCart()] }],
        }),
      ],
      asked('other.example:80'),
      THROUGH,
    ],
    [
      'is not for TLS of another name',
      [front(https), routed],
      asked('other.example:443'),
      `fails: connection reset; no server of port 443 has anything to do for other.example — ${F}[0].hosts`,
    ],
    [
      'is not for a port that no server has',
      [front(http), routed],
      asked(`${HOST}:81`),
      `fails: connection refused; no Gateway opens port 81, but 80 — ${F}[0]`,
    ],
    [
      'is for nobody without a Gateway',
      [],
      asked(`${HOST}:80`),
      'fails: connection refused; no Gateway is for the gateway',
    ],
    [
      'is for nobody where the server is skipped',
      [
        gateway('istio-system/front', [server('443 TLS', [HOST], { tls: { mode: 'PASSTHROUGH' } })], { age: 1 }),
        gateway('istio-system/late', [https], { age: 2 }),
      ],
      asked(`${HOST}:443`),
      'fails: connection reset; skipped, as Gateway istio-system/front spec.servers[0] was there before: duplicate-host — Gateway istio-system/late spec.servers[0]',
    ],
    [
      'is for nobody where a server for others is skipped',
      [
        gateway('istio-system/front', [server('443 TLS', ['a.example'], { tls: { mode: 'PASSTHROUGH' } })], { age: 1 }),
        gateway('istio-system/late', [server('443 TLS', ['a.example'], { tls: { mode: 'PASSTHROUGH' } })], { age: 2 }),
      ],
      asked(`${HOST}:443`),
      `fails: connection reset; no server of port 443 has anything to do for ${HOST} — ${F}[0].hosts`,
    ],
    [
      'is answered by a route that leads nowhere',
      [front(http), routing({ http: [{ route: [{ destination: { host: 'cat', port: { number: 80 } } }] }] })],
      asked(`${HOST}:80`),
      'fails: 503; the route leads to cat.shop.svc.cluster.local, which the registry does not have — VirtualService shop/v spec.http[0].route[0].destination.host',
    ],
    [
      'goes on as mTLS with the identity of the gateway',
      [
        front(http),
        routed,
        peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } }),
        authorizationPolicy('shop/p', { rules: [from({ principals: [GATEWAY] })] }),
      ],
      asked(`${HOST}:80`),
      'ok: an answer; it gets through to shop/cart: a policy allows it — AuthorizationPolicy shop/p spec.rules[0]',
    ],
    [
      'is refused where a DestinationRule sends plaintext to STRICT',
      [
        front(http),
        routed,
        peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } }),
        object('DestinationRule', 'shop/plain', { spec: { host: CART, trafficPolicy: { tls: { mode: 'DISABLE' } } } }),
      ],
      asked(`${HOST}:80`),
      'fails: 503; the client speaks plaintext; the server takes mTLS only and resets the connection — DestinationRule shop/plain spec.trafficPolicy.tls.mode',
    ],
  ])('%s', (_, objects, question, expected) => {
    expect(verdictIn(world(objects), question)).toBe(expected)
  })
})

describe('the policies of a gateway', () => {
  const mutual = server('443 HTTPS', [HOST], { tls: { mode: 'ISTIO_MUTUAL' } })
  const onlyWeb = atGateway({ rules: [from({ principals: ['cluster.local/ns/shop/sa/web'] })] })
  test.each<[string, readonly KubeObject[], Asked, string]>([
    [
      'refuse a request before its route is asked',
      [front(http), atGateway({ action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin'] } }] }] })],
      asked(`${HOST}:80`, { path: '/admin' }),
      'fails: 403; a rule denies it to a client without an identity — AuthorizationPolicy istio-system/edge spec.rules[0]',
    ],
    [
      'say nothing of other requests',
      [front(http), routed, atGateway({ action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin'] } }] }] })],
      asked(`${HOST}:80`),
      THROUGH,
    ],
    [
      'may ask for the address of a client that is not here',
      [front(http), routed, atGateway({ rules: [from({ ipBlocks: ['10.0.0.0/8'] })] })],
      asked(`${HOST}:80`),
      'unknown: it depends; policies ask for the address of the client, which is not here — AuthorizationPolicy istio-system/edge spec.rules[0]',
    ],
    [
      'take the address that the request has',
      [front(http), routed, atGateway({ rules: [from({ ipBlocks: ['10.0.0.0/8'] })] })],
      asked(`${HOST}:80`, { ip: '10.2.3.4' }),
      THROUGH,
    ],
    [
      'ask in vain for an identity without mTLS, whatever the request says',
      [front(http), routed, onlyWeb],
      asked(`${HOST}:80`, { principal: 'cluster.local/ns/shop/sa/web' }),
      'fails: 403; no rule of AuthorizationPolicy istio-system/edge allows GET / of a client without an identity — AuthorizationPolicy istio-system/edge spec.rules',
    ],
    [
      'ask for one that is not here with it',
      [front(mutual), routed, onlyWeb],
      asked(`${HOST}:443`),
      'unknown: it depends; policies ask for the identity of the client, which is not here — AuthorizationPolicy istio-system/edge spec.rules[0]',
    ],
    [
      'take that of the request',
      [front(mutual), routed, onlyWeb],
      asked(`${HOST}:443`, { principal: 'cluster.local/ns/shop/sa/web' }),
      THROUGH,
    ],
    [
      'check tokens',
      [
        front(http),
        routed,
        object('RequestAuthentication', 'istio-system/jwt', { spec: { jwtRules: [{ issuer: 'here' }] } }),
      ],
      asked(`${HOST}:80`, { jwt: { issuer: 'there' } }),
      'fails: 401; its token is of the issuer "there", which the server does not know — RequestAuthentication istio-system/jwt spec.jwtRules',
    ],
  ])('%s', (_, objects, question, expected) => {
    expect(verdictIn(world(objects), question)).toBe(expected)
  })
})

describe('connections at a gateway', () => {
  const passing = server('443 TLS', [HOST], { tls: { mode: 'PASSTHROUGH' } })
  const tls = routing({ tls: [{ match: [{ sniHosts: [HOST] }], route: [toCart(5432)] }] })
  test.each<[string, readonly KubeObject[], Asked, readonly string[], string]>([
    [
      'go on unopened by their name',
      [front(passing), tls],
      asked(`${HOST}:443`),
      [`connections go to ${CART}:5432 — VirtualService shop/v spec.tls[0]`],
      THROUGH,
    ],
    [
      'go by a route for connections',
      [front(server('443 TCP', [HOST])), routing({ tcp: [{ route: [toCart(5432)] }] })],
      asked(`${HOST}:443`),
      [`connections go to ${CART}:5432 — VirtualService shop/v spec.tcp[0]`],
      THROUGH,
    ],
    [
      'meet no rule for HTTP',
      [front(passing), tls, atGateway({ rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })],
      asked(`${HOST}:443`),
      [],
      'fails: connection reset; no rule of AuthorizationPolicy istio-system/edge allows the connection of a client without an identity — AuthorizationPolicy istio-system/edge spec.rules',
    ],
    [
      'may go to whatever their name stands for',
      [front(server('443 TLS', [HOST], { tls: { mode: 'AUTO_PASSTHROUGH' } }))],
      asked(`${HOST}:443`),
      [],
      'unknown: it depends; AUTO_PASSTHROUGH sends TLS on to whatever host of the mesh its name stands for — Gateway istio-system/front spec.servers[0]',
    ],
  ])('%s', (_, objects, question, route, expected) => {
    const mesh = world(objects)
    expect([answersIn(mesh, 'route', question), verdictIn(mesh, question)]).toStrictEqual([route, expected])
  })
})

describe('what a gateway calls', () => {
  test('is told for each route that leads there', () => {
    const routes = routing({
      http: [
        { match: [{ uri: { prefix: '/a' } }], timeout: '2s', route: [toCart()] },
        {
          route: [
            { ...toCart(), weight: 90 },
            { destination: { host: 'cat', port: { number: 80 } }, weight: 10 },
          ],
        },
      ],
    })
    const mesh = world([front(server('80 HTTP', ['*']), https), routes])
    const [first, second] = ['VirtualService shop/v spec.http[0]', 'VirtualService shop/v spec.http[1]']
    expect([answersIn(mesh, 'route', asked('cart.shop:80')), verdictIn(mesh, asked('cart.shop:80'))]).toStrictEqual([
      [
        `[${first}] what it takes goes to ${CART}:80 — ${first}`,
        `[${second}] what it takes goes to ${CART}:80 — ${second}`,
      ],
      THROUGH,
    ])
  })

  test('is nothing where no route leads', () => {
    expect(verdictIn(world([front(http), routed]), asked('cart.shop:5432'))).toBe(
      'fails: connection refused; no Gateway opens port 5432, but 80 — Gateway istio-system/front spec.servers[0]',
    )
  })

  test('is what it serves, where that is one name', () => {
    const entry = object('ServiceEntry', 'shop/out', {
      spec: { hosts: ['api.example'], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'DNS' },
    })
    const egress = virtualService('shop/v', {
      hosts: ['api.example'],
      gateways: ['istio-system/front'],
      http: [{ route: [{ destination: { host: 'api.example', port: { number: 80 } } }] }],
    })
    const mesh = world([front(server('80 HTTP', ['api.example'])), entry, egress])
    expect(answersIn(mesh, 'listener', asked('api.example:80'))).toStrictEqual([
      'it serves api.example:80, port 8080 of the pod: plain text — Gateway istio-system/front spec.servers[0]',
    ])
  })
})

test('a gateway gets the Secret of a DestinationRule, which a sidecar does not', () => {
  const tls = { mode: 'SIMPLE', credentialName: 'client-tls' }
  const rule = object('DestinationRule', 'shop/tls', { spec: { host: CART, trafficPolicy: { tls } } })
  const mesh = world([front(http), routed, rule, pod('shop/web', SIDECAR)])
  const decider = 'DestinationRule shop/tls spec.trafficPolicy.tls.mode'
  expect([
    answersIn(mesh, 'transport', asked(`${HOST}:80`)),
    answersIn(mesh, 'transport', { to: 'cart:80' }),
  ]).toStrictEqual([
    [`TLS of the client's proxy, without an identity — ${decider}`],
    [`plaintext: TLS SIMPLE has no certificate that the proxy could use — ${decider}`],
  ])
})

describe('a gateway in front of a waypoint', () => {
  const behind = (labels: Readonly<Record<string, string>>): readonly KubeObject[] => [
    ambient('shop', { 'istio.io/use-waypoint': 'gate', ...labels }),
    pod('shop/cart'),
    waypoint('shop/gate'),
    front(http),
    routed,
    authorizationPolicy('shop/no', {
      action: 'DENY',
      targetRefs: [{ kind: 'Service', name: 'cart' }],
      rules: [from({ principals: [GATEWAY] })],
    }),
  ]
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['passes it by', {}, THROUGH],
    ['passes it by where it is told to', { 'istio.io/ingress-use-waypoint': 'false' }, THROUGH],
    [
      'goes through it where it is asked to',
      { 'istio.io/ingress-use-waypoint': 'true' },
      `fails: 403; a rule denies it to ${GATEWAY} — AuthorizationPolicy shop/no spec.rules[0]`,
    ],
  ])('%s', (_, labels, expected) => {
    expect(verdictIn(world(behind(labels)), asked(`${HOST}:80`))).toBe(expected)
  })
})
