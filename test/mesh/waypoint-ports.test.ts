import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { ambientServicesOfRule, ambientServicesOfVirtualService } from '../../src/mesh/ambient-services.ts'
import { enforcedRuleName } from '../../src/mesh/authorization.ts'
import { ruleName } from '../../src/mesh/destination-rule.ts'
import { allServices } from '../../src/mesh/registry.ts'
import { virtualServiceName } from '../../src/mesh/virtual-service.ts'
import { waypointPorts, type WaypointPort } from '../../src/mesh/waypoint-ports.ts'
import {
  ambient,
  authorizationPolicy,
  find,
  meshOf,
  object,
  pod,
  service,
  virtualService,
  waypoint,
  type Extras,
} from './gateway-mesh.ts'

const ELSEWHERE = { 'istio.io/use-waypoint': 'waypoint', 'istio.io/use-waypoint-namespace': 'infra' }

/** The ports of `shop/cart` at a waypoint in `infra`: HTTP, then TCP. */
function ports(...objects: readonly KubeObject[]): readonly WaypointPort[] {
  const mesh = meshOf(
    ambient('shop', ELSEWHERE),
    waypoint('infra/waypoint', 'service', 'All'),
    service('shop/cart'),
    objects,
  )
  const [cart] = allServices(mesh)
  return cart === undefined ? [] : waypointPorts(mesh, find(mesh, 'Waypoint', 'infra/waypoint'), cart)
}

const prefix = (path: string, rest: JsonObject = {}): JsonObject => ({
  match: [{ uri: { prefix: path }, ...rest }],
  route: [TO_CART],
})
const TO_CART = { destination: { host: 'cart.shop.svc.cluster.local', port: { number: 80 } } }
const route = (
  name: string,
  http: readonly JsonObject[],
  rest: JsonObject = {},
  extras: Extras = { age: 1 },
): KubeObject => virtualService(name, { hosts: ['cart.shop.svc.cluster.local'], http, ...rest }, extras)

describe('the routes of a waypoint', () => {
  const routes = (...objects: readonly KubeObject[]): readonly string[] | string => {
    const [http] = ports(...objects)
    if (http?.traffic.kind !== 'http') return 'no HTTP'
    if (http.traffic.routes === 'default') return 'default'
    return http.traffic.routes.map(({ virtualService: own, match }) =>
      [virtualServiceName(own.object), ...Object.values(match.path)].join(' '),
    )
  }

  test.each<[string, readonly KubeObject[], readonly string[] | string]>([
    ['are one for everything', [], 'default'],
    ['are those of the service’s namespace', [route('shop/v', [prefix('/a')])], ['shop/v /a']],
    ['are those of its own namespace', [route('infra/v', [prefix('/a')])], ['infra/v /a']],
    ['are nobody else’s', [route('pay/v', [prefix('/a')])], 'default'],
    ['are those exported to it', [route('shop/v', [prefix('/a')], { exportTo: ['.'] })], 'default'],
    ['are not for gateways', [route('shop/v', [prefix('/a')], { gateways: ['g'] })], 'default'],
    [
      'are of all VirtualServices, one after the other',
      [route('shop/new', [prefix('/b')], {}, { age: 2 }), route('shop/old', [prefix('/a')])],
      ['shop/old /a', 'shop/new /b'],
    ],
    [
      'stand behind one for everything, and are never asked',
      [route('shop/new', [prefix('/b')], {}, { age: 2 }), route('shop/old', [{ route: [TO_CART] }])],
      ['shop/old /', 'shop/new /b'],
    ],
    [
      'know no labels of the source',
      [route('shop/v', [prefix('/a', { sourceLabels: { app: 'x' } }), prefix('/b')])],
      ['shop/v /b'],
    ],
    [
      'come from wildcards too',
      [virtualService('shop/v', { hosts: ['*.shop.svc.cluster.local'], http: [prefix('/a')] })],
      ['shop/v /a'],
    ],
  ])('%s', (_, objects, expected) => {
    expect(routes(...objects)).toEqual(expected)
  })
})

