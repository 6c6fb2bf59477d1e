import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { rivalGateways, rivalVirtualServices } from '../../src/mesh/gateway-claims.ts'
import { placementsOfGateway, serverRivals } from '../../src/mesh/gateway-conflicts.ts'
import { unexposedServers } from '../../src/mesh/gateway-exposure.ts'
import { relaxedSni } from '../../src/mesh/gateway-relaxed-sni.ts'
import { serverName } from '../../src/mesh/gateway-servers.ts'
import { virtualServiceName } from '../../src/mesh/virtual-service.ts'
import {
  find,
  gateway,
  gatewayInstallation,
  meshOf,
  object,
  plainRoute,
  server,
  virtualService,
} from './gateway-mesh.ts'

const SIMPLE = { tls: { mode: 'SIMPLE', credentialName: 'web' } }
const MUTUAL = { tls: { mode: 'MUTUAL', credentialName: 'web' } }
const installed = gatewayInstallation()

describe('the rivals of a server', () => {
  const rivals = (...objects: readonly KubeObject[]): readonly string[] => {
    const mesh = meshOf(objects)
    return serverRivals(mesh, find(mesh, 'Gateway', 'a/g')).map(
      ({ server: own, rival, hosts }) => `${serverName(own)} ${serverName(rival)} ${hosts.join()}`,
    )
  }
  const own = gateway('a/g', [server('80 HTTP', ['x.com', 'y.com'])])

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    [
      'have the same name on the same port',
      [...installed, own, gateway('b/h', [server('80 HTTP', ['z.com', 'y.com', 'x.com'])])],
      ['a/g#0 b/h#0 x.com,y.com'],
    ],
    [
      'are not in the same Gateway',
      [...installed, gateway('a/g', [server('80 HTTP', ['x.com']), server('80 HTTP2', ['x.com'])])],
      [],
    ],
    ['are not on another port', [...installed, own, gateway('b/h', [server('8080 HTTP', ['x.com'])])], []],
    [
      'are not on another address',
      [...installed, own, gateway('b/h', [server('80 HTTP', ['x.com'], { bind: '10.0.0.1' })])],
      [],
    ],
    ['are not for another namespace', [...installed, own, gateway('b/h', [server('80 HTTP', ['./x.com'])])], []],
    ['are not those that only overlap', [...installed, own, gateway('b/h', [server('80 HTTP', ['*.com'])])], []],
    [
      'are not for other pods',
      [
        ...installed,
        own,
        object('Gateway', 'b/h', { spec: { selector: { app: 'other' }, servers: [server('80 HTTP', ['x.com'])] } }),
      ],
      [],
    ],
    [
      'select the pod in another way',
      [
        ...installed,
        own,
        object('Gateway', 'b/h', { spec: { selector: { app: 'gw' }, servers: [server('80 HTTP', ['x.com'])] } }),
      ],
      ['a/g#0 b/h#0 x.com'],
    ],
    [
      'have the same selector where no pod is known',
      [own, gateway('b/h', [server('80 HTTP', ['x.com'])])],
      ['a/g#0 b/h#0 x.com'],
    ],
  ])('%s', (_, objects, expected) => {
    expect(rivals(...objects)).toEqual(expected)
  })
})

test.each(
  ['80 HTTP', '443 HTTPS', '443 TLS', '9000 TCP'].flatMap((older) =>
    ['HTTP', 'HTTPS', 'TLS', 'TCP'].map((newer) => [older, newer] as const),
  ),
)('beside a server with %s, what becomes of a newer one with %s is what becomes of it at the pod', (older, newer) => {
  const port = older.split(' ')[0] ?? ''
  const tlsOf = (protocol: string) => (/HTTPS|TLS/.test(protocol) ? SIMPLE : {})
  const mesh = meshOf(
    installed,
    gateway('a/old', [server(older, ['x.com'], tlsOf(older))], { age: 1 }),
    gateway('a/g', [server(`${port} ${newer}`, ['x.com'], tlsOf(newer))], { age: 2 }),
  )
  const own = find(mesh, 'Gateway', 'a/g')
  const isSkipped = placementsOfGateway(mesh, own).some(({ conflict }) => conflict !== undefined)
  expect(serverRivals(mesh, own)).toMatchObject([{ rivalIs: 'older', isNewerSkipped: isSkipped }])
  expect(serverRivals(mesh, find(mesh, 'Gateway', 'a/old'))).toMatchObject([
    { rivalIs: 'newer', isNewerSkipped: isSkipped },
  ])
})

