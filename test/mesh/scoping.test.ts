import { describe, expect, test } from 'vitest'

import { hostExists, servicesWithHost } from '../../src/mesh/registry.ts'
import { outboundPolicyOf, scopeFor, sidecarFor } from '../../src/mesh/sidecar.ts'
import { visibleService } from '../../src/mesh/visibility.ts'
import { meshConfig, meshFrom, object, service } from './mesh-from.ts'

const client = { namespace: 'a', labels: { app: 'x' } }
const sidecar = (namespace: string, name: string, spec: string, minute = 0): string =>
  object('Sidecar', namespace, name, spec, minute)
const entry = (namespace: string, name: string, spec: string, minute = 0): string =>
  object('ServiceEntry', namespace, name, spec, minute)

describe('which Sidecar applies', () => {
  test.each([
    ['none', '', undefined],
    [
      'that of the root namespace',
      sidecar('istio-system', 'root', '{ egress: [{ hosts: ["./*"] }] }'),
      'istio-system/root',
    ],
    [
      'not one of the root namespace that selects',
      sidecar('istio-system', 'root', '{ workloadSelector: { labels: { app: x } } }'),
      undefined,
    ],
    [
      'one of its own namespace before that',
      sidecar('istio-system', 'root', '{}') + sidecar('a', 'own', '{}'),
      'a/own',
    ],
    [
      'one that selects it, though it is younger',
      sidecar('a', 'all', '{}', 1) + sidecar('a', 'x', '{ workloadSelector: { labels: { app: x } } }', 2),
      'a/x',
    ],
    [
      'not one that selects others',
      sidecar('a', 'all', '{}', 1) + sidecar('a', 'y', '{ workloadSelector: { labels: { app: y } } }', 2),
      'a/all',
    ],
    [
      'an empty selector counts as one',
      sidecar('a', 'all', '{}', 1) + sidecar('a', 'e', '{ workloadSelector: {} }', 2),
      'a/e',
    ],
    ['of two the older', sidecar('a', 'new', '{}', 2) + sidecar('a', 'old', '{}', 1), 'a/old'],
  ])('%s', (_name, yaml, expected) => {
    const found = sidecarFor(meshFrom(yaml), client)
    expect(found && `${found.metadata.namespace}/${found.metadata.name}`).toBe(expected)
  })

  test.each([
    ['', '', 'ALLOW_ANY'],
    ['outboundTrafficPolicy: { mode: REGISTRY_ONLY }', '', 'REGISTRY_ONLY'],
    ['', '{ outboundTrafficPolicy: { mode: REGISTRY_ONLY } }', 'REGISTRY_ONLY'],
    ['', '{ outboundTrafficPolicy: {} }', 'REGISTRY_ONLY'],
    ['outboundTrafficPolicy: { mode: REGISTRY_ONLY }', '{ outboundTrafficPolicy: { mode: ALLOW_ANY } }', 'ALLOW_ANY'],
  ])('the outbound policy of mesh "%s" and Sidecar "%s"', (mesh, spec, expected) => {
    const snapshot = meshFrom(meshConfig(mesh || '{}') + (spec === '' ? '' : sidecar('a', 's', spec)))
    expect(outboundPolicyOf(snapshot, scopeFor(snapshot, client))).toBe(expected)
  })
})

