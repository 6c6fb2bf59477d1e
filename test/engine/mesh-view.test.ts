import { describe, expect, test } from 'vitest'

import { meshView } from '../../src/engine/mesh-view.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { requestFor } from './request-for.ts'

const NAMESPACE: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
const OTHER: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'stock', namespace: 'shop' } }

function service(version?: string): KubeObject {
  const stored = version === undefined ? {} : { uid: 'u1', resourceVersion: version }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'cart', namespace: 'shop', ...stored } }
}

describe('the mesh with the object in its place', () => {
  const object = service('7')
  const before = buildSnapshot([NAMESPACE, OTHER])

  test.each<readonly [name: string, after: readonly KubeObject[], isTaken: boolean]>([
    ['is the one that holds it already', [NAMESPACE, OTHER, object], true],
    ['is the one that holds this version of it', [NAMESPACE, OTHER, service('7')], true],
    ['is not one with another version', [NAMESPACE, OTHER, service('8')], false],
    ['is not one with an object of that name of which no version is known', [NAMESPACE, OTHER, service()], false],
    ['is not one without it', [NAMESPACE, OTHER], false],
  ])('%s', (_name, objects, isTaken) => {
    const after = buildSnapshot(objects)
    const { mesh } = meshView(requestFor(object), { before, after, knowledge: 'whole' })
    expect([mesh === after, mesh.get('Service', 'shop', 'cart')?.metadata.resourceVersion, mesh.size]).toStrictEqual([
      isTaken,
      '7',
      3,
    ])
  })

  test('is worked out where there is none', () => {
    const { mesh } = meshView(requestFor(object), { before, knowledge: 'whole' })
    expect([mesh.size, before.size, mesh.get('Service', 'shop', 'cart')]).toStrictEqual([3, 2, object])
  })
})

describe('the namespace of a request', () => {
  const empty = buildSnapshot([])

  test('exists, even where nobody has seen it', () => {
    const { mesh } = meshView(requestFor(service()), { before: empty, knowledge: 'whole' })
    expect(mesh.namespace('shop')?.metadata).toStrictEqual({ name: 'shop' })
  })

  test('makes the same mesh for all requests in it that share one', () => {
    const objects = [service('1'), { ...OTHER, metadata: { ...OTHER.metadata, uid: 'u2', resourceVersion: '2' } }]
    const shared = buildSnapshot(objects)
    const [first, second] = objects.map(
      (object) => meshView(requestFor(object), { before: shared, after: shared, knowledge: 'whole' }).mesh,
    )
    expect([first === second, first?.size]).toStrictEqual([true, 3])
  })

  test('is gone once it is deleted itself', () => {
    const request = requestFor(NAMESPACE, NAMESPACE, { operation: 'DELETE', object: null })
    const { mesh } = meshView(request, { before: buildSnapshot([NAMESPACE, OTHER]), knowledge: 'whole' })
    expect([mesh.namespace('shop'), mesh.size]).toStrictEqual([undefined, 1])
  })
})