test('the servers of a Gateway are placed at every pod of it', () => {
  const mesh = meshOf(
    gatewayInstallation({ replicas: 2 }),
    gateway('a/old', [server('443 HTTPS', ['x.com'], SIMPLE)], { age: 1 }),
    gateway('a/g', [server('443 HTTPS', ['x.com'], SIMPLE), server('80 HTTP', ['x.com'])], { age: 2 }),
  )
  const placements = placementsOfGateway(mesh, find(mesh, 'Gateway', 'a/g'))
  expect(placements.map(({ pod, port, conflict }) => [pod.name, port, conflict?.reason])).toEqual([
    ['gw-0', 8443, 'duplicate-host'],
    ['gw-0', 8080, undefined],
    ['gw-1', 8443, 'duplicate-host'],
    ['gw-1', 8080, undefined],
  ])
})

describe('a server is exposed', () => {
  const unexposed = (...objects: readonly KubeObject[]): readonly string[] => {
    const mesh = meshOf(objects)
    return unexposedServers(mesh, find(mesh, 'Gateway', 'a/g')).map(serverName)
  }
  const own = gateway(
    'a/g',
    ['80 HTTP', '8443 HTTPS', '9000 TCP'].map((port) => server(port, ['x.com'])),
  )

  test('by the port of a Service or the port of the pod behind it', () => {
    expect(unexposed(...installed, own)).toEqual(['a/g#2'])
  })

  test('by nothing that is known where no pod is', () => {
    expect(unexposed(own)).toEqual([])
  })

  test('not by a Service of another namespace', () => {
    const [pod] = installed
    const elsewhere = object('Service', 'edge/gw', { spec: { selector: { app: 'gw' }, ports: [{ port: 80 }] } })
    expect(unexposed(...(pod === undefined ? [] : [pod]), elsewhere, own)).toEqual(['a/g#0', 'a/g#1', 'a/g#2'])
  })
})

describe('claims of other namespaces', () => {
  const claims = (kind: 'Gateway' | 'VirtualService', ...objects: readonly KubeObject[]): readonly string[] => {
    const mesh = meshOf(installed, objects)
    const own = find(mesh, kind, 'a/own')
    const found = kind === 'Gateway' ? rivalGateways(mesh, own) : rivalVirtualServices(mesh, own)
    return found.map(({ host, by, isOlder }) => `${host} ${virtualServiceName(by)}${isOlder ? ' older' : ''}`)
  }
  const route = plainRoute('a/own', ['x.com', 'y.com'], ['edge/g', 'mesh'], 5)

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    [
      'name a host at the same gateway, the oldest first',
      [route, plainRoute('c/v', ['x.com'], ['edge/g'], 9), plainRoute('b/v', ['x.com'], ['edge/g'], 2)],
      ['x.com b/v older', 'x.com c/v'],
    ],
    ['are not of the same namespace', [route, plainRoute('a/v', ['x.com'], ['edge/g'])], []],
    ['are not at another gateway', [route, plainRoute('b/v', ['x.com'], ['edge/h', 'mesh'])], []],
    ['are not for another host', [route, plainRoute('b/v', ['*.com'], ['edge/g'])], []],
  ])('of VirtualServices %s', (_, objects, expected) => {
    expect(claims('VirtualService', ...objects)).toEqual(expected)
  })

  const own = gateway('a/own', [server('80 HTTP', ['./x.com', '*'])], { age: 5 })

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    [
      'have a name in common, on whatever port and for whatever namespace',
      [own, gateway('b/g', [server('443 HTTPS', ['x.com'], SIMPLE)], { age: 1 })],
      ['x.com b/g older'],
    ],
    ['are not of the same namespace', [own, gateway('a/g', [server('80 HTTP', ['x.com'])])], []],
    ['are not for the star that everybody may have', [own, gateway('b/g', [server('80 HTTP', ['*'])])], []],
    [
      'are not for other pods',
      [own, object('Gateway', 'b/g', { spec: { selector: { app: 'x' }, servers: [server('80 HTTP', ['x.com'])] } })],
      [],
    ],
  ])('of Gateways %s', (_, objects, expected) => {
    expect(claims('Gateway', ...objects)).toEqual(expected)
  })
})

