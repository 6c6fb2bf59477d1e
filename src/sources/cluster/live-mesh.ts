import { setTimeout as sleep } from 'node:timers/promises'

import type { MeshKnowledge } from '../../engine/mesh-knowledge.ts'
import { KINDS, type KindName } from '../../mesh/kinds.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import type { PolicySet } from '../../policy/policy-set.ts'
import { lateSource, type Source } from '../source.ts'
import type { ClusterConnection } from './connect-cluster.ts'
import { watchMesh, type ClusterMesh } from './cluster-mesh.ts'
import { narrowKinds, watchedKinds } from './policy-kinds.ts'
import { namespaceReader } from './read-namespace.ts'
import type { KindStatus } from './watch-kind.ts'

export interface LiveMeshOptions {
  readonly connection: Pick<ClusterConnection, 'api' | 'watch'>
  /** Its ConfigMaps hold the mesh configuration, and no others are read. */
  readonly istioNamespace: string
  /** Where Secrets may be read: their names and keys, never their values. */
  readonly secretNamespaces: readonly string[]
  /** Milliseconds since the last contact, past which a kind is too old to judge by. */
  readonly maxStaleness: number
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number
  readonly statusChanged?: (status: KindStatus) => void
}

/** Milliseconds. A list takes a second at most; an API server that does not answer must not keep other changes of policies out. */
const LONGEST_PREPARATION = 10_000

/** The mesh around requests, of the kinds that the policies in force read. */
export interface LiveMesh extends Source<MeshSnapshot> {
  /** Reads what these policies read, from now on, and nothing else. */
  follow(policies: PolicySet): void
  /** Reads what these policies read too; resolves when it is there, or after 10 s. */
  prepare(policies: PolicySet): Promise<void>
  /**
   * The mesh as it is now, in which the namespace of a request is as it is now too: where the watch has not seen it yet, or was not heard
   * of for too long, the API server is asked, for a second at most. What it does not tell is not there. Never rejects.
   */
  withNamespace(name: string): Promise<MeshSnapshot>
  /** `whole`, or the kinds that are too old to judge by. */
  knowledge(): Exclude<MeshKnowledge, 'partial'>
  /** Which kinds the first sync waits for, and why; undefined once it is over. */
  unsynced(): string | undefined
  status(): readonly KindStatus[]
  /** Milliseconds; infinite before the first contact. */
  staleness(): number
  stop(): void
}

/**
 * Keeps the mesh of a cluster. It has synced once each kind that the first policies read was listed, is known not to be
 * served, or may not be listed; at the latest when it would be too old to judge by anyway. It stays so: a kind that comes
 * later, or an API server that goes, makes kinds too old for the policies that read them, and nobody unready.
 */
export function openLiveMesh(options: LiveMeshOptions): LiveMesh {
  const { connection, istioNamespace, secretNamespaces, maxStaleness, now } = options
  const followed = lateSource<MeshSnapshot>()
  let watched: ClusterMesh | undefined
  let wanted: ReadonlySet<KindName> = new Set()
  let started = 0
  let synced = false
  const readNamespace = namespaceReader(connection.api, now)
  const oldKinds = (): readonly KindStatus[] => {
    // Asked of every request; as a rule no kind is too old.
    if (watched === undefined || watched.staleness() <= maxStaleness) return []
    const oldest = now() - maxStaleness
    return watched.status().filter(({ lastContact }) => lastContact < oldest)
  }
  const unsynced = (): string | undefined => {
    synced ||= followed.hasSynced() || (watched !== undefined && now() - started > maxStaleness)
    return synced ? undefined : whatIsAwaited(watched?.status() ?? [])
  }
  return {
    current: () => followed.current(),
    hasSynced: () => unsynced() === undefined,
    unsynced,
    follow(policies) {
      wanted = watchedKinds(policies)
      if (watched !== undefined) return watched.watchKinds(wanted)
      started = now()
      watched = watchMesh({
        api: connection.api,
        watch: connection.watch,
        kinds: wanted,
        onlyIn: narrowKinds(istioNamespace, secretNamespaces),
        istioNamespace,
        now,
        pause: 1000,
        random: Math.random,
        ...(options.statusChanged === undefined ? {} : { statusChanged: options.statusChanged }),
      })
      followed.follow(watched)
    },
    async prepare(policies) {
      const kinds = watchedKinds(policies)
      watched?.watchKinds(new Set([...wanted, ...kinds]))
      const deadline = performance.now() + LONGEST_PREPARATION
      const isAwaited = ({ kind, state }: KindStatus): boolean => kinds.has(kind) && state === 'listing'
      while (watched?.status().some(isAwaited) === true && performance.now() < deadline)
        await sleep(20, undefined, { ref: false })
    },
    async withNamespace(name) {
      const isOld = oldKinds().some(({ kind }) => kind === KINDS.namespace)
      if (name === '' || (!isOld && followed.current().namespace(name) !== undefined)) return followed.current()
      const found = await readNamespace(name)
      const mesh = followed.current()
      if (found !== undefined) return mesh.with(found)
      return isOld ? mesh.without({ kind: KINDS.namespace, namespace: '', name }) : mesh
    },
    knowledge() {
      const old = oldKinds()
      if (old.length === 0) return 'whole'
      return { stale: new Map(old.map((status) => [status.kind, whyStale(status, now(), maxStaleness)])) }
    },
    status: () => watched?.status() ?? [],
    staleness: () => watched?.staleness() ?? Number.POSITIVE_INFINITY,
    stop: () => watched?.stop(),
  }
}

function whyStale({ kind, lastContact, trouble }: KindStatus, now: number, most: number): string {
  const reason = trouble === '' ? '' : ` (${trouble})`
  if (!Number.isFinite(lastContact)) return `${kind} could not be read from the API server yet${reason}`
  const age = Math.round((now - lastContact) / 1000)
  return `the API server was last heard of ${kind} ${age} s ago, more than the ${Math.round(most / 1000)} s allowed${reason}`
}

function whatIsAwaited(statuses: readonly KindStatus[]): string {
  const awaited = statuses.filter(({ state }) => state === 'listing')
  const [first] = awaited
  if (first === undefined) return 'not loaded yet'
  const more = awaited.length === 1 ? '' : ` and ${awaited.length - 1} more kinds`
  return `${first.kind}${more} not listed yet${first.trouble === '' ? '' : `: ${first.trouble}`}`
}
