import type { MeshKnowledge } from '../../engine/mesh-knowledge.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import type { InputError } from '../input-error.ts'
import type { Manifest } from '../manifests.ts'
import type { ApiClient } from './api-client.ts'
import { clusterManifest } from './cluster-manifest.ts'
import { listPages, reasonOf } from './list-pages.ts'
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
  /** All but the kinds that could not be read. */
  readonly knowledge: MeshKnowledge
  readonly errors: readonly InputError[]
}

/** Why a cluster cannot be talked to; undefined where its API server answers to these credentials. Never rejects. */
export async function whyUnreachable(api: ApiClient): Promise<string | undefined> {
  try {
    const { status, body } = await api.send('GET', '/version')
    return status === 401 ? `the API server does not accept the credentials: ${reasonOf(body)}` : undefined
  } catch (error) {
    return `the API server does not answer: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Reads what is in a cluster, a kind at a time. A kind that is not served is simply not there. Never rejects. */
export async function readCluster({ api, judged, read, onlyIn, onKind }: ReadClusterOptions): Promise<ClusterRead> {
  const manifests: Manifest[] = []
  const mesh: KubeObject[] = []
  const unread = new Map<KindName, string>()
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
        unread.set(kind, `${kind} could not be read from the cluster: ${reason}`)
      }
    }
    onKind()
  }
  return {
    manifests,
    mesh,
    knowledge: unread.size === 0 ? 'whole' : { stale: unread },
    errors: [...unread.values()].map((message) => ({ code: 'CLUSTER-02', file: '', message })),
  }
}
