import { describe, expect, test } from 'vitest'

import { nameOf, namespaceOf, type KubeObject } from '../../src/kube/object.ts'
import { gapsUnder, peerGaps } from '../../src/mesh/ambient-peer-gaps.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'
import {
  allZtunnelPolicies,
  ambientMtls,
  effectiveAmbientMtls,
  ztunnelPoliciesFor,
} from '../../src/mesh/ztunnel-access.ts'
import { ambient, find, meshOf, peerAuthentication, pod } from './gateway-mesh.ts'

const STRICT = { mtls: { mode: 'STRICT' } }
const PERMISSIVE = { mtls: { mode: 'PERMISSIVE' } }
const CART = { matchLabels: { app: 'cart' } }
const ports = (mode: string) => ({ portLevelMtls: { 8080: { mode } } })

/** What ztunnel does for the ports of `shop/cart`: 8080, 9090, any other; and what it refers to in vain. */
function modes(...policies: readonly KubeObject[]) {
  const mesh = meshOf(ambient('shop'), pod('shop/cart'), policies)
  const [cart] = allWorkloads(mesh)
  if (cart === undefined) throw new Error('no pod')
  const enforced = ztunnelPoliciesFor(mesh, cart)
  const [first, second, other] = [8080, 9090, undefined].map((port) => ambientMtls(enforced, port))
  return [first, second, other, ...enforced.missing]
}

describe('PeerAuthentications of a captured pod', () => {
  const meshWide = peerAuthentication('istio-system/default', STRICT)

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    ['accept plaintext where there is none', [], ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE']],
    ['refuse it for the mesh', [meshWide], ['STRICT', 'STRICT', 'STRICT']],
    [
      'accept it again for the namespace',
      [meshWide, peerAuthentication('shop/default', PERMISSIVE)],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'take DISABLE for not strict',
      [peerAuthentication('shop/default', { mtls: { mode: 'DISABLE' } })],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'exempt a port of a policy that is STRICT itself',
      [peerAuthentication('shop/w', { selector: CART, ...STRICT, ...ports('DISABLE') })],
      ['PERMISSIVE', 'STRICT', 'STRICT'],
    ],
    [
      'exempt a PERMISSIVE port under the mesh',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...ports('PERMISSIVE') })],
      ['PERMISSIVE', 'STRICT', 'STRICT'],
    ],
    [
      'exempt no DISABLE port under the mesh',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...ports('DISABLE') })],
      ['STRICT', 'STRICT', 'STRICT'],
    ],
    [
      'refuse it for a port',
      [peerAuthentication('shop/w', { selector: CART, ...PERMISSIVE, ...ports('STRICT') })],
      ['STRICT', 'PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'of the root namespace count without a selector only, not even an empty one',
      [peerAuthentication('istio-system/default', { selector: {}, ...STRICT })],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'of its namespace count with an empty selector',
      [peerAuthentication('shop/default', { selector: {}, ...STRICT })],
      ['STRICT', 'STRICT', 'STRICT'],
    ],
    [
      'count by age, one of each level',
      [peerAuthentication('shop/b', STRICT, 2), peerAuthentication('shop/a', PERMISSIVE, 1)],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE'],
    ],
    [
      'fail open behind a namespace policy without a mode',
      [
        meshWide,
        peerAuthentication('shop/default', {}),
        peerAuthentication('shop/w', { selector: CART, ...ports('PERMISSIVE') }),
      ],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE', 'shop/converted_peer_authentication_w'],
    ],
    [
      'fail open behind an empty selector',
      [
        peerAuthentication('shop/default', { selector: {}, ...STRICT }),
        peerAuthentication('shop/w', { selector: CART, ...ports('PERMISSIVE') }),
      ],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE', 'shop/converted_peer_authentication_w'],
    ],
    [
      'fail open for a STRICT port of a PERMISSIVE policy under a STRICT mesh',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...PERMISSIVE, ...ports('STRICT') })],
      ['PERMISSIVE', 'PERMISSIVE', 'PERMISSIVE', 'shop/converted_peer_authentication_w'],
    ],
  ])('%s', (_, policies, expected) => {
    expect(modes(...policies)).toEqual(expected)
  })
})

describe('the policy that istiod makes of a PeerAuthentication', () => {
  test('denies what is anonymous and not for an exempted port', () => {
    const mesh = meshOf(
      peerAuthentication('istio-system/default', STRICT),
      peerAuthentication('shop/w', {
        selector: CART,
        portLevelMtls: { 9090: { mode: 'PERMISSIVE' }, 8080: { mode: 'DISABLE' } },
      }),
    )
    expect(allZtunnelPolicies(mesh).map(({ key, rules }) => [key, rules.map(({ clauses }) => clauses)])).toEqual([
      ['istio-system/istio_converted_static_strict', [[[{ notPrincipals: ['*'] }]]]],
      [
        'shop/converted_peer_authentication_w',
        [[[{ notDestinationPorts: ['8080'] }], [{ notDestinationPorts: ['9090'] }], [{ notPrincipals: ['*'] }]]],
      ],
    ])
  })

  test('has a rule for each STRICT port', () => {
    const mesh = meshOf(
      peerAuthentication('shop/w', {
        selector: CART,
        ...PERMISSIVE,
        portLevelMtls: { 1: { mode: 'STRICT' }, 2: { mode: 'STRICT' } },
      }),
    )
    const [, own] = allZtunnelPolicies(mesh)
    expect(own?.rules.map(({ clauses }) => clauses)).toEqual([
      [[{ notPrincipals: ['*'], destinationPorts: ['1'] }]],
      [[{ notPrincipals: ['*'], destinationPorts: ['2'] }]],
    ])
  })

  test.each<[string, KubeObject]>([
    ['without ports', peerAuthentication('shop/w', { selector: CART, ...STRICT })],
    ['without a selector', peerAuthentication('shop/w', { ...STRICT, ...ports('PERMISSIVE') })],
    [
      'of the root namespace',
      peerAuthentication('istio-system/w', { selector: CART, ...STRICT, ...ports('PERMISSIVE') }),
    ],
    [
      'whose ports say what it says itself',
      peerAuthentication('shop/w', { selector: CART, ...STRICT, ...ports('STRICT') }),
    ],
    ['whose ports say nothing', peerAuthentication('shop/w', { selector: CART, ...ports('UNSET') })],
  ])('is none %s', (_, policy) => {
    expect(allZtunnelPolicies(meshOf(policy)).map(({ key }) => key)).toEqual([
      'istio-system/istio_converted_static_strict',
    ])
  })
})

