import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { virtualServiceName } from '../../src/mesh/virtual-service.ts'
import {
  servicesOfWaypoint,
  waypointOfNamespace,
  waypointOfService,
  waypointOfWorkload,
  workloadsOfWaypoint,
  type WaypointUse,
} from '../../src/mesh/waypoint-attachment.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'
import { ambient, find, meshOf, object, pod, service, waypoint } from './gateway-mesh.ts'

const USE = { 'istio.io/use-waypoint': 'waypoint' }
const NONE = { 'istio.io/use-waypoint': 'none' }
const ELSEWHERE = { ...USE, 'istio.io/use-waypoint-namespace': 'infra' }
const using = ambient('shop', USE)
const notReady = object('Waypoint', 'shop/waypoint', { spec: { gatewayClassName: 'istio-waypoint' } })

/** The waypoint, else the problem, else null; and whose label it is. */
function shown({ waypoint: own, problem, askedBy }: WaypointUse): readonly (string | null)[] {
  return [problem ?? (own === undefined ? null : virtualServiceName(own)), askedBy?.kind ?? null]
}

describe('the waypoint of a Service', () => {
  test.each<[string, readonly KubeObject[], readonly (string | null)[]]>([
    [
      'is that of its namespace',
      [using, waypoint('shop/waypoint'), service('shop/cart')],
      ['shop/waypoint', 'Namespace'],
    ],
    [
      'is its own',
      [ambient('shop'), waypoint('shop/waypoint'), service('shop/cart', { labels: USE })],
      ['shop/waypoint', 'Service'],
    ],
    ['is none where nobody asks', [ambient('shop'), waypoint('shop/waypoint'), service('shop/cart')], [null, null]],
    [
      'is none where it asks for none',
      [using, waypoint('shop/waypoint'), service('shop/cart', { labels: NONE })],
      [null, null],
    ],
    [
      'is its own though it does not exist',
      [using, waypoint('shop/waypoint'), service('shop/cart', { labels: { 'istio.io/use-waypoint': 'ghost' } })],
      ['WaypointIsNotReady', 'Service'],
    ],
    ['has to be ready', [using, notReady, service('shop/cart')], ['WaypointIsNotReady', 'Namespace']],
    [
      'of another namespace has to admit it',
      [ambient('shop', ELSEWHERE), waypoint('infra/waypoint'), service('shop/cart')],
      ['AttachmentDenied', 'Namespace'],
    ],
    [
      'may be of another namespace',
      [ambient('shop', ELSEWHERE), waypoint('infra/waypoint', 'service', 'All'), service('shop/cart')],
      ['infra/waypoint', 'Namespace'],
    ],
    [
      'has to be for services',
      [using, waypoint('shop/waypoint', 'workload'), service('shop/cart')],
      ['UnsupportedTrafficType', 'Namespace'],
    ],
    ['may be for all', [using, waypoint('shop/waypoint', 'all'), service('shop/cart')], ['shop/waypoint', 'Namespace']],
    [
      'is none for a waypoint’s own',
      [
        using,
        waypoint('shop/waypoint'),
        service('shop/cart', { labels: { 'gateway.istio.io/managed': 'istio.io-mesh-controller' } }),
      ],
      [null, null],
    ],
  ])('%s', (_, objects, expected) => {
    const mesh = meshOf(objects)
    expect(shown(waypointOfService(mesh, find(mesh, 'Service', 'shop/cart')))).toEqual(expected)
  })

  test('admits namespaces by their labels', () => {
    const selector = { matchLabels: { team: 'shop' } }
    const listeners = [
      { port: 15_008, protocol: 'HBONE', allowedRoutes: { namespaces: { from: 'Selector', selector } } },
    ]
    const spec = { gatewayClassName: 'istio-waypoint', listeners }
    const own = object('Waypoint', 'infra/waypoint', { spec, status: { addresses: [{ value: 'x' }] } })
    const used = ['shop', 'pay'].map((team) => {
      const mesh = meshOf(ambient('shop', { ...ELSEWHERE, team }), own, service('shop/cart'))
      return shown(waypointOfService(mesh, find(mesh, 'Service', 'shop/cart')))[0]
    })
    expect(used).toEqual(['infra/waypoint', 'AttachmentDenied'])
  })

  test('takes the traffic of its class where it says nothing itself', () => {
    const labels = { 'istio.io/waypoint-for': 'workload' }
    const spec = { gatewayClassName: 'ours' }
    const mesh = meshOf(
      using,
      object('GatewayClass', 'ours', { spec: { controllerName: 'istio.io/mesh-controller' } }, { labels }),
      object('Waypoint', 'shop/waypoint', { spec, status: { addresses: [{ value: 'x' }] } }),
      service('shop/cart'),
    )
    expect(shown(waypointOfService(mesh, find(mesh, 'Service', 'shop/cart')))[0]).toBe('UnsupportedTrafficType')
  })
})

describe('the waypoint of a pod', () => {
  test.each<[string, readonly KubeObject[], readonly (string | null)[]]>([
    [
      'is one for workloads',
      [using, waypoint('shop/waypoint', 'workload'), pod('shop/cart')],
      ['shop/waypoint', 'Namespace'],
    ],
    [
      'is not one that its namespace has for services',
      [using, waypoint('shop/waypoint', 'service'), pod('shop/cart')],
      [null, null],
    ],
    [
      'is a mistake where it asks for one that is for services',
      [using, waypoint('shop/waypoint', 'service'), pod('shop/cart', { labels: USE })],
      ['UnsupportedTrafficType', 'Pod'],
    ],
    [
      'is none for an instance of a waypoint',
      [
        using,
        waypoint('shop/waypoint', 'all'),
        pod('shop/x', { labels: { 'gateway.networking.k8s.io/gateway-name': 'waypoint' } }),
      ],
      [null, null],
    ],
  ])('%s', (_, objects, expected) => {
    const mesh = meshOf(objects)
    expect(allWorkloads(mesh).map((workload) => shown(waypointOfWorkload(mesh, workload)))).toEqual([expected])
  })
})

test('the waypoint of a namespace is asked for whatever traffic it is for', () => {
  const mesh = meshOf(using, waypoint('shop/waypoint', 'none'))
  expect(shown(waypointOfNamespace(mesh, find(mesh, 'Namespace', 'shop')))).toEqual(['shop/waypoint', 'Namespace'])
})

test('a waypoint serves what asks for it, and what is in namespaces that do', () => {
  const mesh = meshOf(
    using,
    ambient('pay', ELSEWHERE),
    ambient('ops'),
    waypoint('shop/waypoint', 'all'),
    waypoint('infra/waypoint', 'all', 'All'),
    service('shop/cart'),
    service('shop/stock', { labels: NONE }),
    service('shop/mail', { labels: ELSEWHERE }),
    service('pay/bank'),
    service('ops/log', { labels: USE }),
    pod('shop/cart'),
    pod('ops/log', { labels: ELSEWHERE }),
  )
  const served = ['shop/waypoint', 'infra/waypoint'].map((name) => {
    const own = find(mesh, 'Waypoint', name)
    return [
      servicesOfWaypoint(mesh, own).map(({ host }) => host.split('.', 2).join('.')),
      workloadsOfWaypoint(mesh, own).map(({ namespace, name: each }) => `${namespace}/${each}`),
    ]
  })
  expect(served).toEqual([
    [['cart.shop'], ['shop/cart']],
    [['mail.shop', 'bank.pay'], ['ops/log']],
  ])
})