describe('what a client sees', () => {
  const world =
    service('a', 'own') +
    service('b', 'cart') +
    service('b', 'hidden', 'annotations: { networking.istio.io/exportTo: "." }')
  const sees = (yaml: string, host: string): boolean => {
    const mesh = meshFrom(world + yaml)
    return visibleService(mesh, scopeFor(mesh, client), host) !== undefined
  }
  const own = 'own.a.svc.cluster.local'
  const cart = 'cart.b.svc.cluster.local'

  test.each<[string, string, string, boolean]>([
    ['everything', '', cart, true],
    ['not what is not exported', '', 'hidden.b.svc.cluster.local', false],
    ['what its Sidecar names', sidecar('a', 's', '{ egress: [{ hosts: ["b/*"] }] }'), cart, true],
    ['not its own namespace, unless named', sidecar('a', 's', '{ egress: [{ hosts: ["b/*"] }] }'), own, false],
    ['its own namespace by a dot', sidecar('istio-system', 's', '{ egress: [{ hosts: ["./*"] }] }'), own, true],
    ['one host of it', sidecar('a', 's', `{ egress: [{ hosts: ["b/${cart}"] }] }`), cart, true],
    ['any namespace by a star', sidecar('a', 's', `{ egress: [{ hosts: ["*/${cart}"] }] }`), cart, true],
    ['nothing by a tilde', sidecar('a', 's', '{ egress: [{ hosts: ["~/*"] }] }'), cart, false],
    ['all but what is left out', sidecar('a', 's', '{ egress: [{ hosts: ["*/*", "~b/*"] }] }'), cart, false],
    ['and still the rest', sidecar('a', 's', '{ egress: [{ hosts: ["*/*", "~b/*"] }] }'), own, true],
    [
      'a listener for a port that the host has',
      sidecar('a', 's', '{ egress: [{ port: { number: 80, protocol: HTTP }, hosts: ["b/*"] }] }'),
      cart,
      true,
    ],
    [
      'not for one that it lacks',
      sidecar('a', 's', '{ egress: [{ port: { number: 81, protocol: HTTP }, hosts: ["b/*"] }] }'),
      cart,
      false,
    ],
    [
      'an entry with two slashes says nothing',
      sidecar('a', 's', '{ egress: [{ hosts: ["b/x/*", "./*"] }] }'),
      cart,
      false,
    ],
    [
      'where a VirtualService leads',
      sidecar('a', 's', '{ egress: [{ hosts: ["./*"] }] }') +
        object(
          'VirtualService',
          'a',
          'v',
          '{ hosts: [own], http: [{ route: [{ destination: { host: cart.b.svc.cluster.local } }] }] }',
        ),
      cart,
      true,
    ],
    [
      'not where one leads for others',
      sidecar('a', 's', '{ egress: [{ hosts: ["./*"] }] }') +
        object(
          'VirtualService',
          'a',
          'v',
          '{ hosts: [own], http: [{ match: [{ sourceNamespace: z }], route: [{ destination: { host: cart.b.svc.cluster.local } }] }] }',
        ),
      cart,
      false,
    ],
    [
      'where a delegate leads',
      sidecar('a', 's', '{ egress: [{ hosts: ["./*"] }] }') +
        object('VirtualService', 'a', 'v', '{ hosts: [own], http: [{ delegate: { name: d } }] }') +
        object(
          'VirtualService',
          'a',
          'd',
          '{ http: [{ route: [{ destination: { host: cart.b.svc.cluster.local } }] }] }',
        ),
      cart,
      true,
    ],
  ])('%s', (_name, yaml, host, expected) => {
    expect(sees(yaml, host)).toBe(expected)
  })

  test('through a port it sees that port alone', () => {
    const mesh = meshFrom(
      world + sidecar('a', 's', '{ egress: [{ port: { number: 80, protocol: HTTP }, hosts: ["b/*"] }] }'),
    )
    expect(visibleService(mesh, scopeFor(mesh, client), cart)?.ports.map(({ number }) => number)).toEqual([80])
  })
})

describe('a host defined more than once', () => {
  const external = '{ hosts: [api.example], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: DNS }'
  const whose = (yaml: string, host: string): string | undefined => {
    const mesh = meshFrom(yaml)
    return visibleService(mesh, scopeFor(mesh, client), host)?.namespace
  }

  test.each([
    ['the older', entry('z', 'one', external, 1) + entry('b', 'two', external, 2), 'z'],
    ['its own', entry('z', 'one', external, 1) + entry('a', 'two', external, 2), 'a'],
    [
      'what is exported to it by name',
      entry('z', 'one', external, 1) + entry('b', 'two', external.replace('hosts', 'exportTo: [a], hosts'), 2),
      'b',
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(whose(yaml, 'api.example')).toBe(expected)
  })

  test('a Service before a ServiceEntry, though younger', () => {
    const host = 'cart.b.svc.cluster.local'
    const mesh =
      service('b', 'cart', 'creationTimestamp: "2026-05-01T00:00:00Z"') +
      entry(
        'evil',
        'e',
        `{ hosts: [${host}], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: STATIC }`,
      )
    expect(whose(mesh, host)).toBe('b')
    expect(servicesWithHost(meshFrom(mesh), host).map(({ source }) => source)).toEqual(['ServiceEntry', 'Service'])
  })
})

describe('does a host exist', () => {
  const mesh = meshFrom(
    service('b', 'cart') +
      service('b', 'own', 'annotations: { networking.istio.io/exportTo: "." }') +
      entry('b', 'wild', '{ hosts: ["*.example"], ports: [] }'),
  )
  test.each([
    ['cart.b.svc.cluster.local', true],
    ['cart.a.svc.cluster.local', false],
    ['cart.b', false],
    ['own.b.svc.cluster.local', false],
    ['api.example', true],
    ['example', false],
  ])('%s', (host, expected) => {
    expect(hostExists(mesh, host, 'a')).toBe(expected)
  })
})
