import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { gatewayFacts } from '../../src/mesh/gateway-facts.ts'
import { gatewayListeners, type GatewayListener } from '../../src/mesh/gateway-listeners.ts'
import { gatewayProxy } from '../../src/mesh/gateway-routes.ts'
import { serverName } from '../../src/mesh/gateway-servers.ts'
import { gatewayPods } from '../../src/mesh/gateway-workloads.ts'
import { virtualServiceName } from '../../src/mesh/virtual-service.ts'
import {
  gateway,
  gatewayInstallation,
  meshOf,
  object,
  plainRoute,
  server,
  TO_WEB,
  virtualService,
} from './gateway-mesh.ts'

function listeners(...objects: readonly KubeObject[]): readonly GatewayListener[] {
  const mesh = meshOf(gatewayInstallation(), objects)
  return gatewayPods(mesh).flatMap((pod) => gatewayListeners(gatewayProxy(mesh, pod)))
}

/** The names that the first HTTP chain answers to, each with its routes as `ns/name path`. */
function hosts(...objects: readonly KubeObject[]): Readonly<Record<string, readonly string[]>> {
  const [chain] = listeners(...objects).flatMap(({ chains }) => chains)
  if (chain?.traffic.kind !== 'http') throw new Error('no HTTP chain')
  return Object.fromEntries(
    chain.traffic.hosts.map(({ domains, httpsRedirect, routes }) => [
      domains.join(),
      [
        ...(httpsRedirect ? ['redirect'] : []),
        ...routes.map(({ virtualService: own, match }) =>
          [virtualServiceName(own.object), ...Object.values(match.path)].join(' '),
        ),
      ],
    ]),
  )
}

const http = gateway('a/g', [server('80 HTTP', ['*.com'])], { age: 1 })
const prefix = (path: string): JsonObject => ({ match: [{ uri: { prefix: path } }], route: [TO_WEB] })

