import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import type { MeshKnowledge } from '../../src/engine/mesh-knowledge.ts'
import type { JsonObject } from '../../src/kube/json.ts'
import { isKubeObject, type KubeObject } from '../../src/kube/object.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { dependsOnMesh, recheck } from '../../src/reports/recheck.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { policySetOf } from '../engine/policy-set-of.ts'
import { requestFor } from '../engine/request-for.ts'

const { policies } = readPolicies(
  ['policies/routing/require-known-subsets', 'policies/routing/forbid-removal-in-use'],
  createPolicyCompiler(MESH_FUNCTIONS),
)
const set = policySetOf(policies)

const networking = (kind: string, name: string, spec: JsonObject): KubeObject => {
  const object: JsonObject = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'shop' }, spec }
  if (!isKubeObject(object)) throw new Error('no object')
  return object
}
const subsets = (...names: readonly string[]): KubeObject =>
  networking('DestinationRule', 'cart', { host: 'cart', subsets: names.map((name) => ({ name, labels: { v: name } })) })
const route = (subset: string): KubeObject =>
  networking('VirtualService', 'cart', {
    hosts: ['cart'],
    http: [{ route: [{ destination: { host: 'cart', subset } }] }],
  })

const admit = (request: ReturnType<typeof requestFor>, mesh: readonly KubeObject[]) => ({
  request,
  decision: decide({ request, policies: set, mesh: buildSnapshot(mesh), phase: 'validate' }),
})

const around = (mesh: readonly KubeObject[], knowledge: MeshKnowledge = 'whole') => ({
  policies: set,
  mesh: buildSnapshot(mesh),
  knowledge,
})

describe('two changes that are fine each for itself', () => {
  const toV2 = admit(requestFor(route('v2')), [subsets('v1', 'v2')])
  const withoutV2 = admit(requestFor(subsets('v1'), subsets('v1', 'v2')), [subsets('v1', 'v2')])
  const found = (admitted: ReturnType<typeof admit>, mesh: readonly KubeObject[]) =>
    recheck(admitted, around(mesh)).map(({ code, field }) => [code, field])

  test('are both allowed, and are both looked at again', () => {
    expect([toV2, withoutV2].map(({ decision }) => [decision.findings, dependsOnMesh(decision, set)])).toEqual([
      [[], true],
      [[], true],
    ])
  })

  test('are found wrong together, from either side', () => {
    const stored = [subsets('v1'), route('v2')]
    expect(found(toV2, stored)).toEqual([['VS-05', 'spec.http[0].route[0].destination.subset']])
    expect(found(withoutV2, stored)).toEqual([['VS-32', 'spec.subsets']])
  })

  test('leave nothing to tell where only one of them came', () => {
    expect(found(toV2, [subsets('v1', 'v2'), route('v2')])).toEqual([])
    expect(found(withoutV2, [subsets('v1')])).toEqual([])
  })
})

test('what was told at once is not told again', () => {
  const admitted = admit(requestFor(route('v3')), [subsets('v1')])
  expect(admitted.decision.findings.map(({ code }) => code)).toEqual(['VS-05'])
  expect(recheck(admitted, around([subsets('v1'), route('v3')]))).toEqual([])
})
