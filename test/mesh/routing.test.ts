import { describe, expect, test } from 'vitest'

import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { clustersFor } from '../../src/mesh/cluster.ts'
import { clusterFact } from '../../src/mesh/fact-cluster.ts'
import { retriesFact, routeFact } from '../../src/mesh/fact-route.ts'
import { meshConfigOf } from '../../src/mesh/mesh-config.ts'
import { portOf } from '../../src/mesh/registry.ts'
import { isConnectLevel, maxTries, retriesOf, worstLatency } from '../../src/mesh/retries.ts'
import {
  destinationReferences,
  gatewayReferences,
  referencesToGateway,
  referencesToHost,
} from '../../src/mesh/references.ts'
import { shadowedMatches, type ShadowedMatch } from '../../src/mesh/route-reachability.ts'
import { routesTo, virtualServiceFor } from '../../src/mesh/routes.ts'
import { scopeFor } from '../../src/mesh/sidecar.ts'
import { visibleService } from '../../src/mesh/visibility.ts'
import { meshConfig, meshFrom, object, objectsFrom, pod, service } from './mesh-from.ts'

const SECOND = 1_000_000_000n
const cart = 'cart.shop.svc.cluster.local'
const client = { namespace: 'shop', labels: { app: 'web', tier: 'edge' } }
const world = service('shop', 'cart') + service('shop', 'stock')
const routing = (namespace: string, name: string, spec: string, minute = 0): string =>
  object('VirtualService', namespace, name, spec, minute)

function routes(yaml: string, host = cart, port = 80): unknown {
  const mesh = meshFrom(world + yaml)
  const found = routesTo(mesh, scopeFor(mesh, client), client, host, port)
  return found === undefined || found === 'default' ? found : found.map(routeFact)
}

/** The destinations of the routes, as `host:port/subset`, or what there is instead. */
function targets(yaml: string, host = cart, port = 80): unknown {
  const mesh = meshFrom(world + yaml)
  const found = routesTo(mesh, scopeFor(mesh, client), client, host, port)
  if (found === undefined || found === 'default') return found
  return found.map(({ action }) =>
    action.kind === 'forward'
      ? action.to
          .map(
            ({ host: to, port: at, subset }) => `${to.split('.')[0]}:${at}${subset === undefined ? '' : `/${subset}`}`,
          )
          .join(' ')
      : action.kind,
  )
}

const to = (host: string, more = ''): string => `route: [{ destination: { host: ${host} ${more} } }]`