describe('the names that a gateway answers to', () => {
  test.each<[string, readonly KubeObject[], Readonly<Record<string, readonly string[]>>]>([
    ['are none without a VirtualService', [http], {}],
    [
      'are the more specific of both sides',
      [http, plainRoute('a/v', ['x.com', '*.org'], ['g'])],
      { 'x.com': ['a/v /'] },
    ],
    [
      'may be narrowed by the server',
      [gateway('a/g', [server('80 HTTP', ['x.com', 'y.com'])]), plainRoute('a/v', ['*.com'], ['g'])],
      { 'x.com,y.com': ['a/v /'] },
    ],
    [
      'collect the routes of several VirtualServices by age',
      [
        http,
        plainRoute('a/new', ['x.com'], ['g'], 2),
        virtualService('b/old', { hosts: ['x.com'], gateways: ['a/g'], http: [prefix('/api')] }, { age: 1 }),
      ],
      { 'x.com': ['b/old /api', 'a/new /'] },
    ],
    [
      'put routes for everything last, whose ever they are',
      [
        http,
        plainRoute('a/old', ['x.com'], ['g'], 1),
        virtualService('a/new', { hosts: ['x.com'], gateways: ['g'], http: [prefix('/api')] }, { age: 2 }),
      ],
      { 'x.com': ['a/new /api', 'a/old /'] },
    ],
    [
      'put what is exported to the pod alone first',
      [
        http,
        plainRoute('a/public', ['x.com'], ['g'], 1),
        virtualService(
          'b/named',
          { hosts: ['x.com'], gateways: ['a/g'], exportTo: ['istio-system'], http: [prefix('/b')] },
          { age: 2 },
        ),
        virtualService(
          'istio-system/own',
          { hosts: ['x.com'], gateways: ['a/g'], exportTo: ['.'], http: [prefix('/own')] },
          { age: 3 },
        ),
      ],
      { 'x.com': ['istio-system/own /own', 'b/named /b', 'a/public /'] },
    ],
    [
      'leave out what is not exported to the pod',
      [http, virtualService('a/v', { hosts: ['x.com'], gateways: ['g'], exportTo: ['.'], http: [prefix('/')] })],
      {},
    ],
    [
      'leave out VirtualServices of other namespaces',
      [gateway('a/g', [server('80 HTTP', ['./*.com'])]), plainRoute('b/v', ['x.com'], ['a/g'])],
      {},
    ],
    [
      'leave out routes for another Gateway or port',
      [
        http,
        virtualService('a/v', {
          hosts: ['x.com'],
          gateways: ['g', 'h'],
          http: [
            {
              match: [
                { gateways: ['h'], uri: { prefix: '/h' } },
                { port: 8080, uri: { prefix: '/pod' } },
                { port: 80, uri: { prefix: '/server' } },
              ],
              route: [TO_WEB],
            },
          ],
        }),
      ],
      { 'x.com': ['a/v /server'] },
    ],
    [
      'have the same routes twice where two servers of a Gateway take them',
      [
        gateway('a/g', [server('80 HTTP', ['*.com']), server('80 HTTP2', ['x.com'])]),
        plainRoute('a/v', ['x.com'], ['g']),
      ],
      { 'x.com': ['a/v /', 'a/v /'] },
    ],
    [
      'are redirected, with or without routes',
      [
        gateway('a/g', [server('80 HTTP', ['x.com', 'y.com'], { tls: { httpsRedirect: true } })]),
        plainRoute('a/v', ['x.com'], ['g']),
      ],
      { 'x.com': ['redirect', 'a/v /'], 'y.com': ['redirect'] },
    ],
    [
      'keep a namespace that istiod forgot to take off a redirect',
      [gateway('a/g', [server('80 HTTP', ['./x.com'], { tls: { httpsRedirect: true } })])],
      { 'a/x.com': ['redirect'] },
    ],
    [
      'come by a delegate',
      [
        http,
        virtualService('a/root', {
          hosts: ['x.com'],
          gateways: ['g'],
          http: [{ match: [{ uri: { prefix: '/b' } }], delegate: { name: 'leaf', namespace: 'b' } }],
        }),
        virtualService('b/leaf', { http: [prefix('/b/c')] }),
      ],
      { 'x.com': ['a/root /b/c'] },
    ],
  ])('%s', (_, objects, expected) => {
    expect(hosts(...objects)).toEqual(expected)
  })
})

