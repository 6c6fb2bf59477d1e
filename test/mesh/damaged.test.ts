import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { asObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { worstPathThrough } from '../../src/mesh/amplification.ts'
import { shapeRisks } from '../../src/mesh/authorization-shape.ts'
import { nodeOf } from '../../src/mesh/call-node.ts'
import { conversationOf } from '../../src/mesh/conversation.ts'
import { defaultDenyOf } from '../../src/mesh/default-deny.ts'
import { facts } from '../../src/mesh/facts.ts'
import { backendsOf } from '../../src/mesh/gateway-api-backends.ts'
import { hostExists } from '../../src/mesh/registry.ts'
import { destinationReferences, gatewayReferences } from '../../src/mesh/references.ts'
import { parseRequest, type Request } from '../../src/mesh/request.ts'
import { shadowedMatches } from '../../src/mesh/route-reachability.ts'
import { selectedWorkloads } from '../../src/mesh/selection.ts'
import { buildSnapshot, refOf, type MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { workloadOf } from '../../src/mesh/workloads.ts'
import { meshConfig, object, objectsFrom, pod, service } from './mesh-from.ts'

const WHOLE = objectsFrom(
  [
    '{ apiVersion: v1, kind: Namespace, metadata: { name: a, labels: { istio-injection: enabled } } }',
    meshConfig('trustDomainAliases: [old.example]\ndefaultTrafficPolicy: { outlierDetection: {} }'),
    pod('a', 'web', 'app: web, version: v1').replace(
      'labels:',
      'annotations: { meshward.io/calls: "db, web.b:80" }, labels:',
    ),
    pod('a', 'db', 'app: db'),
    pod('b', 'web', 'app: web'),
    service('a', 'web'),
    service('a', 'db', 'annotations: { networking.istio.io/exportTo: "a, b" }'),
    service('b', 'web'),
    object(
      'ServiceEntry',
      'a',
      'api',
      '{ hosts: [api.example, "*.wild.example"], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: STATIC, endpoints: [{ address: 10.8.8.8, labels: { v: one }, ports: { http: 81 }, serviceAccount: x }], subjectAltNames: [spiffe://x/ns/a/sa/b] }',
    ),
    object(
      'WorkloadEntry',
      'a',
      'vm',
      '{ address: 10.9.9.9, labels: { app: web }, serviceAccount: web, ports: { http: 8080 } }',
    ),
    object('WorkloadGroup', 'a', 'vms', '{ metadata: { labels: { app: vm } }, template: { serviceAccount: vm } }'),
    '{ apiVersion: apps/v1, kind: Deployment, metadata: { name: job, namespace: a }, spec: { template: { metadata: { labels: { app: job } }, spec: { containers: [{ ports: [{ containerPort: 1 }] }] } } } }',
    object(
      'VirtualService',
      'a',
      'v',
      '{ hosts: [web, "*.wild.example"], gateways: [mesh, g], exportTo: ["*"], http: [{ match: [{ uri: { prefix: /x }, sourceLabels: { app: db }, headers: { h: { exact: v } } }], delegate: { name: d } }, { route: [{ destination: { host: db, subset: v1, port: { number: 80 } }, weight: 1 }, { destination: { host: web }, weight: 2 }], timeout: 1s, retries: { attempts: 2, perTryTimeout: 1s, retryOn: "5xx,503" }, mirror: { host: db }, mirrors: [{ destination: { host: db }, percentage: { value: 1 } }], fault: { delay: { fixedDelay: 1s, percentage: { value: 1 } }, abort: { httpStatus: 500 } }, rewrite: { uri: / } }] }',
    ),
    object(
      'VirtualService',
      'a',
      'd',
      '{ http: [{ match: [{ uri: { prefix: /x/y } }], route: [{ destination: { host: web } }], redirect: { uri: /z } }] }',
    ),
    object(
      'DestinationRule',
      'a',
      'r',
      '{ host: web, exportTo: ["."], trafficPolicy: { tls: { mode: MUTUAL }, connectionPool: { tcp: { maxConnections: 1, connectTimeout: 1s }, http: { maxRetries: 1 } }, outlierDetection: { interval: 1s }, loadBalancer: { consistentHash: { useSourceIp: true } }, retryBudget: { percent: 1 }, portLevelSettings: [{ port: { number: 80 }, tls: { mode: SIMPLE } }] }, subsets: [{ name: v1, labels: { version: v1 }, trafficPolicy: { loadBalancer: { simple: PASSTHROUGH } } }] }',
    ),
    object(
      'Sidecar',
      'a',
      's',
      '{ workloadSelector: { labels: { app: web } }, egress: [{ port: { number: 80, protocol: HTTP }, hosts: ["./*", "~b/*"] }, { hosts: ["*/*", "a/web.a.svc.cluster.local"] }], outboundTrafficPolicy: { mode: REGISTRY_ONLY } }',
    ),
    object(
      'PeerAuthentication',
      'a',
      'p',
      '{ selector: { matchLabels: { app: web } }, mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: DISABLE } } }',
    ),
    object(
      'AuthorizationPolicy',
      'a',
      'z',
      '{ selector: { matchLabels: { app: web } }, action: DENY, rules: [{ from: [{ source: { principals: [cluster.local/ns/a/sa/db], ipBlocks: [10.0.0.0/8], requestPrincipals: ["*"] } }], to: [{ operation: { paths: ["/a/{*}"], methods: [GET], ports: ["80"], hosts: [x] } }], when: [{ key: "request.auth.claims[a][b]", values: [x] }, { key: source.ip, notValues: [1.1.1.1] }] }] }',
    ),
    object('RequestAuthentication', 'a', 'j', '{ jwtRules: [{ issuer: i }] }'),
    '{ apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: { name: h, namespace: a }, spec: { rules: [{ backendRefs: [{ name: web, port: 80 }] }] } }',
  ].join('\n---\n'),
)

const REQUESTS: readonly Request[] = [
  { id: 'a', ip: '10.0.0.9', principal: 'cluster.local/ns/a/sa/db', path: '/a/b' },
  { id: 'b', ip: 'nonsense', jwt: { issuer: 'i', sub: 's', claims: { a: { b: ['x'] } } } },
].flatMap((request) => parseRequest(request) ?? [])

/** What a pod makes of each of these calls. */
function converse(mesh: MeshSnapshot, pod: string): void {
  const found = mesh.get('Pod', 'a', pod)
  const client = found === undefined ? undefined : workloadOf(found)
  if (client === undefined) return
  for (const [host, port] of CALLED) {
    for (const request of REQUESTS) conversationOf(mesh, { client, host, port, request })
  }
}

/** Every question at once. Only that it ends without a throw counts. */
function askEverything(mesh: MeshSnapshot): void {
  facts(mesh, REQUESTS)
  for (const kind of mesh.kinds()) {
    for (const each of mesh.all(kind)) {
      selectedWorkloads(mesh, each)
      shadowedMatches(each)
      shapeRisks(each)
      destinationReferences(each)
      gatewayReferences(each)
      backendsOf(mesh, each)
      const workload = workloadOf(each)
      if (workload !== undefined) worstPathThrough(mesh, nodeOf(workload))
    }
  }
  converse(mesh, 'web')
  for (const namespace of ['a', 'b', 'constructor', '']) defaultDenyOf(mesh, namespace)
  for (const host of ['web.a.svc.cluster.local', '*', '', 'x.wild.example', '__proto__']) hostExists(mesh, host, 'a')
}

const CALLED = [
  ['web', 80],
  ['x.wild.example', 80],
] as const

/** What may stand where something else was meant. */
const NONSENSE: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1e21,
  '',
  'x',
  '*',
  '~/*',
  '{{ .Values }}',
  [],
  [null],
  [[]],
  {},
  { constructor: {} },
  ['x', null, {}],
]

/** Every place in an object, deepest last. */
function* placesIn(value: Json | undefined, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) yield* placesIn(member, [...path, key])
}

