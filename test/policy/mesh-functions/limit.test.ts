import { expect, test } from 'vitest'

import type { Json } from '../../../src/kube/json.ts'
import { MOST_FINDINGS } from '../../../src/policy/mesh-functions/finding.ts'
import { object, objectsFrom, pod, service } from '../../mesh/mesh-from.ts'
import { ask } from './ask.ts'

const MANY = MOST_FINDINGS + 5

/** `MANY` of something, joined. */
const many = (each: (index: number) => string, between = ', '): string =>
  Array.from({ length: MANY }, (_, index) => each(index)).join(between)

const routes = (destination: (index: number) => string, more = ''): string =>
  object(
    'VirtualService',
    'shop',
    'v',
    `{ hosts: [web], http: [${many((index) => `{ route: [{ destination: ${destination(index)} }], match: [{ uri: { exact: "/${index}" } }] ${more} }`)}] }`,
  )
const hosts = many((index) => `h${index}.example`)
const entry = (name: string, protocol: string): string =>
  object(
    'ServiceEntry',
    'shop',
    name,
    `{ hosts: [api.example], ports: [${many((index) => `{ number: ${index + 1}, name: p${index}, protocol: ${protocol} }`)}] }`,
  )
const subsets = many((index) => `{ name: v${index}, labels: { version: v${index} }, trafficPolicy: {} }`)
const rule = object('DestinationRule', 'shop', 'cart', `{ host: cart, subsets: [${subsets}] }`)
const toSubsets = routes((index) => `{ host: cart, subset: v${index} }`)
const caller = pod('shop', 'web', 'app: web').replace(
  'labels:',
  `annotations: { meshward.io/calls: "${hosts}" }, labels:`,
)
const entries = object(
  'ServiceEntry',
  'stock',
  'all',
  `{ hosts: [${hosts}], ports: [{ number: 80, name: http, protocol: HTTP }] }`,
)

const front = pod('shop', 'front', 'app: front').replace('labels:', 'annotations: { meshward.io/calls: web }, labels:')

const admitting = (source: string): string =>
  object('AuthorizationPolicy', 'shop', 'a', `{ rules: [{ from: [{ source: { ${source} } }] }] }`)
const edge = pod('edge', 'gw', 'app: gw').replace('security.istio.io/tlsMode: istio, ', '') + service('edge', 'gw')
const servers = (protocol: string): string =>
  object(
    'Gateway',
    'edge',
    'web',
    `{ selector: { app: gw }, servers: [${many((index) => `{ port: { number: ${index + 8000}, name: p${index}, protocol: ${protocol} }, hosts: ["*"], tls: { mode: SIMPLE, credentialName: c${index} } }`)}] }`,
  )