describe('which routes a client uses', () => {
  test.each<[string, string, unknown]>([
    ['one for everything, where nothing is said', '', 'default'],
    [
      'those of a VirtualService, to the port that is called',
      routing('shop', 'v', `{ hosts: [cart], http: [{ ${to('stock')} }] }`),
      ['stock:80'],
    ],
    [
      'of two the older',
      routing('shop', 'b', `{ hosts: [cart], http: [{ ${to('stock')} }] }`, 1) +
        routing('shop', 'a', `{ hosts: [cart], http: [{ ${to('cart')} }] }`, 2),
      ['stock:80'],
    ],
    [
      'of two the one exported to it by name',
      routing('far', 'b', `{ hosts: [${cart}], http: [{ ${to(cart)} }] }`, 1) +
        routing(
          'far',
          'a',
          `{ hosts: [${cart}], exportTo: [shop], http: [{ ${to('stock.shop.svc.cluster.local')} }] }`,
          2,
        ),
      ['stock:80'],
    ],
    [
      'one private to its namespace before that',
      routing('far', 'b', `{ hosts: [${cart}], exportTo: [shop], http: [{ ${to(cart)} }] }`, 1) +
        routing('shop', 'a', `{ hosts: [${cart}], exportTo: ["."], http: [{ ${to('stock')} }] }`, 2),
      ['stock:80'],
    ],
    [
      'none that is not exported',
      routing('far', 'b', `{ hosts: [${cart}], exportTo: ["."], http: [{ ${to(cart)} }] }`),
      'default',
    ],
    [
      'none that is for gateways',
      routing('shop', 'v', `{ hosts: [cart], gateways: [g], http: [{ ${to('stock')} }] }`),
      'default',
    ],
    [
      'the next, where the first leaves nothing for it',
      routing('shop', 'b', `{ hosts: [cart], http: [{ match: [{ sourceLabels: { app: job } }], ${to('cart')} }] }`, 1) +
        routing('shop', 'a', `{ hosts: [cart], http: [{ ${to('stock')} }] }`, 2),
      ['stock:80'],
    ],
    [
      'a wildcard',
      routing('shop', 'v', `{ hosts: ["*.shop.svc.cluster.local"], http: [{ ${to('stock')} }] }`),
      ['stock:80'],
    ],
    [
      'an exact name before a wildcard',
      routing('shop', 'b', `{ hosts: ["*.shop.svc.cluster.local"], http: [{ ${to('cart')} }] }`, 1) +
        routing('shop', 'a', `{ hosts: [cart], http: [{ ${to('stock')} }] }`, 2),
      ['stock:80'],
    ],
    [
      'not a wildcard, where an exact name leaves nothing',
      routing('shop', 'b', `{ hosts: ["*.shop.svc.cluster.local"], http: [{ ${to('cart')} }] }`, 1) +
        routing('shop', 'a', `{ hosts: [cart], http: [{ match: [{ port: 81 }], ${to('stock')} }] }`, 2),
      'default',
    ],
    [
      'nothing behind a route for everything',
      routing(
        'shop',
        'v',
        `{ hosts: [cart], http: [{ match: [{ uri: { prefix: / } }], ${to('stock')} }, { ${to('cart')} }] }`,
      ),
      ['stock:80'],
    ],
    [
      'a condition on a gateway that lists mesh',
      routing(
        'shop',
        'v',
        `{ hosts: [cart], gateways: [mesh, g], http: [{ match: [{ gateways: [g] }], ${to('cart')} }, { match: [{ gateways: [mesh], sourceLabels: { app: no-one } }], ${to('stock')} }] }`,
      ),
      ['stock:80'],
    ],
    [
      'a port and a subset of its own',
      routing('shop', 'v', `{ hosts: [cart], http: [{ ${to('stock', ', subset: v1, port: { number: 9 }')} }] }`),
      ['stock:9/v1'],
    ],
    [
      'no destination without weight, unless it is alone',
      routing(
        'shop',
        'v',
        '{ hosts: [cart], http: [{ match: [{ uri: { exact: /a } }], route: [{ destination: { host: stock } }, { destination: { host: cart }, weight: 1 }] }, { route: [{ destination: { host: stock }, weight: 0 }] }] }',
      ),
      ['cart:80', 'stock:80'],
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(targets(yaml)).toEqual(expected)
  })

  test('and whose they are', () => {
    const mesh = meshFrom(world + routing('shop', 'v', `{ hosts: [cart], http: [{ ${to('stock')} }] }`))
    const named = ['cart', 'stock', 'none'].map((name) => {
      const host = `${name}.shop.svc.cluster.local`
      return virtualServiceFor(mesh, scopeFor(mesh, client), client, host, 80)?.object.metadata.name
    })
    expect(named).toEqual(['v', undefined, undefined])
  })

  test('none for what is no HTTP, for a port that is not there, and for a host that is not imported', () => {
    expect(targets('', cart, 5432)).toBeUndefined()
    expect(targets('', cart, 81)).toBeUndefined()
    expect(targets(object('Sidecar', 'shop', 's', '{ egress: [{ hosts: ["x/*"] }] }'))).toBeUndefined()
  })

  test('a route with everything', () => {
    const spec = `
      { hosts: [cart], http: [{
        name: all,
        match: [{ name: m, uri: { exact: /a }, ignoreUriCase: true, method: { exact: GET }, headers: { b: {}, a: { regex: "*" } }, withoutHeaders: { c: { prefix: x } }, queryParams: { v: { exact: "2" } } }],
        route: [{ destination: { host: stock } }], timeout: 2s, rewrite: { uri: /b, authority: x.example },
        mirror: { host: stock }, mirrors: [{ destination: { host: cart }, percentage: { value: 33.33333 } }, { destination: { host: cart }, percentage: { value: 0 } }],
        fault: { delay: { fixedDelay: 1500ms }, abort: { httpStatus: 503, percentage: { value: 0.1 } } },
        retries: { attempts: 3, perTryTimeout: 1s, retryOn: "reset,503", backoff: 10ms, retryRemoteLocalities: true } }] }`
    expect(routes(routing('shop', 'v', spec))).toEqual([
      {
        virtualService: 'shop/v',
        name: 'all.m',
        match: {
          path: { exact: '/a' },
          ignoreCase: true,
          method: { exact: 'GET' },
          headers: [
            { name: 'a', present: true },
            { name: 'b', present: true },
            { name: 'c', prefix: 'x', invert: true },
          ],
          queryParams: [{ name: 'v', exact: '2' }],
        },
        to: [{ host: 'stock.shop.svc.cluster.local', port: 80 }],
        timeout: '2s',
        retries: {
          attempts: 3,
          retryOn: 'reset,retriable-status-codes',
          retriableStatusCodes: [503],
          perTryTimeout: '1s',
          backoff: '10ms',
          ignorePreviousHosts: true,
          remoteLocalities: true,
        },
        mirrors: [
          { host: 'stock.shop.svc.cluster.local', port: 80, percent: 100 },
          { host: cart, port: 80, percent: 33.3333 },
        ],
        rewrite: { prefix: '/b', authority: 'x.example' },
        fault: { delay: { fixedDelay: '1.5s', percent: 0 }, abort: { httpStatus: 503, percent: 0.1 } },
      },
    ])
  })

  test('redirects and direct responses have neither timeout nor retries', () => {
    const spec =
      '{ hosts: [cart], http: [{ match: [{ uri: { exact: /a } }], redirect: { uri: /b, redirectCode: 308 } }, { directResponse: { status: 503, body: { string: down } } }] }'
    expect(routes(routing('shop', 'v', spec))).toEqual([
      {
        virtualService: 'shop/v',
        match: { path: { exact: '/a' } },
        timeout: null,
        retries: null,
        redirect: { code: 308, uri: '/b' },
      },
      {
        virtualService: 'shop/v',
        match: { path: { prefix: '/' } },
        timeout: null,
        retries: null,
        directResponse: { status: 503, body: 'down' },
      },
    ])
  })
})

describe('delegation', () => {
  const root = (more: string, match = '[{ uri: { prefix: /api } }]'): string =>
    routing(
      'shop',
      'root',
      `{ hosts: [cart], http: [{ match: ${match}, delegate: { name: part }, ${more} }, { ${to('cart')} }] }`,
    )
  const paths = (yaml: string): unknown => {
    const mesh = meshFrom(world + yaml)
    const found = routesTo(mesh, scopeFor(mesh, client), client, cart, 80)
    if (found === undefined || found === 'default') return found
    return found.map(routeFact).map((route) => [asObject(route.match).path, route.timeout])
  }

  test.each<[string, string, unknown]>([
    [
      'a narrower condition replaces the root\u2019s',
      root('') + routing('shop', 'part', `{ http: [{ match: [{ uri: { prefix: /api/v1 } }], ${to('stock')} }] }`),
      [
        [{ prefix: '/api/v1' }, null],
        [{ prefix: '/' }, null],
      ],
    ],
    [
      'one that is no part of it is dropped',
      root('') + routing('shop', 'part', `{ http: [{ match: [{ uri: { prefix: /other } }], ${to('stock')} }] }`),
      [[{ prefix: '/' }, null]],
    ],
    [
      'what the delegate leaves out comes from the root',
      root('timeout: 3s') + routing('shop', 'part', `{ http: [{ ${to('stock')} }] }`),
      [
        [{ prefix: '/api' }, '3s'],
        [{ prefix: '/' }, null],
      ],
    ],
    [
      'what it sets stays',
      root('timeout: 3s') + routing('shop', 'part', `{ http: [{ ${to('stock')}, timeout: 1s }] }`),
      [
        [{ prefix: '/api' }, '1s'],
        [{ prefix: '/' }, null],
      ],
    ],
    ['a missing delegate takes its entry away', root(''), [[{ prefix: '/' }, null]]],
    [
      'one that is not exported too',
      root('').replace('{ name: part }', '{ name: part, namespace: far }') +
        routing('far', 'part', `{ exportTo: ["."], http: [{ ${to(cart)} }] }`),
      [[{ prefix: '/' }, null]],
    ],
    [
      'one with hosts is none',
      root('') + routing('shop', 'part', `{ hosts: [stock], http: [{ ${to('stock')} }] }`),
      [[{ prefix: '/' }, null]],
    ],
    [
      'one that delegates to itself ends',
      root('') + routing('shop', 'part', '{ http: [{ delegate: { name: part } }] }'),
      [
        [{ prefix: '/api' }, null],
        [{ prefix: '/' }, null],
      ],
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(paths(yaml)).toEqual(expected)
  })
})

describe('retries', () => {
  const builtIn = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes'

  test.each([
    [undefined, { attempts: 2, retryOn: builtIn, ignorePreviousHosts: true }],
    [{}, null],
    [{ attempts: 0 }, null],
    [{ attempts: 3 }, { attempts: 3, retryOn: builtIn, ignorePreviousHosts: true }],
    [
      { attempts: 1, retryOn: '5xx' },
      { attempts: 1, retryOn: '5xx', ignorePreviousHosts: true },
    ],
    [
      { attempts: 1, retryOn: '503,599' },
      { attempts: 1, retryOn: '599,retriable-status-codes', retriableStatusCodes: [503], ignorePreviousHosts: true },
    ],
    [
      { attempts: 1, retryIgnorePreviousHosts: false },
      { attempts: 1, retryOn: builtIn, ignorePreviousHosts: false },
    ],
  ])('%j', (settings, expected) => {
    expect(retriesFact(retriesOf(settings, false))).toEqual(expected)
  })

  test('a hash keeps retries with their endpoint', () => {
    expect(retriesOf(undefined, true)?.ignorePreviousHosts).toBe(false)
  })

  test.each<[JsonObject | undefined, bigint | undefined, number, bigint | undefined]>([
    [{ attempts: 3, perTryTimeout: '1s' }, 2n * SECOND, 2, 2n * SECOND],
    [{ attempts: 3, perTryTimeout: '1s' }, 10n * SECOND, 4, 10n * SECOND],
    [{ attempts: 3, perTryTimeout: '5s' }, 2n * SECOND, 4, 2n * SECOND],
    [{ attempts: 5, perTryTimeout: '2s', retryOn: 'gateway-error' }, undefined, 6, 12n * SECOND + 775_000_000n],
    [{ attempts: 3 }, undefined, 4, undefined],
    [{ attempts: 0 }, undefined, 1, undefined],
    [undefined, 1n * SECOND, 3, 1n * SECOND],
  ])('%j within %s: %i tries, at most %s', (settings, timeout, tries, latency) => {
    const retries = retriesOf(settings, false)
    expect(maxTries(retries, timeout)).toBe(tries)
    expect(worstLatency(retries, timeout)).toBe(latency)
  })

  test.each([
    [undefined, true],
    [{ attempts: 2, retryOn: 'connect-failure' }, true],
    [{ attempts: 2, retryOn: 'connect-failure,503' }, false],
    [{ attempts: 2, retryOn: '5xx' }, false],
  ])('%j only retries what never arrived: %s', (settings, expected) => {
    const retries = retriesOf(settings, false)
    expect(retries && isConnectLevel(retries)).toBe(expected)
  })
})

describe('conditions that are never met', () => {
  test.each<[string, readonly string[]]>([
    [
      '{ http: [{ route: [] }, { match: [{ uri: { prefix: /api } }] }] }',
      ['entry spec.http[1] by spec.http[0]: covered', 'condition spec.http[1].match[0] by spec.http[0]: covered'],
    ],
    [
      '{ http: [{ match: [{ uri: { prefix: /api } }] }, { match: [{ uri: { prefix: /api/v1 } }, { uri: { prefix: /x } }] }] }',
      ['condition spec.http[1].match[0] by spec.http[0].match[0]: covered'],
    ],
    ['{ http: [{ match: [{ uri: { prefix: /api/v1 } }] }, { match: [{ uri: { prefix: /api } }] }] }', []],
    [
      '{ http: [{ match: [{ uri: { exact: /a } }] }, { match: [{ uri: { exact: /a } }] }] }',
      [
        'entry spec.http[1] by spec.http[0].match[0]: duplicate',
        'condition spec.http[1].match[0] by spec.http[0].match[0]: duplicate',
      ],
    ],
    ['{ http: [{ match: [{ uri: { exact: /a }, headers: { x: {} } }] }, { match: [{ uri: { exact: /a } }] }] }', []],
    [
      '{ http: [{ match: [{ uri: { exact: /a } }] }, { match: [{ uri: { exact: /a }, headers: { x: {} } }] }] }',
      [
        'entry spec.http[1] by spec.http[0].match[0]: covered',
        'condition spec.http[1].match[0] by spec.http[0].match[0]: covered',
      ],
    ],
    ['{ http: [{ match: [{ sourceLabels: { a: b } }] }, { match: [{ uri: { exact: /a } }] }] }', []],
    [
      '{ http: [{ match: [{ sourceNamespace: a }] }, { match: [{ sourceNamespace: a, uri: { exact: /a } }] }] }',
      [
        'entry spec.http[1] by spec.http[0].match[0]: covered',
        'condition spec.http[1].match[0] by spec.http[0].match[0]: covered',
      ],
    ],
    ['{ http: [{ match: [{ port: 80 }] }, { match: [{ uri: { exact: /a } }] }] }', []],
    [
      '{ http: [{ match: [{ uri: { regex: ".*" } }] }, { match: [{ uri: { exact: /a } }] }] }',
      [
        'entry spec.http[1] by spec.http[0].match[0]: covered',
        'condition spec.http[1].match[0] by spec.http[0].match[0]: covered',
      ],
    ],
    ['{ http: [{ match: [{ uri: { regex: "/a.*" } }] }, { match: [{ uri: { exact: /ab } }] }] }', []],
    ['{ http: [{ match: [{ uri: { prefix: /A } }] }, { match: [{ uri: { prefix: /a }, ignoreUriCase: true }] }] }', []],
    [
      '{ http: [{ match: [{ uri: { prefix: /A }, ignoreUriCase: true }] }, { match: [{ uri: { prefix: /abc } }] }] }',
      [
        'entry spec.http[1] by spec.http[0].match[0]: covered',
        'condition spec.http[1].match[0] by spec.http[0].match[0]: covered',
      ],
    ],
    ['{ http: [{ match: [{ gateways: [g] }] }, { match: [{ uri: { exact: /a } }] }] }', []],
    [
      '{ http: [{ match: [{ withoutHeaders: { x: {} } }] }, { match: [{ withoutHeaders: { x: { exact: a } } }] }] }',
      [],
    ],
    ['{ http: [{ route: [] }, { redirect: {} }] }', ['entry spec.http[1] by spec.http[0]: duplicate']],
    [
      '{ tcp: [{ match: [{ port: 80 }] }, { match: [{ port: 80 }, { port: 81 }] }] }',
      ['condition spec.tcp[1].match[0] by spec.tcp[0].match[0]: duplicate'],
    ],
    ['{ tcp: [{ route: [] }, { route: [] }] }', ['entry spec.tcp[1] by spec.tcp[0]: duplicate']],
    ['{ tcp: [{ match: [{ destinationSubnets: [10.0.0.0/8] }] }, { route: [] }] }', []],
    [
      '{ tcp: [{ route: [] }, { match: [{ destinationSubnets: [10.0.0.0/8] }] }] }',
      ['entry spec.tcp[1] by spec.tcp[0]: covered', 'condition spec.tcp[1].match[0] by spec.tcp[0]: covered'],
    ],
    ['{ tcp: [{ match: [{ sourceLabels: { a: b }, gateways: [g] }] }, { match: [{ gateways: [g] }] }] }', []],
    [
      '{ tls: [{ match: [{ sniHosts: [a.com, b.com] }] }, { match: [{ sniHosts: [a.com] }] }] }',
      [
        'entry spec.tls[1] by spec.tls[0].match[0]: covered',
        'condition spec.tls[1].match[0] by spec.tls[0].match[0]: covered',
      ],
    ],
    ['{ tls: [{ match: [{ sniHosts: ["*.com"] }] }, { match: [{ sniHosts: [a.com] }] }] }', []],
    [
      '{ tls: [{ match: [{ sniHosts: [a.com] }] }, { match: [{ sniHosts: [a.com], destinationSubnets: [10.0.0.0/8] }] }] }',
      [],
    ],
    ['{ tls: [{ route: [] }, { match: [{ sniHosts: [a.com] }] }] }', []],
    ['{ tcp: [{ route: [] }], tls: [{ match: [{ sniHosts: [a.com] }] }], http: [{ route: [] }] }', []],
  ])('%s', (spec, expected) => {
    const [found] = objectsFrom(routing('a', 'v', spec))
    expect(found && shadowedMatches(found).map(described)).toEqual(expected)
  })
})

describe('references', () => {
  const yaml = routing(
    'shop',
    'v',
    '{ hosts: [x], gateways: [mesh, web], http: [{ match: [{ gateways: [./web] }], route: [{ destination: { host: cart, subset: v1 } }], mirror: { host: stock } }], tcp: [{ route: [{ destination: { host: cart, port: { number: 9 } } }] }] }',
  )

  test('the destinations of a VirtualService with their places', () => {
    const [found] = objectsFrom(yaml)
    expect(found && destinationReferences(found)).toEqual([
      { object: found, field: 'spec.http[0].route[0].destination', isMirror: false, host: cart, subset: 'v1' },
      { object: found, field: 'spec.http[0].mirror', isMirror: true, host: 'stock.shop.svc.cluster.local' },
      { object: found, field: 'spec.tcp[0].route[0].destination', isMirror: false, host: cart, port: 9 },
    ])
  })

  test('who sends traffic to a host, and who names a gateway', () => {
    const mesh = meshFrom(yaml)
    expect(referencesToHost(mesh, cart).map(({ field }) => field)).toEqual([
      'spec.http[0].route[0].destination',
      'spec.tcp[0].route[0].destination',
    ])
    expect(referencesToHost(mesh, 'cart.other.svc.cluster.local')).toEqual([])
    expect(referencesToGateway(mesh, 'shop/web').map(({ field }) => field)).toEqual([
      'spec.gateways[1]',
      'spec.http[0].match[0].gateways[0]',
    ])
    const [found] = objectsFrom(yaml)
    expect(found && gatewayReferences(found).map(({ gateway }) => gateway)).toEqual(['mesh', 'shop/web', 'shop/web'])
  })
})

describe('what a client does towards a host', () => {
  const pods =
    pod('shop', 'cart-1', 'app: cart, version: v1') +
    pod('shop', 'cart-2', 'app: cart, version: v2').replace('security.istio.io/tlsMode: istio, ', '')
  const towards = (yaml: string, subset = ''): unknown => {
    const mesh = meshFrom(world + pods + yaml)
    const seen = visibleService(mesh, scopeFor(mesh, client), cart)
    const port = seen === undefined ? undefined : portOf(seen, 80)
    if (seen === undefined || port === undefined) return undefined
    const cluster = clustersFor(mesh, client, seen, port).get(subset)
    return cluster === undefined ? undefined : clusterFact(cluster, meshConfigOf(mesh))
  }
  const rule = (policy: string, more = ''): string =>
    object('DestinationRule', 'shop', 'd', `{ host: cart, trafficPolicy: { ${policy} } ${more} }`)
  const auto = { tls: 'AUTO', lb: 'LEAST_REQUEST', endpoints: { 'shop/cart-1': 'mtls', 'shop/cart-2': 'plaintext' } }

  test.each<[string, string, unknown]>([
    ['mTLS with those that have a sidecar', '', auto],
    [
      'plaintext where the namespace says so',
      object('PeerAuthentication', 'shop', 'p', '{ mtls: { mode: DISABLE } }'),
      { ...auto, tls: 'DISABLE', endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'plaintext to a workload that says so',
      object(
        'PeerAuthentication',
        'shop',
        'p',
        '{ selector: { matchLabels: { version: v1 } }, mtls: { mode: DISABLE } }',
      ),
      { ...auto, endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'plaintext without automatic mTLS',
      meshConfig('enableAutoMtls: false'),
      { ...auto, tls: 'DISABLE', endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'mTLS with all, where a rule says so',
      rule('tls: { mode: ISTIO_MUTUAL }'),
      { ...auto, tls: 'ISTIO_MUTUAL', endpoints: { 'shop/cart-1': 'mtls', 'shop/cart-2': 'mtls' } },
    ],
    [
      'a Secret that sidecars do not get is no TLS',
      rule('tls: { mode: SIMPLE, credentialName: x }'),
      { ...auto, tls: 'DISABLE', endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'mutual TLS without a certificate is none',
      rule('tls: { mode: MUTUAL }'),
      { ...auto, tls: 'DISABLE', endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'a port entry leaves TLS to each endpoint, which reads the rule',
      rule('tls: { mode: SIMPLE }, portLevelSettings: [{ port: { number: 80 } }]'),
      { ...auto, endpoints: { 'shop/cart-1': 'plaintext', 'shop/cart-2': 'plaintext' } },
    ],
    [
      'what the application chose, with a passthrough',
      rule('loadBalancer: { simple: PASSTHROUGH }'),
      { tls: 'DISABLE', lb: 'PASSTHROUGH' },
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(towards(yaml)).toEqual(expected)
  })

  test('a subset has its endpoints', () => {
    expect(towards(rule('tls: { mode: DISABLE }', ', subsets: [{ name: v2, labels: { version: v2 } }]'), 'v2')).toEqual(
      { tls: 'DISABLE', lb: 'LEAST_REQUEST', endpoints: { 'shop/cart-2': 'plaintext' } },
    )
  })
})

function described({ of, field, by, kind }: ShadowedMatch): string {
  return `${of} ${field} by ${by}: ${kind}`
}
