import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { hostBindings } from '../../src/mesh/gateway-bindings.ts'
import { serverName } from '../../src/mesh/gateway-servers.ts'
import {
  find,
  gateway,
  gatewayInstallation,
  meshOf,
  object,
  plainRoute,
  server,
  TO_WEB,
  virtualService,
} from './gateway-mesh.ts'

/** Where each host of `a/v` is served, or why not. */
function bindings(...objects: readonly KubeObject[]): Readonly<Record<string, string>> {
  const mesh = meshOf(objects)
  return Object.fromEntries(
    hostBindings(mesh, find(mesh, 'VirtualService', 'a/v')).map(({ host, served, obstacle }) => [
      host,
      obstacle?.reason ?? served.map(({ pod, server: own }) => `${pod.name} ${serverName(own)}`).join(),
    ]),
  )
}

const installed = gatewayInstallation()
const http = gateway('a/g', [server('80 HTTP', ['*.com'])], { age: 1 })
const unprivileged = gatewayInstallation({
  spec: { containers: [{ name: 'c', env: [{ name: 'ISTIO_META_UNPRIVILEGED_POD', value: 'true' }] }] },
})

describe('a host of a VirtualService', () => {
  test.each<[string, readonly KubeObject[], Readonly<Record<string, string>>]>([
    [
      'is served by a server that takes it',
      [...installed, http, plainRoute('a/v', ['x.com'], ['g'])],
      { 'x.com': 'gw-0 a/g#0' },
    ],
    [
      'is served by every server that takes it',
      [
        ...installed,
        gateway('a/g', [server('80 HTTP', ['*.com']), server('443 HTTPS', ['*'], { tls: { mode: 'SIMPLE' } })]),
        plainRoute('a/v', ['x.com'], ['g']),
      ],
      { 'x.com': 'gw-0 a/g#0,gw-0 a/g#1' },
    ],
    ['needs a Gateway', [...installed, http, plainRoute('a/v', ['x.com'], ['other'])], { 'x.com': 'no-such-gateway' }],
    [
      'needs a Gateway of the namespace that a bare name means',
      [...installed, gateway('b/g', [server('80 HTTP', ['*'])]), plainRoute('a/v', ['x.com'], ['g'])],
      { 'x.com': 'no-such-gateway' },
    ],
    ['needs a gateway pod', [http, plainRoute('a/v', ['x.com'], ['g'])], { 'x.com': 'unused-gateway' }],
    [
      'needs to be exported to the pod',
      [
        ...installed,
        http,
        virtualService('a/v', { hosts: ['x.com'], gateways: ['g'], exportTo: ['.'], http: [{ route: [TO_WEB] }] }),
      ],
      { 'x.com': 'not-exported' },
    ],
    [
      'needs a server for it, one by one',
      [...installed, http, plainRoute('a/v', ['x.com', 'x.org'], ['g'])],
      { 'x.com': 'gw-0 a/g#0', 'x.org': 'host-not-accepted' },
    ],
    [
      'needs a server for its namespace',
      [...installed, gateway('a/g', [server('80 HTTP', ['b/*.com'])]), plainRoute('a/v', ['x.com'], ['g'])],
      { 'x.com': 'namespace-not-accepted' },
    ],
    [
      'needs a server that is not skipped',
      [
        ...installed,
        gateway('b/old', [server('80 TCP', ['*'])], { age: 1 }),
        gateway('a/g', [server('80 HTTP', ['*.com'])], { age: 2 }),
        plainRoute('a/v', ['x.com'], ['g']),
      ],
      { 'x.com': 'conflict' },
    ],
    [
      'needs a port that the pod may open',
      [...unprivileged, gateway('a/g', [server('88 HTTP', ['*.com'])]), plainRoute('a/v', ['x.com'], ['g'])],
      { 'x.com': 'privileged-port' },
    ],
    [
      'needs routes for HTTP at an HTTP server',
      [...installed, http, virtualService('a/v', { hosts: ['x.com'], gateways: ['g'], tcp: [{ route: [TO_WEB] }] })],
      { 'x.com': 'no-route' },
    ],
    [
      'needs routes for that port',
      [
        ...installed,
        http,
        virtualService('a/v', {
          hosts: ['x.com'],
          gateways: ['g'],
          http: [{ match: [{ port: 8080 }], route: [TO_WEB] }],
        }),
      ],
      { 'x.com': 'no-route' },
    ],
    [
      'needs tls routes where TLS is passed on',
      [
        ...installed,
        gateway('a/g', [server('443 HTTPS', ['*.com'], { tls: {} })]),
        plainRoute('a/v', ['x.com'], ['g']),
      ],
      { 'x.com': 'no-route' },
    ],
    [
      'is served where a tls route can be asked for by it',
      [
        ...installed,
        gateway('a/g', [server('443 TLS', ['*.com'], { tls: {} })]),
        virtualService('a/v', {
          hosts: ['x.com', 'y.com'],
          gateways: ['g'],
          tls: [{ match: [{ sniHosts: ['x.com'] }], route: [TO_WEB] }],
        }),
      ],
      { 'x.com': 'gw-0 a/g#0', 'y.com': 'no-route' },
    ],
    [
      'is not served where an older VirtualService took all connections',
      [
        ...installed,
        gateway('a/g', [server('9000 TCP', ['*'])]),
        virtualService('b/old', { hosts: ['*'], gateways: ['a/g'], tcp: [{ route: [TO_WEB] }] }, { age: 1 }),
        virtualService('a/v', { hosts: ['x.com'], gateways: ['g'], tcp: [{ route: [TO_WEB] }] }, { age: 2 }),
      ],
      { 'x.com': 'no-route' },
    ],
    [
      'counts what came closest of all its gateways',
      [
        ...installed,
        http,
        gateway('a/h', [server('80 HTTP', ['b/*.com'])], { age: 2 }),
        plainRoute('a/v', ['x.com'], ['nobody', 'h', 'mesh']),
      ],
      { 'x.com': 'namespace-not-accepted' },
    ],
    ['only of the mesh is not asked for', [...installed, plainRoute('a/v', ['x.com'], ['mesh'])], {}],
  ])('%s', (_, objects, expected) => {
    expect(bindings(...objects)).toEqual(expected)
  })

  test('may be served by a pod that does not say that it is a gateway, but not by one with a sidecar', () => {
    const labels = { istio: 'ingressgateway' }
    const spec = { spec: { containers: [] }, status: { phase: 'Running' } }
    const silent = object('Pod', 'edge/silent', spec, { labels })
    const sidecar = object('Pod', 'edge/app', spec, { labels: { ...labels, 'security.istio.io/tlsMode': 'istio' } })
    const route = plainRoute('a/v', ['x.com'], ['g'])
    expect([bindings(silent, http, route), bindings(sidecar, http, route)]).toEqual([
      { 'x.com': 'silent a/g#0' },
      { 'x.com': 'unused-gateway' },
    ])
  })
})
