import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import type { PolicySet } from '../../policy/policy-set.ts'
import { lateSource, type Source } from '../source.ts'
import type { ClusterConnection } from './connect-cluster.ts'
import { watchMesh, type ClusterMesh } from './cluster-mesh.ts'
import { narrowKinds, watchedKinds } from './policy-kinds.ts'
import type { KindStatus } from './watch-kind.ts'

export interface LiveMeshOptions {
  readonly connection: Pick<ClusterConnection, 'api' | 'watch'>
  /** Its ConfigMaps hold the mesh configuration, and no others are read. */
  readonly istioNamespace: string
  /** Where Secrets may be read: their names and keys, never their values. */
  readonly secretNamespaces: readonly string[]
  /** Milliseconds since the last contact, past which the mesh is too old to judge by. */
  readonly maxStaleness: number
  readonly now: () => number
  readonly statusChanged?: (status: KindStatus) => void
}

/** The mesh around requests, of the kinds that the policies in force read. */
export interface LiveMesh extends Source<MeshSnapshot> {
  /** Reads what these policies read, from now on. */
  follow(policies: PolicySet): void
  /** `whole`, or why it is too old to judge by. */
  knowledge(): 'whole' | { readonly stale: string }
  status(): readonly KindStatus[]
  /** Milliseconds; infinite before the first contact. */
  staleness(): number
  stop(): void
}

/**
 * Keeps the mesh of a cluster. It has synced once each kind that the first policies read was listed, and stays so: a
 * kind that comes later, or an API server that goes, makes it stale and not unready.
 */
export function openLiveMesh(options: LiveMeshOptions): LiveMesh {
  const { connection, istioNamespace, secretNamespaces, maxStaleness, now } = options
  const followed = lateSource<MeshSnapshot>()
  let watched: ClusterMesh | undefined
  let synced = false
  const staleness = (): number => watched?.staleness() ?? Number.POSITIVE_INFINITY
  return {
    current: () => followed.current(),
    hasSynced: () => {
      synced ||= followed.hasSynced()
      return synced
    },
    follow(policies) {
      const kinds = watchedKinds(policies)
      if (watched !== undefined) return watched.watchKinds(kinds)
      watched = watchMesh({
        api: connection.api,
        watch: connection.watch,
        kinds,
        onlyIn: narrowKinds(istioNamespace, secretNamespaces),
        istioNamespace,
        now,
        pause: 1000,
        random: Math.random,
        ...(options.statusChanged === undefined ? {} : { statusChanged: options.statusChanged }),
      })
      followed.follow(watched)
    },
    knowledge() {
      const age = staleness()
      return age <= maxStaleness ? 'whole' : { stale: whyStale(age, maxStaleness, watched?.status() ?? []) }
    },
    status: () => watched?.status() ?? [],
    staleness,
    stop: () => watched?.stop(),
  }
}

function whyStale(age: number, most: number, statuses: readonly KindStatus[]): string {
  const oldest = [...statuses].sort((a, b) => a.lastContact - b.lastContact)[0]
  const kind = oldest?.kind ?? 'the mesh'
  const trouble = oldest === undefined || oldest.trouble === '' ? '' : ` (${oldest.trouble})`
  if (!Number.isFinite(age)) return `${kind} could not be read from the API server yet${trouble}`
  return `the API server was last heard of ${kind} ${Math.round(age / 1000)} s ago, more than the ${Math.round(most / 1000)} s allowed${trouble}`
}
