import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { waypointBypasses } from '../../src/mesh/ambient-bypass.ts'
import { allServices } from '../../src/mesh/registry.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'
import { judgeConnection, ztunnelPoliciesFor } from '../../src/mesh/ztunnel-access.ts'
import type { Connection } from '../../src/mesh/ztunnel-match.ts'
import {
  ambient,
  authorizationPolicy,
  find,
  meshOf,
  peerAuthentication,
  pod,
  service,
  waypoint,
} from './gateway-mesh.ts'

const WEB = 'cluster.local/ns/web/sa/front'
const toCart = (rest: Partial<Connection> = {}): Connection => ({
  principal: WEB,
  ip: '10.0.0.7',
  port: 8080,
  address: '10.0.0.1',
  ...rest,
})

/** The verdict on a connection to `shop/cart`, and the policy that brings it about. */
function judge(connection: Connection, ...policies: readonly KubeObject[]): string {
  const mesh = meshOf(ambient('shop'), pod('shop/cart'), policies)
  const [cart] = allWorkloads(mesh)
  if (cart === undefined) throw new Error('no pod')
  const { verdict, policy, rule } = judgeConnection(ztunnelPoliciesFor(mesh, cart), connection)
  return [verdict, policy?.key ?? '', rule?.index ?? ''].join(' ').trim()
}

const allow = (name: string, ...rules: readonly JsonObject[]): KubeObject => authorizationPolicy(name, { rules })
const deny = (name: string, ...rules: readonly JsonObject[]): KubeObject =>
  authorizationPolicy(name, { action: 'DENY', rules })
const from = (source: JsonObject): JsonObject => ({ from: [{ source }] })

describe('a connection to a captured pod', () => {
  test.each<[string, Connection, readonly KubeObject[], string]>([
    ['is allowed without policies', toCart(), [], 'allow'],
    ['is denied by an ALLOW policy without rules', toCart(), [allow('shop/p')], 'deny'],
    ['is denied by one of the mesh', toCart(), [allow('istio-system/p')], 'deny'],
    [
      'is allowed again by any other ALLOW policy',
      toCart(),
      [allow('istio-system/p'), allow('shop/q', {})],
      'allow shop/q 0',
    ],
    [
      'is denied before anything allows it',
      toCart(),
      [allow('shop/q', {}), deny('shop/d', from({ principals: ['*/sa/front'] }))],
      'deny shop/d 0',
    ],
    ['knows nothing of other namespaces', toCart(), [allow('pay/p')], 'allow'],
    [
      'knows nothing of policies for other pods',
      toCart(),
      [authorizationPolicy('shop/p', { selector: { matchLabels: { app: 'x' } } })],
      'allow',
    ],
    [
      'knows policies of the root namespace that select it',
      toCart(),
      [authorizationPolicy('istio-system/p', { selector: { matchLabels: { app: 'cart' } } })],
      'deny',
    ],
    ['knows nothing of an empty selector', toCart(), [authorizationPolicy('shop/p', { selector: {} })], 'allow'],
    ['is allowed by namespace', toCart(), [allow('shop/p', from({ namespaces: ['w*'] }))], 'allow shop/p 0'],
    [
      'is allowed by the second rule',
      toCart(),
      [allow('shop/p', from({ namespaces: ['x'] }), from({ serviceAccounts: ['web/front'] }))],
      'allow shop/p 1',
    ],
    [
      'in plaintext has no identity',
      toCart({ principal: undefined }),
      [allow('shop/p', from({ principals: ['*'] }))],
      'deny',
    ],
    [
      'in plaintext is anybody but',
      toCart({ principal: undefined }),
      [allow('shop/p', from({ notNamespaces: ['evil'] }))],
      'allow shop/p 0',
    ],
    [
      'in plaintext is refused under STRICT',
      toCart({ principal: undefined }),
      [peerAuthentication('shop/d', { mtls: { mode: 'STRICT' } })],
      'deny istio-system/istio_converted_static_strict',
    ],
    [
      'is judged by the port of the pod',
      toCart(),
      [deny('shop/d', { to: [{ operation: { ports: ['80'] } }] })],
      'allow',
    ],
    [
      'is judged by addresses',
      toCart(),
      [
        deny('shop/d', {
          ...from({ ipBlocks: ['10.0.0.0/29'] }),
          when: [{ key: 'destination.ip', values: ['10.0.0.1'] }],
        }),
      ],
      'deny shop/d 0',
    ],
    [
      'passes a rule that lost what it asked',
      toCart(),
      [deny('shop/d', { to: [{ operation: { paths: ['/admin'] } }] })],
      'allow',
    ],
    [
      'is closed by rules that all fell away',
      toCart(),
      [allow('shop/p', { to: [{ operation: { paths: ['/'] } }] })],
      'deny',
    ],
  ])('%s', (_, connection, policies, expected) => {
    expect(judge(connection, ...policies)).toBe(expected)
  })
})

