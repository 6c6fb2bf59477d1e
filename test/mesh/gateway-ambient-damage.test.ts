import { array, assert, constantFrom, integer, property, shuffledSubarray, tuple, type Arbitrary } from 'fast-check'
import { expect, test } from 'vitest'

import { isObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { waypointBypasses } from '../../src/mesh/ambient-bypass.ts'
import { ambientFacts } from '../../src/mesh/ambient-facts.ts'
import { gapsUnder } from '../../src/mesh/ambient-peer-gaps.ts'
import { obstaclesOfPolicy } from '../../src/mesh/ambient-reach.ts'
import { ambientServicesOfRule, ambientServicesOfVirtualService } from '../../src/mesh/ambient-services.ts'
import { hostBindings } from '../../src/mesh/gateway-bindings.ts'
import { rivalGateways, rivalVirtualServices } from '../../src/mesh/gateway-claims.ts'
import { placementsOfGateway, serverRivals } from '../../src/mesh/gateway-conflicts.ts'
import { serverCredentials } from '../../src/mesh/gateway-credentials.ts'
import { unexposedServers } from '../../src/mesh/gateway-exposure.ts'
import { conversationOf } from '../../src/mesh/conversation.ts'
import { gatewayFacts } from '../../src/mesh/gateway-facts.ts'
import { relaxedSni } from '../../src/mesh/gateway-relaxed-sni.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { allServices } from '../../src/mesh/registry.ts'
import { buildSnapshot, type MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'
import {
  ambient,
  authorizationPolicy,
  gateway,
  gatewayInstallation,
  object,
  peerAuthentication,
  plainRoute,
  pod,
  server,
  service,
  TO_WEB,
  virtualService,
  waypoint,
} from './gateway-mesh.ts'

const TLS = { mode: 'MUTUAL', credentialName: 'web', minProtocolVersion: 'TLSV1_2' }
const REQUESTS = [
  { id: 'a', principal: undefined, ip: '10.0.0.9', method: 'GET', path: '/', host: '', headers: {}, jwt: undefined },
]

function instance(name: string, gateway: string, managed: string): KubeObject {
  const labels = { 'gateway.networking.k8s.io/gateway-name': gateway, 'gateway.istio.io/managed': managed }
  return pod(name, { labels }, { containers: [{ name: 'istio-proxy', args: ['proxy', 'router'] }] })
}

function route(kind: string, rule: JsonObject): KubeObject {
  const rules = [{ ...rule, backendRefs: [{ name: 'cart', port: 80, weight: 2 }, { name: 'cat' }] }]
  return object(kind, 'shop/r', {
    spec: { parentRefs: [{ name: 'front', namespace: 'edge' }], hostnames: ['x.com'], rules },
  })
}

/** Something of everything that gateways and ambient read. */
const OBJECTS: readonly KubeObject[] = [
  ...gatewayInstallation(),
  gateway(
    'a/g',
    [
      server('80 HTTP', ['*.com', './x.org'], { tls: { httpsRedirect: true } }),
      server('443 HTTPS', ['x.com'], { tls: TLS }),
    ],
    { age: 1 },
  ),
  gateway(
    'b/h',
    [
      server('443 HTTPS', ['*.com'], { tls: { mode: 'SIMPLE', credentialNames: ['web', 'other'] } }),
      server('9000 TLS', ['*'], { tls: {}, bind: '10.0.0.1' }),
    ],
    { age: 2 },
  ),
  plainRoute('a/v', ['x.com', '*.org'], ['g', 'b/h'], 3),
  virtualService(
    'b/w',
    {
      hosts: ['x.com', 'cart.shop.svc.cluster.local'],
      gateways: ['a/g', 'h', 'mesh'],
      exportTo: ['*'],
      http: [
        { match: [{ uri: { prefix: '/a' }, sourceLabels: { app: 'x' } }, {}], route: [TO_WEB, TO_WEB] },
        { delegate: { name: 'd' } },
      ],
      tls: [{ match: [{ port: 9000, sniHosts: ['x.com'] }], route: [TO_WEB] }],
      tcp: [{ match: [{ port: 80 }], route: [TO_WEB] }],
    },
    { age: 4 },
  ),
  virtualService('b/d', { http: [{ directResponse: { status: 421 } }] }, { age: 5 }),
  object('Secret', 'istio-system/web', { type: 'Opaque', data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } }),
  ambient('shop', { 'istio.io/use-waypoint': 'waypoint' }),
  waypoint('shop/waypoint', 'all'),
  object('GatewayClass', 'istio-waypoint', { spec: { controllerName: 'istio.io/mesh-controller' } }),
  pod('shop/cart', { labels: { version: 'v1' } }),
  service('shop/cart'),
  object('DestinationRule', 'shop/d', {
    spec: {
      host: 'cart',
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } },
      subsets: [{ name: 'v1', labels: { version: 'v1' } }],
    },
  }),
  authorizationPolicy('shop/p', {
    selector: { matchLabels: { app: 'cart' } },
    rules: [
      {
        from: [{ source: { principals: ['a/*'], ipBlocks: ['10.0.0.0/8'] } }],
        to: [{ operation: { ports: ['8080'], methods: ['GET'] } }],
        when: [{ key: 'destination.ip', values: ['10.0.0.1'] }],
      },
      {},
    ],
  }),
  authorizationPolicy('shop/q', {
    targetRefs: [
      { kind: 'Service', group: '', name: 'cart' },
      { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'waypoint' },
    ],
    action: 'DENY',
    rules: [{}],
  }),
  peerAuthentication('istio-system/default', { mtls: { mode: 'STRICT' } }),
  peerAuthentication(
    'shop/w',
    { selector: { matchLabels: { app: 'cart' } }, portLevelMtls: { 8080: { mode: 'PERMISSIVE' } } },
    2,
  ),
  instance('shop/waypoint-0', 'waypoint', 'istio.io-mesh-controller'),
  instance('edge/front-0', 'front', 'istio.io-gateway-controller'),
  object('Waypoint', 'edge/front', {
    spec: {
      gatewayClassName: 'istio',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
        {
          name: 'tls',
          port: 443,
          protocol: 'TLS',
          hostname: '*.com',
          tls: { mode: 'Passthrough' },
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { a: 'b' } } } },
        },
      ],
    },
  }),
  route('HTTPRoute', {
    matches: [{ path: { value: '/a/' }, method: 'GET', headers: [{ name: 'a', value: 'b' }], queryParams: [{}] }],
    filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } }],
    timeouts: { request: '5s', backendRequest: '1s' },
    retry: { attempts: 1, codes: [503] },
  }),
  route('GRPCRoute', { matches: [{ method: { service: 'a', method: 'b' } }] }),
  route('TLSRoute', {}),
  route('TCPRoute', {}),
  object('RequestAuthentication', 'shop/ra', {
    spec: { jwtRules: [{ issuer: 'x' }], targetRefs: [{ kind: 'Service', group: '', name: 'cart' }] },
  }),
]

