import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { podsByLabel, serviceEntriesByHost, virtualServicesByHost } from '../../src/mesh/indexes.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { buildInSlices, buildSnapshot, emptySnapshot, refOf, type MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { object, objectsFrom } from './mesh-from.ts'

function entry(namespace: string, name: string, hosts: readonly string[]): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: { name, namespace }, spec: { hosts } }
}

describe('lookups', () => {
  const istioGateway = objectsFrom(object('Gateway', 'a', 'web', '{}'))[0]
  const k8sGateway: KubeObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'a' },
  }

  test('two kinds of one name in two groups are two kinds', () => {
    const mesh = buildSnapshot([...objectsFrom(object('Gateway', 'a', 'web', '{}')), k8sGateway])
    expect(mesh.get(KINDS.gateway, 'a', 'web')).toEqual(istioGateway)
    expect(mesh.get(KINDS.k8sGateway, 'a', 'web')).toBe(k8sGateway)
    expect(mesh.size).toBe(2)
  })

  test('versions of a kind are one object, and the later one counts', () => {
    const old = { ...entry('a', 'x', ['old.example']), apiVersion: 'networking.istio.io/v1alpha3' }
    const mesh = buildSnapshot([old, entry('a', 'x', ['new.example'])])
    expect(mesh.all(KINDS.serviceEntry)).toEqual([entry('a', 'x', ['new.example'])])
    expect(mesh.find(serviceEntriesByHost, 'old.example')).toEqual([])
  })

  test('a cluster-scoped object has no namespace, whatever its file says', () => {
    const stray: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'default' } }
    const mesh = emptySnapshot().with(stray)
    expect(mesh.namespace('a')).toEqual({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
    expect(mesh.without({ kind: KINDS.namespace, namespace: '', name: 'a' }).namespace('a')).toBeUndefined()
  })

  test('lists are in order of namespace and name, whatever the order of documents', () => {
    const objects = [entry('b', 'x', []), entry('a', 'y', []), entry('a', 'x', [])]
    const names = (mesh: MeshSnapshot): readonly unknown[] => mesh.all(KINDS.serviceEntry)
    expect(names(buildSnapshot(objects))).toEqual(names(buildSnapshot(objects.toReversed())))
    expect(names(buildSnapshot(objects))).toEqual([objects[2], objects[1], objects[0]])
  })

  test('a host leads to those that have it, resolved from where they are', () => {
    const mesh = buildSnapshot(
      objectsFrom(
        object('VirtualService', 'a', 'r', '{ hosts: [cart] }') +
          object('VirtualService', 'b', 'r', '{ hosts: [cart] }'),
      ),
    )
    const found = mesh.find(virtualServicesByHost, 'cart.b.svc.cluster.local')
    expect(found.map(({ metadata }) => metadata.namespace)).toEqual(['b'])
    expect(mesh.namespacesOf(virtualServicesByHost, 'cart.a.svc.cluster.local')).toEqual(['a'])
    expect(mesh.findIn(virtualServicesByHost, 'cart.a.svc.cluster.local', 'b')).toEqual([])
  })

  test('an unknown kind is kept and found', () => {
    const custom: KubeObject = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'a' } }
    expect(buildSnapshot([custom]).get('Widget.example.com', 'a', 'w')).toBe(custom)
  })
})

