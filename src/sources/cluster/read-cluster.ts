import type { KubeObject } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import type { InputError } from '../input-error.ts'
import type { Manifest } from '../manifests.ts'
import type { ApiClient } from './api-client.ts'
import { clusterManifest } from './cluster-manifest.ts'
import { listPages } from './list-pages.ts'
import { locateResource } from './resource-location.ts'
import { trimObject } from './trim-object.ts'

export interface ReadClusterOptions {
  readonly api: ApiClient
  /** Kinds whose objects are judged. */
  readonly judged: ReadonlySet<KindName>
  /** Kinds of the mesh around them. */
  readonly read: ReadonlySet<KindName>
  /** Kinds that are read in some namespaces only, and which those are. */
  readonly onlyIn: ReadonlyMap<KindName, readonly string[]>
  /** Called after each kind. */
  readonly onKind: () => void
}

/** What is in a cluster at this moment. */
export interface ClusterRead {
  readonly manifests: readonly Manifest[]
  readonly mesh: readonly KubeObject[]
  /** Kinds that could not be read; what refers to them is judged without. */
  readonly errors: readonly InputError[]
}

/** Reads what is in a cluster, a kind at a time. A kind that is not served is simply not there. Never rejects. */
export async function readCluster({ api, judged, read, onlyIn, onKind }: ReadClusterOptions): Promise<ClusterRead> {
  const manifests: Manifest[] = []
  const mesh: KubeObject[] = []
  const errors: InputError[] = []
  for (const kind of new Set([...judged, ...read])) {
    for (const namespace of onlyIn.get(kind) ?? [undefined]) {
      try {
        const location = await locateResource(api, kind, namespace)
        if (location === undefined) continue
        for await (const { items } of listPages(api, location.path)) {
          for (const item of items) {
            const manifest = judged.has(kind) ? clusterManifest(item, location.kind, location.apiVersion) : undefined
            if (manifest !== undefined) manifests.push(manifest)
            const object = trimObject(item, location.kind, location.apiVersion)
            if (object !== undefined) mesh.push(object)
          }
        }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        errors.push({ code: 'CLUSTER-02', file: '', message: `${kind} could not be read from the cluster: ${reason}` })
      }
    }
    onKind()
  }
  return { manifests, mesh, errors }
}