describe('the connections of a waypoint', () => {
  const targets = (...objects: readonly KubeObject[]): readonly string[] => {
    const [, tcp] = ports(...objects)
    return tcp?.traffic.kind === 'tcp'
      ? tcp.traffic.to.map(({ host, port }) => `${host.split('.', 1).join()}:${port}`)
      : []
  }
  const to = (host: string): JsonObject => ({ route: [{ destination: { host: `${host}.shop.svc.cluster.local` } }] })

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    ['go to the service', [], ['cart:5432']],
    [
      'go where the first tcp route says',
      [route('shop/v', [], { tcp: [{ match: [{ port: 1 }], ...to('x') }, to('y')] })],
      ['y:5432'],
    ],
    [
      'go where a tls route says before that',
      [
        route('shop/v', [], {
          tcp: [to('x')],
          tls: [{ match: [{ sniHosts: ['cart.shop.svc.cluster.local'] }], ...to('y') }],
        }),
      ],
      ['y:5432'],
    ],
    [
      'do not know other names',
      [route('shop/v', [], { tls: [{ match: [{ sniHosts: ['x.com'] }], ...to('y') }] })],
      ['cart:5432'],
    ],
    [
      'do not know the source',
      [
        route('shop/v', [], {
          tcp: [
            { match: [{ sourceLabels: { app: 'x' } }], ...to('x') },
            { match: [{ sourceNamespace: 'shop' }], ...to('y') },
          ],
        }),
      ],
      ['cart:5432'],
    ],
  ])('%s', (_, objects, expected) => {
    expect(targets(...objects)).toEqual(expected)
  })
})

describe('the policies of a waypoint', () => {
  const names = (...objects: readonly KubeObject[]) =>
    ports(...objects).map(({ rules, requestAuthentications }) => [
      ...Object.entries(rules).map(([action, list]) => `${action} ${list.map(enforcedRuleName).join()}`),
      ...requestAuthentications.map(virtualServiceName),
    ])
  const policy = (name: string, targetRef: JsonObject, rules: readonly JsonObject[] = [{}]): KubeObject =>
    authorizationPolicy(name, { targetRefs: [targetRef], rules })
  const CART = { kind: 'Service', group: '', name: 'cart' }
  const OWN = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'waypoint' }
  const CLASS = { kind: 'GatewayClass', group: 'gateway.networking.k8s.io', name: 'istio-waypoint' }

  test.each<[string, readonly KubeObject[], readonly (readonly string[])[]]>([
    ['are none', [], [[], []]],
    [
      'name the Service, it or its class',
      [policy('shop/s', CART), policy('infra/g', OWN), policy('istio-system/c', CLASS)],
      [['ALLOW istio-system/c#0,infra/g#0,shop/s#0'], ['ALLOW istio-system/c#0,infra/g#0,shop/s#0']],
    ],
    ['name the Service from its own namespace', [policy('infra/s', CART)], [[], []]],
    ['name it from its own namespace', [policy('shop/g', OWN)], [[], []]],
    [
      'never select',
      [authorizationPolicy('infra/p', { rules: [{}] }), authorizationPolicy('istio-system/p', {})],
      [[], []],
    ],
    [
      'lose their HTTP on TCP',
      [policy('shop/s', CART, [{ to: [{ operation: { methods: ['GET'] } }] }])],
      [['ALLOW shop/s#0'], ['ALLOW ']],
    ],
    [
      'ask for tokens on HTTP only',
      [object('RequestAuthentication', 'shop/ra', { spec: { targetRefs: [CART] } })],
      [['shop/ra'], []],
    ],
  ])('%s', (_, objects, expected) => {
    expect(names(...objects)).toEqual(expected)
  })
})