describe('changes', () => {
  test('a change makes another mesh and leaves the one before as it was', () => {
    const before = buildSnapshot([entry('a', 'x', ['old.example'])])
    const after = before.with(entry('a', 'x', ['new.example']))
    expect(before.find(serviceEntriesByHost, 'old.example')).toHaveLength(1)
    expect(after.find(serviceEntriesByHost, 'old.example')).toEqual([])
    expect(after.find(serviceEntriesByHost, 'new.example')).toHaveLength(1)
    expect(after.size).toBe(1)
  })

  test('what did not change is the same list', () => {
    const before = buildSnapshot([entry('a', 'x', ['x.example']), entry('b', 'y', ['y.example'])])
    const after = before.with(entry('a', 'z', ['z.example']))
    expect(after.inNamespace(KINDS.serviceEntry, 'b')).toBe(before.inNamespace(KINDS.serviceEntry, 'b'))
    expect(after.find(serviceEntriesByHost, 'y.example')).toBe(before.find(serviceEntriesByHost, 'y.example'))
  })

  test('taking away what is not there changes nothing', () => {
    const mesh = buildSnapshot([entry('a', 'x', [])])
    expect(mesh.without({ kind: KINDS.serviceEntry, namespace: 'a', name: 'y' })).toBe(mesh)
  })

  test('the kind of the last object that goes is gone', () => {
    const mesh = buildSnapshot([entry('a', 'x', [])]).without(refOf(entry('a', 'x', [])))
    expect(mesh.kinds()).toEqual([])
    expect(mesh.size).toBe(0)
  })

  const steps = fc.array(
    fc.record({
      keep: fc.boolean(),
      namespace: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('x', 'y', 'z'),
      hosts: fc.array(fc.constantFrom('one.example', 'two.example', '*.example'), { maxLength: 3 }),
      labels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('1', '2')),
      kind: fc.constantFrom('ServiceEntry', 'Pod'),
    }),
    { maxLength: 40 },
  )

  test('any sequence of changes ends where building from the rest begins', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let changed = emptySnapshot()
        const rest = new Map<string, KubeObject>()
        for (const { keep, namespace, name, hosts, labels, kind } of sequence) {
          const made: KubeObject =
            kind === 'Pod'
              ? { apiVersion: 'v1', kind, metadata: { name, namespace, labels } }
              : entry(namespace, name, hosts)
          const key = `${kind} ${namespace}/${name}`
          changed = keep ? changed.with(made) : changed.without(refOf(made))
          if (keep) rest.set(key, made)
          else rest.delete(key)
        }
        const built = buildSnapshot(rest.values())
        expect(changed.size).toBe(built.size)
        for (const kind of [KINDS.serviceEntry, KINDS.pod]) expect(changed.all(kind)).toEqual(built.all(kind))
        for (const host of ['one.example', 'two.example', '*.example']) {
          expect(changed.find(serviceEntriesByHost, host)).toEqual(built.find(serviceEntriesByHost, host))
        }
        for (const label of ['app=1', 'app=2', 'tier=1', 'tier=2']) {
          expect(changed.find(podsByLabel, label)).toEqual(built.find(podsByLabel, label))
          expect(changed.namespacesOf(podsByLabel, label)).toEqual(built.namespacesOf(podsByLabel, label))
        }
      }),
    )
  })
})

describe('a recording view', () => {
  test('notes what is read, there or not, and shows the same mesh', () => {
    const mesh = buildSnapshot([entry('a', 'x', ['x.example'])])
    const view = mesh.recording()
    expect(view.kindsRead).toEqual(new Set())
    expect(view.find(serviceEntriesByHost, 'x.example')).toEqual(mesh.find(serviceEntriesByHost, 'x.example'))
    view.get(KINDS.sidecar, 'a', 'nothing')
    expect(view.kindsRead).toEqual(new Set([KINDS.serviceEntry, KINDS.sidecar]))
  })

  test('goes on noting in the meshes made from it, and not in the mesh it shows', () => {
    const mesh = emptySnapshot()
    const view = mesh.recording()
    view.with(entry('a', 'x', [])).all(KINDS.pod)
    mesh.all(KINDS.service)
    expect(view.kindsRead).toEqual(new Set([KINDS.pod]))
  })
})

test('a mesh built in slices is the mesh built at once, and says how far it is', () => {
  const objects = Array.from({ length: 25 }, (_, index) => entry('a', `e${index}`, [`h${index}.example`]))
  const progress: number[] = []
  const slices = buildInSlices(objects, { perSlice: 10 })
  let step = slices.next()
  while (step.done !== true) {
    progress.push(step.value)
    step = slices.next()
  }
  expect(step.value.all(KINDS.serviceEntry)).toEqual(buildSnapshot(objects).all(KINDS.serviceEntry))
  expect(progress.slice(0, 2)).toEqual([10, 20])
  expect(progress.length).toBeGreaterThan(4)
})