/** A function and an object in which it finds more than it writes. */
const QUESTIONS: readonly (readonly [name: string, object: string, mesh: string])[] = [
  ['routing.unknownDestinations', routes((index) => `{ host: h${index} }`), ''],
  ['routing.unknownMirrors', routes(() => '{ host: web }', ', mirror: { host: nowhere }'), service('shop', 'web')],
  [
    'routing.unknownPorts',
    routes((index) => `{ host: web, port: { number: ${index + 1000} } }`),
    service('shop', 'web'),
  ],
  ['routing.missingPorts', routes(() => '{ host: cart }'), service('shop', 'cart')],
  ['routing.unknownSubsets', toSubsets, ''],
  [
    'routing.unknownGateways',
    object('VirtualService', 'shop', 'v', `{ hosts: [a], gateways: [${many((index) => `g${index}`)}] }`),
    '',
  ],
  [
    'routing.rivalHosts',
    object('VirtualService', 'shop', 'v', `{ hosts: [${hosts}] }`),
    object('VirtualService', 'shop', 'w', `{ hosts: [${hosts}] }`),
  ],
  ['routing.unreachableRoutes', object('VirtualService', 'shop', 'v', `{ http: [{}, ${many(() => '{}')}] }`), ''],
  [
    'routing.ineffectiveMatches',
    object('VirtualService', 'shop', 'v', `{ http: [{ match: [{}, ${many(() => '{}')}] }] }`),
    '',
  ],
  [
    'routing.unboundHosts',
    object('VirtualService', 'shop', 'v', `{ hosts: [${hosts}], gateways: [web] }`),
    object(
      'Gateway',
      'shop',
      'web',
      '{ servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [other] }] }',
    ),
  ],
  ['routing.removedReferences', rule, rule + toSubsets + service('shop', 'cart')],
  ['routing.emptySubsets', rule, service('shop', 'cart')],
  ['routing.rivalRules', rule, object('DestinationRule', 'shop', 'other', `{ host: cart, subsets: [${subsets}] }`)],
  ['routing.idleSubsetPolicies', rule, service('shop', 'cart')],
  ['routing.conflictingProtocols', entry('a', 'HTTP'), entry('b', 'TCP')],
  ['routing.repeatedEntries', entry('a', 'HTTP'), entry('b', 'HTTP')],
  [
    'routing.hijackedHosts',
    object('ServiceEntry', 'evil', 'e', `{ hosts: [${many((index) => `s${index}.shop.svc.cluster.local`)}] }`),
    many((index) => service('shop', `s${index}`), ''),
  ],
  [
    'scoping.unknownImports',
    object('Sidecar', 'shop', 's', `{ egress: [{ hosts: [${many((index) => `./h${index}.example`)}] }] }`),
    '',
  ],
  ['scoping.hiddenHosts', object('Sidecar', 'shop', 's', '{ egress: [{ hosts: ["./*"] }] }'), caller + entries],
  [
    'resilience.unboundedRetries',
    routes(() => '{ host: cart }', ', retries: { attempts: 2 }'),
    service('shop', 'cart'),
  ],
  [
    'resilience.retryAmplification',
    routes(() => '{ host: web }', ', retries: { attempts: 20, retryOn: 5xx }'),
    service('shop', 'web') + pod('shop', 'web', 'app: web') + front,
  ],
  ['authorization.unknownNamespaces', admitting(`namespaces: [${many((index) => `n${index}`)}]`), ''],
  [
    'authorization.unknownAccounts',
    admitting(`principals: [${many((index) => `cluster.local/ns/n${index}/sa/web`)}]`),
    '',
  ],
  ['gateways.unexposed', servers('HTTP'), edge],
  ['gateways.unusableCredentials', servers('HTTPS'), edge],
  [
    'services.undeclaredProtocols',
    service('shop', 'web').replace(
      'ports: [',
      `ports: [${many((index) => `{ name: x${index}, port: ${index + 1000} }`)}, `,
    ),
    '',
  ],
  [
    'resilience.timeoutInversions',
    object(
      'VirtualService',
      'shop',
      'v',
      `{ hosts: [h0.example], http: [${many((index) => `{ timeout: 60s, match: [{ uri: { exact: "/${index}" } }], route: [{ destination: { host: h${index}.example } }] }`)}] }`,
    ),
    caller +
      front +
      entries +
      service('shop', 'web') +
      object(
        'VirtualService',
        'shop',
        'web',
        '{ hosts: [web], http: [{ timeout: 1s, route: [{ destination: { host: web } }] }] }',
      ),
  ],
]

test.each(QUESTIONS)('%s writes the first findings and counts the others', (name, yaml, mesh) => {
  // what is in the mesh already goes
  const operation = mesh.includes(yaml) ? 'DELETE' : 'CREATE'
  const [asked] = objectsFrom(yaml)
  const found = asked && ask(name, { object: asked, mesh: objectsFrom(mesh), operation })
  const messages = found?.map(({ message }): Json => message ?? null) ?? []
  expect(messages).toHaveLength(MOST_FINDINGS)
  expect(messages.at(-1)).toMatch(/ \(and 5 more like this\)$/)
  expect(messages.slice(0, -1).filter((message) => JSON.stringify(message).includes('more like this'))).toEqual([])
})

test('as many as may be written are not counted', () => {
  const [asked] = objectsFrom(object('VirtualService', 'shop', 'v', `{ http: [{}, ${'{}, '.repeat(MOST_FINDINGS)}] }`))
  const found = asked && ask('routing.unreachableRoutes', { object: asked })
  expect(found?.map(({ field }) => field)).toEqual(
    Array.from({ length: MOST_FINDINGS }, (_, index) => `spec.http[${index + 1}]`),
  )
  expect(found?.filter(({ message }) => JSON.stringify(message).includes('more like this'))).toEqual([])
})