describe('the DestinationRule of a waypoint', () => {
  const rule = (name: string, spec: JsonObject): KubeObject =>
    object('DestinationRule', name, { spec: { host: 'cart.shop.svc.cluster.local', ...spec } }, { age: 1 })
  const RANDOM = { trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }
  const shown = (...objects: readonly KubeObject[]) => {
    const [http] = ports(...objects)
    return [
      http?.rule === undefined ? undefined : ruleName(http.rule),
      [...(http?.clusters ?? [])].map(([subset, { balancer }]) => `${subset} ${balancer}`),
    ]
  }

  test.each<[string, readonly KubeObject[], unknown]>([
    ['is none', [], [undefined, []]],
    [
      'is that of the service’s namespace',
      [rule('shop/d', { ...RANDOM, subsets: [{ name: 'v1' }] })],
      ['shop/d', [' RANDOM', 'v1 RANDOM']],
    ],
    [
      'is that of its own namespace first',
      [rule('shop/d', RANDOM), rule('infra/d', {})],
      ['infra/d', [' LEAST_REQUEST']],
    ],
    ['is nobody else’s', [rule('pay/d', RANDOM)], [undefined, []]],
    ['selects no clients', [rule('infra/d', { ...RANDOM, workloadSelector: { matchLabels: {} } })], [undefined, []]],
  ])('%s', (_, objects, expected) => {
    expect(shown(...objects)).toEqual(expected)
  })

  test('leaves a service without an address of its own to the address that was asked for', () => {
    const headless = object('Service', 'shop/cart', {
      spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
    })
    expect(shown(headless, rule('shop/d', RANDOM))).toEqual(['shop/d', [' PASSTHROUGH']])
  })
})

describe('what is written for services of captured pods', () => {
  const mesh = (...objects: readonly KubeObject[]) =>
    meshOf(
      ambient('shop', { 'istio.io/use-waypoint': 'waypoint' }),
      waypoint('shop/waypoint'),
      ambient('pay'),
      ...['shop/cart', 'pay/bank'].flatMap((name) => [service(name), pod(name)]),
      objects,
    )

  test('is used by a waypoint that looks where it is written', () => {
    const written = ['shop/v', 'ops/v', 'pay/v'].map((name) =>
      virtualService(name, {
        hosts: ['cart.shop.svc.cluster.local', 'bank.pay.svc.cluster.local'],
        http: [{ route: [TO_CART] }],
      }),
    )
    const own = mesh(...written)
    const found = written.map((each) =>
      ambientServicesOfVirtualService(own, each).map(({ service: { namespace }, use, isApplied }) => [
        namespace,
        use.waypoint !== undefined,
        isApplied,
      ]),
    )
    expect(found).toEqual([
      [
        ['shop', true, true],
        ['pay', false, false],
      ],
      [
        ['shop', true, false],
        ['pay', false, false],
      ],
      [
        ['shop', true, false],
        ['pay', false, false],
      ],
    ])
  })

  test('is no concern of ambient where it only routes at gateways, or no pod is captured', () => {
    const atGateway = virtualService('shop/v', { hosts: ['cart'], gateways: ['g'] })
    const outside = virtualService('shop/w', { hosts: ['nobody'] })
    const own = mesh(atGateway, outside, service('shop/nobody'))
    expect([atGateway, outside].map((each) => ambientServicesOfVirtualService(own, each))).toEqual([[], []])
  })

  test('is a DestinationRule that the waypoint takes, or one that nobody does', () => {
    const rules = ['shop/d', 'ops/d'].map((name) =>
      object('DestinationRule', name, { spec: { host: 'cart.shop.svc.cluster.local' } }),
    )
    const own = mesh(...rules)
    expect(rules.map((each) => ambientServicesOfRule(own, each).map(({ isApplied }) => isApplied))).toEqual([
      [true],
      [false],
    ])
  })
})
