import type { Logger } from 'pino'

import type { MeshKnowledge } from '../engine/mesh-knowledge.ts'
import { emptySnapshot, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { ClusterConnection } from '../sources/cluster/connect-cluster.ts'
import { openLiveMesh } from '../sources/cluster/live-mesh.ts'
import type { KindStatus } from '../sources/cluster/watch-kind.ts'
import { fixedSource, type Source } from '../sources/source.ts'
import type { MeshOptions } from './mesh-options.ts'

/** The mesh that requests are judged in. */
export interface MeshInForce extends Source<MeshSnapshot> {
  knowledge(): MeshKnowledge
  /** The mesh with the namespace of a request as it is now, as far as that can be known. Never rejects. */
  withNamespace(name: string): Promise<MeshSnapshot>
  /** What its first sync waits for; undefined once it is over. */
  unsynced(): string | undefined
  /** Reads what these policies read, from now on, and nothing else. */
  follow(policies: PolicySet): void
  /** Reads what these policies read too; resolves when it is there, or has been waited for long enough. */
  prepare(policies: PolicySet): Promise<void>
  status(): readonly KindStatus[]
  /** Milliseconds since the last contact. */
  staleness(): number
  stop(): void
}

/** The mesh of a cluster, or, without one, an empty mesh in which anything may yet exist. */
export function openMesh(
  connection: ClusterConnection | undefined,
  options: MeshOptions & { readonly istioNamespace: string },
  logger: Logger,
): MeshInForce {
  if (connection === undefined) return NO_CLUSTER
  const { istioNamespace, secretNamespace, maxStaleness } = options
  return openLiveMesh({
    connection,
    istioNamespace,
    secretNamespaces: secretNamespace,
    maxStaleness,
    now: () => performance.now(),
    statusChanged: ({ kind, state, trouble }) => {
      if (trouble === '') logger.info({ kind, state }, 'kind of the mesh')
      else logger.warn({ kind, state, reason: trouble }, 'kind of the mesh cannot be read')
    },
  })
}

const NOTHING = emptySnapshot()

const NO_CLUSTER: MeshInForce = {
  ...fixedSource(NOTHING),
  withNamespace: async () => NOTHING,
  knowledge: () => 'partial',
  unsynced: () => undefined,
  follow: () => undefined,
  prepare: async () => undefined,
  status: () => [],
  staleness: () => 0,
  stop: () => undefined,
}
