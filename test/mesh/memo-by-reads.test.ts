import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { labelsOf, nameOf, type KubeObject } from '../../src/kube/object.ts'
import { podsByLabel } from '../../src/mesh/indexes.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { memoByReads } from '../../src/mesh/memo-by-reads.ts'
import { buildSnapshot, emptySnapshot, refOf, type MeshSnapshot } from '../../src/mesh/snapshot.ts'

function pod(namespace: string, name: string, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } }
}

function namespace(name: string, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

function service(of: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: of }, spec: {} }
}

const MESH = buildSnapshot([namespace('shop'), pod('shop', 'cart'), namespace('till'), pod('till', 'pay')])

describe('an answer about a namespace', () => {
  const cases: readonly (readonly [string, (mesh: MeshSnapshot) => unknown, MeshSnapshot, number])[] = [
    ['is kept for the same mesh', (mesh) => mesh.namespace('shop'), MESH, 1],
    ['is kept when a thing changes that it did not read', () => 0, MESH.with(service('shop', 'cart')), 1],
    ['is kept when a pod elsewhere changes', (mesh) => mesh.namespace('shop'), MESH.with(pod('till', 'sum')), 1],
    ['is kept when what was not there is still not there', missing, MESH.with(service('shop', 'web')), 1],
    ['goes with the pods of the namespace', () => 0, MESH.with(pod('shop', 'web')), 2],
    ['goes with an object that it read', (mesh) => mesh.namespace('shop'), MESH.with(namespace('shop', { a: 'b' })), 2],
    ['goes when what was not there comes', missing, MESH.with(service('shop', 'cart')), 2],
    ['goes with a list that it read', (mesh) => mesh.all(KINDS.service), MESH.with(service('till', 'pay')), 2],
    ['goes with what has a key', (mesh) => mesh.has(podsByLabel, 'a=b'), MESH.with(pod('till', 'sum', { a: 'b' })), 2],
    ['goes with where Istio is', (mesh) => mesh.istioNamespace, moved('istio-test'), 2],
    ['is not kept where it rests on another mesh', (mesh) => mesh.with(pod('x', 'y')).size, MESH, 2],
  ]
  test.each(cases)('%s', (_name, read, other, times) => {
    let count = 0
    const counted = memoByReads((mesh) => {
      read(mesh)
      return ++count
    })
    expect([counted(MESH, 'shop'), counted(other, 'shop')]).toEqual([1, times])
  })

  test('is its own namespace’s', () => {
    const named = memoByReads((_mesh, name) => name)
    expect(['shop', 'till', 'none', 'shop'].map((name) => named(MESH, name))).toEqual(['shop', 'till', 'none', 'shop'])
  })

  test('is, after any changes, what it would be without being kept', () => {
    const describeNamespace = (mesh: MeshSnapshot, name: string): string =>
      JSON.stringify([
        labelsOf(mesh.namespace(name)),
        mesh.inNamespace(KINDS.service, name).map(nameOf),
        mesh.findIn(podsByLabel, 'a=1', name).map(nameOf),
        mesh.namespacesOf(podsByLabel, 'a=2'),
      ])
    const kept = memoByReads(describeNamespace)
    const names = fc.constantFrom('shop', 'till')
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'))
    const object = fc.oneof(
      fc.tuple(names, labels).map(([name, own]) => namespace(name, own)),
      fc.tuple(names, fc.constantFrom('x', 'y'), labels).map(([of, name, own]) => pod(of, name, own)),
      fc.tuple(names, fc.constantFrom('x', 'y')).map(([of, name]) => service(of, name)),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(object, fc.boolean())), (changes) => {
        let mesh = emptySnapshot()
        for (const [changed, stays] of changes) {
          mesh = stays ? mesh.with(changed) : mesh.without(refOf(changed))
          for (const name of ['shop', 'till']) expect(kept(mesh, name)).toBe(describeNamespace(mesh, name))
        }
      }),
    )
  })
})

function missing(mesh: MeshSnapshot): unknown {
  return mesh.get(KINDS.service, 'shop', 'cart')
}

function moved(istioNamespace: string): MeshSnapshot {
  return buildSnapshot(
    [KINDS.pod, KINDS.namespace].flatMap((kind) => MESH.all(kind)),
    { istioNamespace },
  )
}
