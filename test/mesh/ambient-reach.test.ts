import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { obstaclesOfPolicy, placesOfPolicy, takesEffect } from '../../src/mesh/ambient-reach.ts'
import {
  ambient,
  authorizationPolicy,
  gatewayInstallation,
  meshOf,
  object,
  pod,
  service,
  waypoint,
  type Extras,
} from './gateway-mesh.ts'

const served = [
  ambient('shop', { 'istio.io/use-waypoint': 'waypoint' }),
  waypoint('shop/waypoint'),
  service('shop/cart'),
]
const captured = [ambient('shop'), pod('shop/cart')]
const injected = pod('shop/cart', { labels: { 'security.istio.io/tlsMode': 'istio' } })
const target = (kind: string, name: string, rest: JsonObject = {}): JsonObject => ({
  targetRefs: [{ kind, name, group: GROUPS[kind] ?? '', ...rest }],
})
const GROUPS: Readonly<Record<string, string>> = {
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
  ServiceEntry: 'networking.istio.io',
}

/** What takes the policy up, or why nothing does. */
function reach(policy: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  const mesh = meshOf(objects, policy)
  const places = [...placesOfPolicy(mesh, policy)].map((place) =>
    place.kind === 'waypoint'
      ? `waypoint ${place.service?.host.split('.', 1).join() ?? 'direct'}`
      : `${place.kind} ${place.workload.name}`,
  )
  const obstacles = obstaclesOfPolicy(mesh, policy).map((obstacle) =>
    [
      obstacle.reason,
      ...('cause' in obstacle ? [obstacle.cause] : []),
      ...('use' in obstacle ? [obstacle.use.problem ?? 'none asked for'] : []),
      ...('field' in obstacle ? [obstacle.field] : []),
    ].join(' '),
  )
  expect(takesEffect(mesh, policy)).toBe(places.length > 0)
  expect(obstacles.length === 0).toBe(places.length > 0)
  return [...places, ...obstacles]
}

describe('an AuthorizationPolicy with a selector', () => {
  const policy = (spec: JsonObject, extras: Extras = {}, name = 'shop/p'): KubeObject =>
    authorizationPolicy(name, spec, extras)
  const audit = { action: 'AUDIT', rules: [{}] }

  test.each<[string, KubeObject, readonly KubeObject[], readonly string[]]>([
    ['is taken up by ztunnel', policy({}), captured, ['ztunnel cart']],
    ['is taken up by a sidecar', policy({}), [injected], ['sidecar cart']],
    [
      'is taken up by a gateway',
      policy({ selector: { matchLabels: { istio: 'ingressgateway' } } }, {}, 'istio-system/p'),
      gatewayInstallation(),
      ['gateway gw-0'],
    ],
    ['of the root namespace is taken up anywhere', policy({}, {}, 'istio-system/p'), captured, ['ztunnel cart']],
    ['of another namespace is not', policy({}, {}, 'pay/p'), captured, ['selects-nothing']],
    ['selects nothing', policy({ selector: { matchLabels: { app: 'x' } } }), captured, ['selects-nothing']],
    ['selects what is in no mesh', policy({}), [pod('shop/cart')], ['outside-mesh']],
    [
      'is not taken up by ztunnel with an empty selector',
      policy({ selector: {} }),
      captured,
      ['not-for-ztunnel empty selector'],
    ],
    ['is taken up by a sidecar with an empty selector', policy({ selector: {} }), [injected], ['sidecar cart']],
    ['is not taken up by ztunnel to audit', policy(audit), captured, ['not-for-ztunnel action AUDIT']],
    [
      'is not taken up by ztunnel to be logged',
      policy({}, { annotations: { 'istio.io/dry-run': 'true' } }),
      captured,
      ['not-for-ztunnel dry-run'],
    ],
    [
      'does not reach a waypoint',
      policy({ selector: { matchLabels: { app: 'w' } } }),
      [ambient('shop'), pod('shop/w', { labels: { 'gateway.istio.io/managed': 'istio.io-mesh-controller' } })],
      ['waypoint-by-selector'],
    ],
    [
      'is told of once for many pods',
      policy(audit),
      [...captured, pod('shop/stock'), pod('shop/mail')],
      ['not-for-ztunnel action AUDIT'],
    ],
  ])('%s', (_, own, objects, expected) => {
    expect(reach(own, objects)).toEqual(expected)
  })
})