describe('the listeners of a gateway pod', () => {
  const tls = (mode: string): JsonObject => ({ tls: { mode, credentialName: 'web' } })

  /** `port sni mode servers`. */
  function chains(...objects: readonly KubeObject[]): readonly string[] {
    return listeners(...objects).flatMap(({ port, bind, chains: own }) =>
      own.map((chain) =>
        [bind, port, chain.sni?.join() ?? 'any', chain.tls?.mode ?? 'plain', chain.servers.map(serverName).join()]
          .join(' ')
          .trim(),
      ),
    )
  }

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    [
      'have one chain for all plain HTTP',
      [gateway('a/g', [server('80 HTTP', ['a.com']), server('80 HTTP2', ['b.com'])])],
      ['8080 any plain a/g#0,a/g#1'],
    ],
    [
      'have one chain for each HTTPS server, by name',
      [gateway('a/g', [server('443 HTTPS', ['a.com', './b.com'], tls('SIMPLE'))])],
      ['8443 a.com,b.com SIMPLE a/g#0'],
    ],
    [
      'take any name where a server does',
      [gateway('a/g', [server('443 HTTPS', ['*', 'b.com'], tls('SIMPLE'))])],
      ['8443 any SIMPLE a/g#0'],
    ],
    [
      'are on addresses of their own',
      [gateway('a/g', [server('80 HTTP', ['a.com'], { bind: '10.0.0.1' })])],
      ['10.0.0.1 8080 any plain a/g#0'],
    ],
    [
      'do without a TCP server that has no route',
      [gateway('a/g', [server('9000 TCP', ['*'])]), plainRoute('a/v', ['x.com'], ['g'])],
      [],
    ],
    [
      'pass TLS on by the names of routes',
      [
        gateway('a/g', [server('443 TLS', ['*.com'], { tls: {} })]),
        virtualService('a/v', {
          hosts: ['*.com'],
          gateways: ['g'],
          tls: [{ match: [{ sniHosts: ['x.com'] }], route: [TO_WEB] }],
        }),
      ],
      ['8443 x.com PASSTHROUGH a/g#0'],
    ],
    [
      'give a name to the first route that asks for it',
      [
        gateway('a/g', [server('443 TLS', ['*.com'], { tls: {} })]),
        ...[1, 2].map((age) =>
          virtualService(
            `a/v${age}`,
            { hosts: ['x.com'], gateways: ['g'], tls: [{ match: [{ sniHosts: ['x.com'] }], route: [TO_WEB] }] },
            { age },
          ),
        ),
      ],
      ['8443 x.com PASSTHROUGH a/g#0'],
    ],
    [
      'open TLS for a tcp route',
      [
        gateway('a/g', [server('443 TLS', ['a.com'], tls('SIMPLE'))]),
        virtualService('a/v', {
          hosts: ['a.com'],
          gateways: ['g'],
          tcp: [{ match: [{ port: 443 }], route: [TO_WEB] }],
        }),
      ],
      ['8443 a.com SIMPLE a/g#0'],
    ],
  ])('%s', (_, objects, expected) => {
    expect(chains(...objects)).toEqual(expected)
  })

  test('are not on ports that the pod has no privilege for', () => {
    const spec = { containers: [{ name: 'c', env: [{ name: 'ISTIO_META_UNPRIVILEGED_POD', value: 'true' }] }] }
    const mesh = meshOf(
      gatewayInstallation({ spec }),
      gateway('a/g', [server('80 HTTP', ['a.com']), server('88 HTTP', ['a.com'])]),
    )
    const ports = gatewayPods(mesh).flatMap((pod) => gatewayListeners(gatewayProxy(mesh, pod)).map(({ port }) => port))
    expect(ports).toEqual([8080])
  })
})

test('a destination without a port has that of its service, if there is one only, else that of the server', () => {
  const web = object('Service', 'a/web', { spec: { ports: [{ name: 'http', port: 9999 }] } })
  const shop = object('Service', 'a/shop', {
    spec: {
      ports: [
        { name: 'http', port: 1 },
        { name: 'tcp', port: 2 },
      ],
    },
  })
  const to = ['web', 'shop', 'nobody'].map((host) => ({ destination: { host }, weight: 1 }))
  const [chain] = listeners(
    http,
    web,
    shop,
    virtualService('a/v', { hosts: ['x.com'], gateways: ['g'], http: [{ route: to }] }),
  ).flatMap(({ chains }) => chains)
  const action = chain?.traffic.kind === 'http' ? chain.traffic.hosts[0]?.routes[0]?.action : undefined
  expect(action?.kind === 'forward' ? action.to.map(({ port }) => port) : []).toEqual([9999, 80, 80])
})

test('facts are of the whole mesh, the unused and the unbound too', () => {
  const mesh = meshOf(
    gatewayInstallation(),
    http,
    object('Gateway', 'a/lost', { spec: { selector: { app: 'nobody' }, servers: [server('80 HTTP', ['a.com'])] } }),
    plainRoute('a/v', ['x.com', 'x.org'], ['g']),
  )
  expect(gatewayFacts(mesh)).toMatchObject({
    gateways: { 'istio-system/gw-0': { servers: { 'a/g#0': '8080' } } },
    unusedGateways: ['a/lost'],
    virtualServices: { 'a/v': { 'x.com': { 'istio-system/gw-0': ['a/g#0'] }, 'x.org': {} } },
    unboundHosts: ['a/v x.org'],
  })
})