function replaced(value: Json | undefined, [key, ...rest]: readonly string[], by: Json): Json {
  if (key === undefined) return by
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => (String(index) === key ? replaced(item, rest, by) : item))
  }
  const holder = asObject(value)
  return { ...holder, [key]: replaced(holder[key], rest, by) }
}

function damage(target: KubeObject, place: readonly string[], by: Json): KubeObject {
  const { apiVersion, kind, ...rest } = target
  const damaged = asObject(replaced(JSON.parse(JSON.stringify(rest)), place, by))
  return { metadata: {}, ...damaged, apiVersion, kind }
}

describe('a damaged mesh is answered, never thrown at', () => {
  test('the mesh as it is', () => {
    expect(() => askEverything(buildSnapshot(WHOLE))).not.toThrow()
  })

  test('each place of each object, replaced by nonsense', () => {
    const places = WHOLE.flatMap((target) => {
      const { apiVersion: _apiVersion, kind: _kind, ...rest } = target
      return [...placesIn(JSON.parse(JSON.stringify(rest)))].map((place) => ({ target, place }))
    })
    for (const [index, { target, place }] of places.entries()) {
      for (let each = 0; each < 3; each++) {
        const by = NONSENSE[(index * 5 + each * 7) % NONSENSE.length] ?? null
        const damaged = damage(target, place, by)
        const mesh = buildSnapshot(WHOLE.filter((other) => other !== target)).with(damaged)
        expect(() => askEverything(mesh), `${target.kind} ${place.join('.')} = ${JSON.stringify(by)}`).not.toThrow()
      }
    }
  }, 120_000)

  test('any number of them at once', () => {
    const damages = fc.array(
      fc.record({
        object: fc.nat(WHOLE.length - 1),
        place: fc.nat(1000),
        by: fc.oneof(fc.constantFrom(...NONSENSE), fc.jsonValue()),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(damages, (list) => {
        let mesh = buildSnapshot(WHOLE)
        for (const { object: index, place, by } of list) {
          const target = WHOLE[index]
          if (target === undefined) continue
          const { apiVersion: _apiVersion, kind: _kind, ...rest } = target
          const places = [...placesIn(JSON.parse(JSON.stringify(rest)))]
          const chosen = places[place % places.length]
          if (chosen !== undefined)
            mesh = mesh.without(refOf(target)).with(damage(target, chosen, JSON.parse(JSON.stringify(by))))
        }
        askEverything(mesh)
      }),
      { numRuns: 150 },
    )
  }, 120_000)
})

describe('large and circular input ends in bounded time', () => {
  /** Counts the processor's time: what else the machine has to do is no fault of ours. */
  const within = (milliseconds: number, work: () => void): void => {
    const start = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(milliseconds)
  }

  test('five thousand hosts in one VirtualService and one ServiceEntry', () => {
    const hosts = Array.from({ length: 5000 }, (_, index) => `h${index}.example`)
    const many = (kind: string, spec: JsonObject): KubeObject => ({
      apiVersion: 'networking.istio.io/v1',
      kind,
      metadata: { name: 'many', namespace: 'a' },
      spec,
    })
    const mesh = buildSnapshot(WHOLE)
    within(1000, () => {
      const changed = mesh
        .with(many('ServiceEntry', { hosts, ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] }))
        .with(many('VirtualService', { hosts, http: [{ route: [{ destination: { host: 'web' } }] }] }))
      expect(hostExists(changed, 'h4999.example', 'b')).toBe(true)
    })
  })

  test('five thousand routes in one VirtualService', () => {
    const http = Array.from({ length: 5000 }, (_, index) => ({ match: [{ uri: { exact: `/${index}` } }], route: [] }))
    const [made] = objectsFrom(object('VirtualService', 'a', 'v', '{}'))
    within(2000, () => expect(made && shadowedMatches({ ...made, spec: { http } })).toEqual([]))
  })

  test('services that call each other in a large circle', () => {
    const yaml = Array.from({ length: 300 }, (_, index) => {
      const next = `s${(index + 1) % 300}`
      return (
        pod('a', `s${index}`, `app: s${index}`).replace(
          'labels:',
          `annotations: { meshward.io/calls: "${next}, s7" }, labels:`,
        ) + service('a', `s${index}`)
      )
    }).join('')
    const mesh = buildSnapshot(
      objectsFrom(
        yaml +
          object(
            'VirtualService',
            'a',
            'v',
            '{ hosts: [s9], http: [{ retries: { attempts: 1, retryOn: 5xx }, route: [{ destination: { host: s9 } }] }] }',
          ),
      ),
    )
    within(5000, () => {
      expect(worstPathThrough(mesh, { kind: 'workloads', namespace: 'a', name: 's8' }).requests).toBe(2)
    })
  })
})
