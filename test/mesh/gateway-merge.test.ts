import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { mergedGateway } from '../../src/mesh/gateway-merge.ts'
import { serverName } from '../../src/mesh/gateway-servers.ts'
import { gatewayPods } from '../../src/mesh/gateway-workloads.ts'
import { gateway, gatewayInstallation, meshOf, object, server } from './gateway-mesh.ts'

const SIMPLE = { tls: { mode: 'SIMPLE', credentialName: 'web' } }
const REDIRECT = { tls: { httpsRedirect: true } }

/** What becomes of each server: the pod's port, or why it is skipped and by whom. */
function outcomes(...objects: readonly KubeObject[]): Readonly<Record<string, string>> {
  const mesh = meshOf(gatewayInstallation(), objects)
  const [pod] = gatewayPods(mesh)
  if (pod === undefined) throw new Error('no gateway pod')
  return Object.fromEntries(
    mergedGateway(mesh, pod).placements.map(({ server: own, port, conflict }) => [
      serverName(own),
      conflict === undefined ? String(port) : `${conflict.reason} ${serverName(conflict.by)} ${conflict.hosts.join()}`,
    ]),
  )
}

describe('the servers of a gateway pod', () => {
  test.each<[string, readonly KubeObject[], Readonly<Record<string, string>>]>([
    [
      'are on the port behind that of the Service, or on their own where no Service has it',
      [gateway('a/g', [server('80 HTTP', ['a.com']), server('9000 TCP', ['*'])])],
      { 'a/g#0': '8080', 'a/g#1': '9000' },
    ],
    [
      'do not share a name with TLS: the newer server is skipped whole',
      [
        gateway('a/new', [server('443 HTTPS', ['b.com', 'a.com'], SIMPLE)], { age: 2 }),
        gateway('b/old', [server('443 HTTPS', ['a.com'], SIMPLE)], { age: 1 }),
      ],
      { 'b/old#0': '8443', 'a/new#0': 'duplicate-host b/old#0 a.com' },
    ],
    [
      'of a skipped server are free for the next',
      [
        gateway('a/g', [
          server('443 HTTPS', ['a.com'], SIMPLE),
          { ...server('443 HTTPS', ['a.com', 'b.com'], SIMPLE), port: { number: 443, name: 'x', protocol: 'HTTPS' } },
          { ...server('443 HTTPS', ['b.com'], SIMPLE), port: { number: 443, name: 'y', protocol: 'HTTPS' } },
        ]),
      ],
      { 'a/g#0': '8443', 'a/g#1': 'duplicate-host a/g#0 a.com', 'a/g#2': '8443' },
    ],
    [
      'may overlap by a wildcard',
      [
        gateway('a/g', [server('443 HTTPS', ['*.a.com'], SIMPLE)], { age: 1 }),
        gateway('a/h', [server('443 HTTPS', ['x.a.com'], SIMPLE)], { age: 2 }),
      ],
      { 'a/g#0': '8443', 'a/h#0': '8443' },
    ],
    [
      'may have the same name on another address',
      [
        gateway('a/g', [server('443 HTTPS', ['a.com'], { ...SIMPLE, bind: '10.0.0.1' })], { age: 1 }),
        gateway('a/h', [server('443 HTTPS', ['a.com'], { ...SIMPLE, bind: '10.0.0.2' })], { age: 2 }),
      ],
      { 'a/g#0': '8443', 'a/h#0': '8443' },
    ],
    [
      'claim a name for a namespace apart from the same name for all',
      [
        gateway('a/g', [server('443 HTTPS', ['./a.com'], SIMPLE)], { age: 1 }),
        gateway('a/h', [server('443 HTTPS', ['*/a.com'], SIMPLE)], { age: 2 }),
        gateway('a/i', [server('443 HTTPS', ['a/a.com'], SIMPLE)], { age: 3 }),
      ],
      { 'a/g#0': '8443', 'a/h#0': '8443', 'a/i#0': 'duplicate-host a/g#0 a/a.com' },
    ],
    [
      'speak HTTP of any version side by side',
      [
        gateway(
          'a/g',
          ['HTTP', 'HTTP2', 'GRPC'].map((protocol) => server(`80 ${protocol}`, ['a.com'])),
        ),
      ],
      { 'a/g#0': '8080', 'a/g#1': '8080', 'a/g#2': '8080' },
    ],
    [
      'with TLS are skipped where plain text was first',
      [gateway('a/g', [server('80 HTTP', ['a.com']), server('80 HTTPS', ['b.com'], SIMPLE)])],
      { 'a/g#0': '8080', 'a/g#1': 'protocol a/g#0 ' },
    ],
    [
      'in plain text are kept where TLS was first',
      [gateway('a/g', [server('80 HTTPS', ['b.com'], SIMPLE), server('80 HTTP', ['a.com'])])],
      { 'a/g#0': '8080', 'a/g#1': '8080' },
    ],
    [
      'that are not HTTP have a port for themselves',
      [gateway('a/g', [server('80 TCP', ['*']), server('80 HTTP', ['a.com']), server('80 MONGO', ['*'])])],
      { 'a/g#0': '8080', 'a/g#1': 'protocol a/g#0 ', 'a/g#2': 'protocol a/g#0 ' },
    ],
    [
      'that redirect own their names, as with TLS',
      [
        gateway('a/g', [server('80 HTTP', ['a.com'], REDIRECT)], { age: 1 }),
        gateway('a/h', [server('80 HTTP', ['a.com'], REDIRECT)], { age: 2 }),
        gateway('a/i', [server('80 HTTP', ['a.com'])], { age: 3 }),
      ],
      { 'a/g#0': '8080', 'a/h#0': 'duplicate-host a/g#0 a.com', 'a/i#0': '8080' },
    ],
    [
      'with HTTPS need port names of their own in a Gateway',
      [gateway('a/g', [server('443 HTTPS', ['a.com'], SIMPLE), server('443 HTTPS', ['b.com'], SIMPLE)])],
      { 'a/g#0': '8443', 'a/g#1': 'duplicate-port-name a/g#0 ' },
    ],
    [
      'are those of Gateways that select the pod or select nothing in particular',
      [
        gateway('a/g', [server('80 HTTP', ['a.com'])], { age: 1 }),
        object('Gateway', 'a/all', { spec: { servers: [server('80 HTTP', ['b.com'])] } }, { age: 2 }),
        object('Gateway', 'a/other', {
          spec: { selector: { istio: 'ingressgateway', tier: 'inner' }, servers: [server('80 HTTP', ['c.com'])] },
        }),
      ],
      { 'a/g#0': '8080', 'a/all#0': '8080' },
    ],
    [
      'of a Gateway that is about to be created come last',
      [
        gateway('a/new', [server('443 HTTPS', ['a.com'], SIMPLE)]),
        gateway('z/old', [server('443 HTTPS', ['a.com'], SIMPLE)], { age: 59 }),
      ],
      { 'z/old#0': '8443', 'a/new#0': 'duplicate-host z/old#0 a.com' },
    ],
  ])('%s', (_, objects, expected) => {
    expect(outcomes(...objects)).toEqual(expected)
  })

  test('keep the port of the Gateway where the Service asks not to translate', () => {
    const serviceLabels = { 'experimental.istio.io/disable-gateway-port-translation': 'true' }
    const mesh = meshOf(gatewayInstallation({ serviceLabels }), gateway('a/g', [server('80 HTTP', ['a.com'])]))
    const ports = gatewayPods(mesh).flatMap((each) => mergedGateway(mesh, each).placements.map(({ port }) => port))
    expect(ports).toEqual([80])
  })

  test('are the same for every replica, and made once', () => {
    const mesh = meshOf(gatewayInstallation({ replicas: 2 }), gateway('a/g', [server('80 HTTP', ['a.com'])]))
    const [one, other] = gatewayPods(mesh).map((each) => mergedGateway(mesh, each).placements)
    expect(one).toBe(other)
  })
})
