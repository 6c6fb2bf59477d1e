import type { KubeObject } from '../../src/kube/object.ts'
import { KINDS, kindNameOf, type KindName } from '../../src/mesh/kinds.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { trimObject } from '../../src/sources/cluster/trim-object.ts'
import { generateMesh, LARGE_MESH, type MeshSize } from '../generate-mesh.ts'
import { stored } from './stored.ts'

// A process that holds the objects of its argument, and prints how many MB it uses with them: resident, and of its heap.

const { gc } = globalThis
if (gc === undefined) throw new Error('run this with node --expose-gc')
const snapshot = buildSnapshot(objectsOf(process.argv[2] ?? ''))
gc()
const { rss, heapUsed } = process.memoryUsage()
console.log(JSON.stringify({ rss: rss / 1024 / 1024, heap: heapUsed / 1024 / 1024, objects: snapshot.size }))

function objectsOf(what: string): Iterable<KubeObject> {
  switch (what) {
    case 'the large mesh':
      return generateMesh(LARGE_MESH)
    case '10,000 VirtualServices':
      return received({ ...LARGE_MESH, virtualServices: 20 }, KINDS.virtualService)
    case '20,000 VirtualServices':
      return received({ ...LARGE_MESH, virtualServices: 40 }, KINDS.virtualService)
    case '10,000 Pods':
      return received({ ...LARGE_MESH, podsPerService: 2 }, KINDS.pod)
    case '20,000 Pods':
      return received(LARGE_MESH, KINDS.pod)
    default:
      return []
  }
}

/** The objects of a kind as they come from an API server, trimmed. */
function* received(size: MeshSize, kind: KindName): Generator<KubeObject> {
  for (const object of generateMesh(size)) {
    if (kindNameOf(object) !== kind) continue
    const trimmed = trimObject(JSON.parse(JSON.stringify(stored(object, 1))), object.kind, object.apiVersion)
    if (trimmed !== undefined) yield trimmed
  }
}
