import { describe, expect, test } from 'vitest'

import { clientKey } from '../../src/mesh/client-key.ts'
import { allServices } from '../../src/mesh/registry.ts'
import { virtualServicesOf, visibleServices } from '../../src/mesh/scope-contents.ts'
import { scopeFor } from '../../src/mesh/sidecar.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { virtualServiceName } from '../../src/mesh/virtual-service.ts'
import { importedVirtualServices, visibleService } from '../../src/mesh/visibility.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { meshFrom, object, service } from './mesh-from.ts'

const client = { namespace: 'a', labels: { app: 'x', 'pod-template-hash': '1' } }
const MESH =
  service('a', 'own') +
  service('b', 'seen') +
  service('b', 'private', 'annotations: { networking.istio.io/exportTo: . }') +
  service('c', 'routed') +
  service('d', 'far') +
  object(
    'ServiceEntry',
    'c',
    'outside',
    '{ hosts: [api.example, "*.wild.example"], ports: [{ number: 80, name: http, protocol: HTTP }] }',
  ) +
  object(
    'VirtualService',
    'a',
    'route',
    '{ hosts: [own], http: [{ route: [{ destination: { host: routed.c.svc.cluster.local } }] }] }',
  ) +
  object(
    'VirtualService',
    'b',
    'theirs',
    '{ hosts: [seen], http: [{ mirror: { host: far.d.svc.cluster.local }, route: [] }] }',
  ) +
  object(
    'VirtualService',
    'd',
    'hidden',
    '{ hosts: [far], exportTo: ["."], http: [{ route: [{ destination: { host: far } }] }] }',
  )

/** Asks of every host and VirtualService there is, one by one. */
function oneByOne(mesh: MeshSnapshot) {
  const scope = scopeFor(mesh, client)
  const hosts = [...new Set(allServices(mesh).map(({ host }) => host))]
  return {
    services: hosts.filter((host) => visibleService(mesh, scope, host) !== undefined).sort(),
    routes: scope.listeners.map((listener) =>
      importedVirtualServices(mesh, scope, listener, mesh.all(KINDS.virtualService)).map((each) =>
        virtualServiceName(each.object),
      ),
    ),
  }
}

describe('all that a scope shows is what it shows one by one', () => {
  test.each<
    readonly [
      name: string,
      egress: string | undefined,
      services: readonly string[],
      routes: readonly (readonly string[])[],
    ]
  >([
    [
      'without a Sidecar',
      undefined,
      [
        '*.wild.example',
        'api.example',
        'far.d.svc.cluster.local',
        'own.a.svc.cluster.local',
        'routed.c.svc.cluster.local',
        'seen.b.svc.cluster.local',
      ],
      [['a/route', 'b/theirs']],
    ],
    [
      'its own namespace, and what is routed there',
      '[{ hosts: ["./*"] }]',
      ['own.a.svc.cluster.local', 'routed.c.svc.cluster.local'],
      [['a/route']],
    ],
    ['one host of any namespace', '[{ hosts: ["*/api.example"] }]', ['api.example'], [[]]],
    ['a wildcard of a namespace', '[{ hosts: ["c/*.example"] }]', ['*.wild.example', 'api.example'], [[]]],
    ['nothing', '[{ hosts: ["~/*"] }]', [], [[]]],
    [
      'two listeners',
      '[{ port: { number: 80, protocol: HTTP, name: http }, hosts: ["b/*"] }, { hosts: ["./*"] }]',
      ['far.d.svc.cluster.local', 'own.a.svc.cluster.local', 'routed.c.svc.cluster.local', 'seen.b.svc.cluster.local'],
      [['b/theirs'], ['a/route']],
    ],
  ])('%s', (_name, egress, services, routes) => {
    const mesh = meshFrom(
      MESH + (egress === undefined ? '' : object('Sidecar', 'a', 'default', `{ egress: ${egress} }`)),
    )
    const scope = scopeFor(mesh, client)
    const found = {
      services: [...visibleServices(mesh, scope).keys()].sort(),
      routes: scope.listeners.map((listener) =>
        virtualServicesOf(mesh, scope, listener).map((each) => virtualServiceName(each.object)),
      ),
    }
    expect(found).toStrictEqual({ services, routes })
    expect(found).toStrictEqual(oneByOne(mesh))
  })
})

describe('clients are told apart', () => {
  const replica = { namespace: 'a', labels: { app: 'x', 'pod-template-hash': '2' } }
  const other = { namespace: 'a', labels: { app: 'y' } }
  const isAlike = (yaml: string, a: typeof client | typeof other, b: typeof other): boolean => {
    const mesh = meshFrom(MESH + yaml)
    return clientKey(mesh, a) === clientKey(mesh, b)
  }
  const rule = (namespace: string): string =>
    object('DestinationRule', namespace, 'rule', '{ host: own, workloadSelector: { matchLabels: { app: x } } }')
  const sources = object(
    'VirtualService',
    'd',
    'by',
    '{ hosts: [far], http: [{ match: [{ sourceLabels: { app: x } }], route: [] }] }',
  )

  test.each<readonly [name: string, yaml: string, alike: boolean]>([
    ['not where nothing asks for labels', '', true],
    [
      'by a Sidecar for some of them',
      object('Sidecar', 'a', 'some', '{ workloadSelector: { labels: { app: x } } }'),
      false,
    ],
    ['not by a Sidecar for all of them', object('Sidecar', 'a', 'all', '{}'), true],
    ['by a DestinationRule beside them that selects', rule('a'), false],
    ['not by one elsewhere', rule('b'), true],
    ['by a VirtualService anywhere that asks for labels', sources, false],
  ])('%s', (_name, yaml, alike) => {
    expect(isAlike(yaml, client, other)).toBe(alike)
    expect(isAlike(yaml, client, replica)).toBe(true)
    expect(isAlike(yaml, client, { ...client, namespace: 'b' })).toBe(false)
  })
})