/** Every answer that gateways and ambient give about a mesh. */
function everything(mesh: MeshSnapshot): JsonObject {
  for (const each of mesh.all(KINDS.gateway)) {
    for (const ask of [
      serverRivals,
      placementsOfGateway,
      rivalGateways,
      serverCredentials,
      unexposedServers,
      relaxedSni,
    ])
      ask(mesh, each)
  }
  for (const each of mesh.all(KINDS.virtualService)) {
    for (const ask of [hostBindings, rivalVirtualServices, ambientServicesOfVirtualService]) ask(mesh, each)
  }
  for (const each of mesh.all(KINDS.destinationRule)) ambientServicesOfRule(mesh, each)
  for (const each of mesh.all(KINDS.peerAuthentication))
    for (const gap of gapsUnder(mesh, each)) expect(gap.demanded.mode).toBe('STRICT')
  for (const each of mesh.all(KINDS.authorizationPolicy)) obstaclesOfPolicy(mesh, each)
  for (const each of mesh.all(KINDS.k8sGateway)) for (const own of allServices(mesh)) waypointBypasses(mesh, each, own)
  for (const client of allWorkloads(mesh)) {
    for (const [host, port] of [
      ['x.com', 443],
      ['cart.shop', 80],
    ] as const) {
      for (const request of REQUESTS) conversationOf(mesh, { client, host, port, request })
    }
  }
  return { gateways: gatewayFacts(mesh), ambient: ambientFacts(mesh, REQUESTS) }
}