describe('an AuthorizationPolicy with targets', () => {
  const policy = (spec: JsonObject, name = 'shop/p'): KubeObject => authorizationPolicy(name, { rules: [{}], ...spec })

  test.each<[string, KubeObject, readonly KubeObject[], readonly string[]]>([
    ['is taken up for a Service', policy(target('Service', 'cart')), served, ['waypoint cart']],
    [
      'is taken up for a Service of group core',
      policy(target('Service', 'cart', { group: 'core' })),
      served,
      ['waypoint cart'],
    ],
    [
      'is taken up for all that a waypoint serves',
      policy(target('Gateway', 'waypoint')),
      [...served, service('shop/stock')],
      ['waypoint cart', 'waypoint stock'],
    ],
    [
      'is taken up for workloads that it serves',
      policy(target('Gateway', 'waypoint')),
      [
        ambient('shop', { 'istio.io/use-waypoint': 'waypoint' }),
        waypoint('shop/waypoint', 'workload'),
        pod('shop/cart'),
      ],
      ['waypoint direct'],
    ],
    [
      'is taken up by every waypoint from the root namespace',
      policy(target('GatewayClass', 'istio-waypoint'), 'istio-system/p'),
      served,
      ['waypoint cart'],
    ],
    [
      'is taken up by an old single target',
      policy({ targetRef: { kind: 'Service', name: 'cart' } }),
      served,
      ['waypoint cart'],
    ],
    [
      'may name a class in the root namespace only',
      policy(target('GatewayClass', 'istio-waypoint')),
      served,
      ['target-in-other-namespace spec.targetRefs[0]'],
    ],
    [
      'may name one class only',
      policy(target('GatewayClass', 'istio'), 'istio-system/p'),
      served,
      ['unsupported-target spec.targetRefs[0]'],
    ],
    [
      'may not name another namespace',
      policy(target('Service', 'cart', { namespace: 'pay' })),
      served,
      ['target-in-other-namespace spec.targetRefs[0]'],
    ],
    [
      'has to be in the namespace of the Service',
      policy(target('Service', 'cart'), 'pay/p'),
      served,
      ['target-not-found spec.targetRefs[0]'],
    ],
    ['has to name something', policy(target('Gateway', 'ghost')), served, ['target-not-found spec.targetRefs[0]']],
    [
      'has to name a kind that a waypoint knows',
      policy(target('Deployment', 'cart', { group: 'apps' })),
      served,
      ['unsupported-target spec.targetRefs[0]'],
    ],
    [
      'needs a waypoint for the Service',
      policy(target('Service', 'cart')),
      [...captured, service('shop/cart')],
      ['target-without-waypoint none asked for spec.targetRefs[0]'],
    ],
    [
      'needs a waypoint that is there',
      policy(target('Service', 'cart')),
      [service('shop/cart', { labels: { 'istio.io/use-waypoint': 'ghost' } })],
      ['target-without-waypoint WaypointIsNotReady spec.targetRefs[0]'],
    ],
    [
      'needs a waypoint that serves something',
      policy(target('Gateway', 'waypoint')),
      [waypoint('shop/waypoint')],
      ['waypoint-serves-nothing spec.targetRefs[0]'],
    ],
    [
      'is told of for each target',
      policy({
        targetRefs: [
          { kind: 'Service', name: 'x' },
          { kind: 'Gateway', group: GROUPS.Gateway, name: 'y' },
        ],
      }),
      served,
      ['target-not-found spec.targetRefs[0]', 'target-not-found spec.targetRefs[1]'],
    ],
    [
      'takes effect by one target of several',
      policy({
        targetRefs: [
          { kind: 'Service', name: 'x' },
          { kind: 'Service', name: 'cart' },
        ],
      }),
      served,
      ['waypoint cart'],
    ],
    [
      'is taken up by the pods of another Gateway',
      policy(target('Gateway', 'edge')),
      [
        object('Waypoint', 'shop/edge', { spec: { gatewayClassName: 'istio' } }),
        pod('shop/edge-istio', { labels: { 'gateway.networking.k8s.io/gateway-name': 'edge' } }),
      ],
      ['gateway edge-istio'],
    ],
  ])('%s', (_, own, objects, expected) => {
    expect(reach(own, objects)).toEqual(expected)
  })

  test('is nothing where only TCP is left and it knows only HTTP', () => {
    const tcp = object('Service', 'shop/db', {
      spec: { selector: { app: 'db' }, ports: [{ name: 'tcp', port: 5432 }] },
    })
    const allow = policy({ ...target('Service', 'db'), rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })
    const deny = policy({
      ...target('Service', 'db'),
      action: 'DENY',
      rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
    })
    expect([reach(allow, [...served, tcp]), reach(deny, [...served, tcp])]).toEqual([
      ['waypoint-serves-nothing spec.targetRefs[0]'],
      ['waypoint db'],
    ])
  })
})

describe('a RequestAuthentication', () => {
  const policy = (spec: JsonObject): KubeObject => object('RequestAuthentication', 'shop/ra', { spec })

  test.each<[string, KubeObject, readonly KubeObject[], readonly string[]]>([
    ['is taken up by a sidecar', policy({}), [injected], ['sidecar cart']],
    ['is nothing to ztunnel', policy({}), captured, ['not-for-ztunnel kind']],
    ['is taken up by a waypoint', policy(target('Service', 'cart')), served, ['waypoint cart']],
  ])('%s', (_, own, objects, expected) => {
    expect(reach(own, objects)).toEqual(expected)
  })
})