describe('a waypoint', () => {
  const own = waypoint('shop/waypoint')
  const only = { from: [{ source: { principals: ['cluster.local/ns/shop/sa/waypoint'] } }] }

  /** The policies by which others come past the waypoint of `shop/cart`; empty for no policy at all. */
  function bypasses(...objects: readonly KubeObject[]): readonly string[] {
    const mesh = meshOf(ambient('shop', { 'istio.io/use-waypoint': 'waypoint' }), own, service('shop/cart'), objects)
    const [cart] = allServices(mesh)
    if (cart === undefined) throw new Error('no service')
    return waypointBypasses(mesh, find(mesh, 'Waypoint', 'shop/waypoint'), cart).map(({ policy }) => policy?.key ?? '')
  }

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    ['is bypassed where nothing closes the pods', [pod('shop/cart')], ['']],
    ['is not where only its identity is let in', [pod('shop/cart'), allow('shop/p', only)], []],
    [
      'is not where only its service account is',
      [pod('shop/cart'), allow('shop/p', from({ serviceAccounts: ['waypoint'] }))],
      [],
    ],
    ['is not where nobody is let in', [pod('shop/cart'), allow('shop/p')], []],
    ['is not by rules that never hold', [pod('shop/cart'), allow('shop/p', only, from({ trustDomains: ['x'] }))], []],
    [
      'is by another rule',
      [pod('shop/cart'), allow('shop/p', only, { to: [{ operation: { ports: ['9090'] } }] })],
      ['shop/p'],
    ],
    [
      'is by another policy',
      [pod('shop/cart'), allow('shop/p', only), allow('istio-system/q', {})],
      ['istio-system/q'],
    ],
    [
      'is by an identity beside its own',
      [pod('shop/cart'), allow('shop/p', from({ principals: ['cluster.local/ns/shop/sa/waypoint', WEB] }))],
      ['shop/p'],
    ],
    [
      'is by a source beside its own',
      [pod('shop/cart'), allow('shop/p', { from: [...only.from, { source: { namespaces: ['web'] } }] })],
      ['shop/p'],
    ],
    [
      'is of no concern to pods that are not captured',
      [pod('shop/cart', { labels: { 'istio.io/dataplane-mode': 'none' } })],
      [],
    ],
  ])('%s', (_, objects, expected) => {
    expect(bypasses(...objects)).toEqual(expected)
  })

  test('has the identity of its pods', () => {
    const running = pod('shop/w', {
      labels: {
        'gateway.networking.k8s.io/gateway-name': 'waypoint',
        'gateway.istio.io/managed': 'istio.io-mesh-controller',
      },
    })
    const accounts = ['w', 'waypoint'].map((account) => allow('shop/p', from({ serviceAccounts: [account] })))
    expect(accounts.map((policy) => bypasses(pod('shop/cart'), running, policy))).toEqual([[], ['shop/p']])
  })
})