const junk: Arbitrary<Json> = constantFrom<Json>(
  null,
  true,
  0,
  -1,
  1e12,
  '',
  'x',
  '*',
  '*/*',
  './*',
  'a/b/c',
  'http://x',
  '::1/200',
  'constructor',
  [],
  [null],
  [[]],
  [''],
  {},
  { a: null },
  { match: [{}] },
  '{{ .Values.x }}',
)

/** The value with one place in it, chosen by the numbers, replaced. */
function damage(value: Json | undefined, way: readonly number[], by: Json): Json {
  const [turn, ...rest] = way
  if (turn === undefined || value === undefined) return by
  if (Array.isArray(value) && value.length > 0) {
    return value.map((item: Json, index) => (index === turn % value.length ? damage(item, rest, by) : item))
  }
  if (!isObject(value) || Object.keys(value).length === 0) return by
  const keys = Object.keys(value)
  const key = keys[turn % keys.length] ?? ''
  return { ...value, [key]: damage(value[key], rest, by) }
}

const damages = array(
  tuple(
    integer({ min: 0, max: OBJECTS.length - 1 }),
    constantFrom('spec', 'metadata', 'status', 'data'),
    array(integer({ min: 0, max: 9 }), { maxLength: 9 }),
    junk,
  ),
  { minLength: 1, maxLength: 6 },
)

function damaged(changes: readonly (readonly [number, string, readonly number[], Json])[]): readonly KubeObject[] {
  const objects = [...OBJECTS]
  for (const [index, part, way, by] of changes) {
    const own = objects[index]
    if (own === undefined) continue
    const { name, namespace } = own.metadata
    const changed = damage(own[part], way, by)
    const isMetadata = part === 'metadata'
    const metadata = isMetadata && isObject(changed) ? { ...changed, name, namespace } : own.metadata
    objects[index] = isMetadata ? { ...own, metadata: clean(metadata) } : { ...own, [part]: changed }
  }
  return objects
}

/** Without keys that are undefined, and with the name that makes it an object. */
function clean(metadata: object): KubeObject['metadata'] {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))
}

test('damaged objects are answered about, and nothing throws', () => {
  assert(
    property(damages, (changes) => {
      expect(everything(buildSnapshot(damaged(changes)))).toBeTypeOf('object')
    }),
    { numRuns: 300 },
  )
})

test('the order in which objects come changes no answer', () => {
  const expected = everything(buildSnapshot(OBJECTS))
  assert(
    property(shuffledSubarray([...OBJECTS], { minLength: OBJECTS.length }), (objects) => {
      expect(everything(buildSnapshot(objects))).toEqual(expected)
    }),
    { numRuns: 30 },
  )
})

test('a mesh that is changed object by object answers as one that is built anew', () => {
  assert(
    property(damages, (changes) => {
      const changed = damaged(changes)
      let mesh = buildSnapshot(OBJECTS)
      everything(mesh)
      for (const each of changed) mesh = mesh.with(each)
      expect(everything(mesh)).toEqual(everything(buildSnapshot(changed)))
    }),
    { numRuns: 100 },
  )
})

test('a mesh from which everything is taken answers nothing', () => {
  expect(everything(buildSnapshot([]))).toEqual({
    gateways: { services: [], gateways: {}, unusedGateways: [], virtualServices: {}, unboundHosts: [] },
    ambient: {
      services: [],
      serviceWaypoints: {},
      pods: {},
      ztunnelPolicies: {},
      notSentToZtunnel: {},
      waypoints: {},
      nowhere: [],
    },
  })
})