describe('ports that fail open', () => {
  const MODES = [undefined, 'UNSET', 'STRICT', 'PERMISSIVE', 'DISABLE'] as const

  /** Undefined: no such policy. */
  function policy(name: string, mode: string | undefined, rest = {}): readonly KubeObject[] {
    return mode === undefined ? [] : [peerAuthentication(name, { mtls: { mode }, ...rest })]
  }

  test('are those of two combinations of modes, of all that there are', () => {
    const found = new Set<string>()
    const known = new Set<string>()
    for (const inMesh of MODES) {
      for (const inNamespace of MODES) {
        for (const own of MODES.slice(1)) {
          for (const port of MODES.slice(1)) {
            const name = [inMesh, inNamespace, own, port].join()
            const mesh = meshOf(
              ambient('shop'),
              pod('shop/cart'),
              policy('istio-system/default', inMesh),
              policy('shop/default', inNamespace),
              policy('shop/w', own, { selector: CART, ...ports(port ?? '') }),
            )
            if (allWorkloads(mesh).some((workload) => peerGaps(mesh, workload).length > 0)) found.add(name)
            // a namespace policy without a mode hides the mesh's STRICT from the port that is exempted
            const hidesMesh = inMesh === 'STRICT' && inNamespace === 'UNSET' && own === 'UNSET' && port === 'PERMISSIVE'
            // a STRICT mesh is taken to cover the port though the policy has lifted it
            const isMeshStrict = inMesh === 'STRICT' && (inNamespace === undefined || inNamespace === 'UNSET')
            const lifts = isMeshStrict && (own === 'PERMISSIVE' || own === 'DISABLE') && port === 'STRICT'
            if (hidesMesh || lifts) known.add(name)
          }
        }
      }
    }
    expect(found).toEqual(known)
  })

  test('are told with what demands mTLS and with what is missing', () => {
    const mesh = meshOf(
      ambient('shop'),
      pod('shop/cart'),
      peerAuthentication('istio-system/default', STRICT),
      peerAuthentication('shop/default', {}),
      peerAuthentication('shop/w', { selector: CART, ...ports('PERMISSIVE') }),
    )
    const meshWide = find(mesh, 'PeerAuthentication', 'istio-system/default')
    const gaps = [...gapsUnder(mesh, find(mesh, 'PeerAuthentication', 'shop/w'))]
    expect(gaps.map(({ port, demanded, missing }) => [port, demanded, missing])).toEqual(
      [9090, undefined].map((port) => [
        port,
        { mode: 'STRICT', object: meshWide, field: 'spec.mtls.mode' },
        ['shop/converted_peer_authentication_w'],
      ]),
    )
  })

  test('are none of a pod that is not captured', () => {
    const mesh = meshOf(pod('shop/cart'), peerAuthentication('istio-system/default', { selector: {}, ...STRICT }))
    expect(allWorkloads(mesh).flatMap((workload) => peerGaps(mesh, workload))).toEqual([])
  })
})

describe('the PeerAuthentication that decides', () => {
  const meshWide = peerAuthentication('istio-system/default', STRICT)
  test.each<[string, readonly KubeObject[], string]>([
    ['is none without any', [], 'PERMISSIVE'],
    ['is that of the mesh', [meshWide], 'STRICT istio-system/default spec.mtls.mode'],
    [
      'is that of the namespace before it',
      [meshWide, peerAuthentication('shop/default', PERMISSIVE)],
      'PERMISSIVE shop/default spec.mtls.mode',
    ],
    [
      'is that of the workload, for one port',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...ports('PERMISSIVE') })],
      'PERMISSIVE shop/w spec.portLevelMtls[8080].mode',
    ],
    [
      'is that of the workload, for the others',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...PERMISSIVE })],
      'PERMISSIVE shop/w spec.mtls.mode',
    ],
    [
      'is not one that is not obeyed',
      [meshWide, peerAuthentication('shop/w', { selector: CART, ...ports('DISABLE') })],
      'STRICT istio-system/default spec.mtls.mode',
    ],
    [
      'is not one for others',
      [peerAuthentication('shop/w', { selector: { matchLabels: { app: 'x' } }, ...STRICT })],
      'PERMISSIVE',
    ],
  ])('%s', (_, policies, expected) => {
    const mesh = meshOf(ambient('shop'), pod('shop/cart'), policies)
    const [cart] = allWorkloads(mesh)
    if (cart === undefined) throw new Error('no pod')
    const { mode, object, field } = effectiveAmbientMtls(mesh, cart, 8080)
    const by = object === undefined ? [] : [`${namespaceOf(object)}/${nameOf(object)}`, field]
    expect([mode, ...by].join(' ')).toBe(expected)
  })
})
