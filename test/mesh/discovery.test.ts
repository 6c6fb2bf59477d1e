import { describe, expect, test } from 'vitest'

import { discoveredMesh } from '../../src/mesh/discovery.ts'
import { facts } from '../../src/mesh/facts.ts'
import { serviceEntriesByHost } from '../../src/mesh/indexes.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { meshConfigOf } from '../../src/mesh/mesh-config.ts'
import { meshConfig, meshFrom, object, pod, service } from './mesh-from.ts'

const namespace = (name: string, labels: string): string =>
  `\n---\n{ apiVersion: v1, kind: Namespace, metadata: { name: ${name}, labels: { ${labels} } } }`
const entry = (where: string): string => object('ServiceEntry', where, 'e', '{ hosts: [api.example] }')
const world =
  namespace('in', 'mesh: "true"') + namespace('out', 'mesh: "false"') + entry('in') + entry('out') + entry('unknown')
const selective = meshConfig('discoverySelectors: [{ matchLabels: { mesh: "true" } }]') + world

describe('what istiod looks at', () => {
  test('everything, without selectors', () => {
    const mesh = meshFrom(world)
    expect(discoveredMesh(mesh)).toBe(mesh)
  })

  test('namespaces that a selector takes, and those of which nothing is known', () => {
    const mesh = discoveredMesh(meshFrom(selective))
    const where = (objects: readonly { metadata: { namespace?: string } }[]): unknown =>
      objects.map(({ metadata }) => metadata.namespace)
    expect(where(mesh.all(KINDS.serviceEntry))).toEqual(['in', 'unknown'])
    expect(where(mesh.find(serviceEntriesByHost, 'api.example'))).toEqual(['in', 'unknown'])
    expect(mesh.namespacesOf(serviceEntriesByHost, 'api.example')).toEqual(['in', 'unknown'])
    expect(mesh.get(KINDS.serviceEntry, 'out', 'e')).toBeUndefined()
    expect(mesh.inNamespace(KINDS.serviceEntry, 'out')).toEqual([])
    expect(mesh.namespace('out')).toBeDefined()
    expect(meshConfigOf(mesh).discoverySelectors).toHaveLength(1)
  })

  test('a label that changes opens the namespace', () => {
    const mesh = discoveredMesh(meshFrom(selective))
    const opened = mesh.with({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'out', labels: { mesh: 'true' } },
    })
    expect(opened.get(KINDS.serviceEntry, 'out', 'e')).toBeDefined()
  })

  test('a recording view sees the same and notes it', () => {
    const view = discoveredMesh(meshFrom(selective)).recording()
    expect(view.get(KINDS.serviceEntry, 'out', 'e')).toBeUndefined()
    expect(view.inNamespace(KINDS.serviceEntry, 'in')).toHaveLength(1)
    expect([...view.kindsRead]).toContain(KINDS.serviceEntry)
  })

  test('facts are of that part alone', () => {
    const apps =
      pod('in', 'web', 'app: web') + pod('out', 'web', 'app: web') + service('in', 'web') + service('out', 'web')
    const found = facts(meshFrom(selective + apps), [])
    expect(Object.keys(Object(found.sidecar))).toEqual(['in/web'])
    expect(JSON.stringify(found)).not.toContain('web.out.svc')
  })
})