describe('a name behind a client certificate', () => {
  const ways = (name: string, ...objects: readonly KubeObject[]): readonly string[] => {
    const mesh = meshOf(installed, objects)
    return relaxedSni(mesh, find(mesh, 'Gateway', name)).map(
      ({ strict, host, relaxed, isServed }) =>
        `${serverName(strict)} ${host} ${serverName(relaxed)}${isServed ? ' served' : ''}`,
    )
  }
  const strict = gateway('a/strict', [server('443 HTTPS', ['admin.x.com'], MUTUAL)], { age: 1 })
  const wide = gateway('a/wide', [server('443 HTTPS', ['*.x.com'], SIMPLE)], { age: 2 })
  const refusal = (hosts: readonly string[], status: number): KubeObject =>
    virtualService('a/refuse', { hosts, gateways: ['wide'], http: [{ directResponse: { status } }] })

  test.each<[string, string, readonly KubeObject[], readonly string[]]>([
    ['can be had by another of the same port', 'a/strict', [strict, wide], ['a/strict#0 admin.x.com a/wide#0']],
    ['is as much the finding of the other Gateway', 'a/wide', [strict, wide], ['a/strict#0 admin.x.com a/wide#0']],
    [
      'is even served there',
      'a/wide',
      [strict, wide, plainRoute('a/v', ['admin.x.com'], ['wide'])],
      ['a/strict#0 admin.x.com a/wide#0 served'],
    ],
    ['is safe where the other answers 421', 'a/wide', [strict, wide, refusal(['admin.x.com'], 421)], []],
    [
      'is safe where the other answers 421 to all that is not said',
      'a/wide',
      [strict, wide, refusal(['*.x.com'], 421)],
      [],
    ],
    [
      'is not safe by any other answer',
      'a/wide',
      [strict, wide, refusal(['admin.x.com'], 404)],
      ['a/strict#0 admin.x.com a/wide#0 served'],
    ],
    [
      'is safe from names beside it',
      'a/strict',
      [strict, gateway('a/wide', [server('443 HTTPS', ['*.y.com'], SIMPLE)])],
      [],
    ],
    [
      'is safe from another that demands one too',
      'a/strict',
      [strict, gateway('a/wide', [server('443 HTTPS', ['*.x.com'], MUTUAL)])],
      [],
    ],
    [
      'is safe on a port of its own',
      'a/strict',
      [strict, gateway('a/wide', [server('9443 HTTPS', ['*.x.com'], SIMPLE)])],
      [],
    ],
    [
      'is not safe from one that only asks for a certificate',
      'a/strict',
      [
        strict,
        gateway('a/wide', [
          server('443 HTTPS', ['*.x.com'], { tls: { mode: 'OPTIONAL_MUTUAL', credentialName: 'web' } }),
        ]),
      ],
      ['a/strict#0 admin.x.com a/wide#0'],
    ],
  ])('%s', (_, name, objects, expected) => {
    expect(ways(name, ...objects)).toEqual(expected)
  })
})
