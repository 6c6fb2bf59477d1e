import { setImmediate as nextTurn } from 'node:timers/promises'

import { asObject } from '../../kube/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { KINDS, type KindName } from '../../mesh/kinds.ts'
import { emptySnapshot, refOf, type MeshSnapshot } from '../../mesh/snapshot.ts'
import type { Source } from '../source.ts'
import { unknownKind, watchKind, type KindListener, type KindStatus, type WatchKindOptions } from './watch-kind.ts'

/** The mesh as the API server has it, kept up to date. */
export interface ClusterMesh extends Source<MeshSnapshot> {
  /** What is known of each watched kind, in order of name. */
  status(): readonly KindStatus[]
  /** Milliseconds since the API server was last heard of every kind: the age of the oldest. Infinite before the first sync. */
  staleness(): number
  /**
   * Watches these kinds from now on, and no others: those that are watched already stay as they are, and what was known of
   * the rest is forgotten.
   */
  watchKinds(kinds: Iterable<KindName>): void
  stop(): void
}

export interface ClusterMeshOptions extends Omit<WatchKindOptions, 'kind' | 'namespace' | 'listener' | 'signal'> {
  readonly kinds: ReadonlySet<KindName>
  /** Kinds that are read in some namespaces only, and which those are. */
  readonly onlyIn?: ReadonlyMap<KindName, readonly string[]>
  readonly istioNamespace?: string
  /** Called after each change of the snapshot. */
  readonly changed?: (mesh: MeshSnapshot, object?: KubeObject) => void
  /** Called when the state or trouble of a kind changes, for logs. */
  readonly statusChanged?: (status: KindStatus) => void
}

/** Objects put into the snapshot between two turns of the event loop: about 3 ms. */
const SLICE = 250

/** Starts to watch. The source has synced once every kind was listed, or is known not to be served. */
export function watchMesh(options: ClusterMeshOptions): ClusterMesh {
  const mesh = new WatchedMesh(options)
  mesh.start()
  return mesh
}

/** A kind that is watched, or what is read of it in one namespace. */
interface KindWatch {
  readonly kind: KindName
  readonly namespace: string | undefined
  readonly stopped: AbortController
  status: KindStatus
}

class WatchedMesh implements ClusterMesh {
  private snapshot: MeshSnapshot
  private readonly options: ClusterMeshOptions
  /** By kind and, where it is read in some namespaces only, namespace. */
  private readonly watches = new Map<string, KindWatch>()
  /** Lists are put in one after the other, so that two of them never build on the same snapshot. */
  private queue: Promise<void> = Promise.resolve()

  constructor(options: ClusterMeshOptions) {
    this.options = options
    const { istioNamespace, onlyIn } = options
    const secretNamespaces = onlyIn?.get(KINDS.secret)
    this.snapshot = emptySnapshot({
      ...(istioNamespace === undefined ? {} : { istioNamespace }),
      ...(secretNamespaces === undefined ? {} : { secretNamespaces }),
    })
  }

  start(): void {
    this.watchKinds(this.options.kinds)
  }

  watchKinds(kinds: Iterable<KindName>): void {
    const unwanted = new Map(this.watches)
    for (const kind of kinds)
      for (const namespace of this.options.onlyIn?.get(kind) ?? [undefined]) {
        const key = namespace === undefined ? kind : `${kind} ${namespace}`
        if (!unwanted.delete(key)) this.watchKind(key, kind, namespace)
      }
    for (const [key, watch] of unwanted) this.forget(key, watch)
  }

  private watchKind(key: string, kind: KindName, namespace: string | undefined): void {
    const watch: KindWatch = { kind, namespace, stopped: new AbortController(), status: unknownKind(kind) }
    this.watches.set(key, watch)
    void watchKind({
      ...this.options,
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      signal: watch.stopped.signal,
      listener: this.listener(watch),
    })
  }

  private forget(key: string, { kind, namespace, stopped }: KindWatch): void {
    stopped.abort()
    this.watches.delete(key)
    void this.inTurn(() => this.replace(kind, namespace, []))
  }

  current(): MeshSnapshot {
    return this.snapshot
  }

  hasSynced(): boolean {
    return this.status().every(({ state }) => state !== 'listing')
  }

  status(): readonly KindStatus[] {
    return [...this.watches.values()].map(({ status }) => status).sort((a, b) => (a.kind < b.kind ? -1 : 1))
  }

  staleness(): number {
    if (this.watches.size === 0) return 0
    let oldest = Number.POSITIVE_INFINITY
    for (const { status } of this.watches.values()) oldest = Math.min(oldest, status.lastContact)
    return this.options.now() - oldest
  }

  stop(): void {
    for (const { stopped } of this.watches.values()) stopped.abort()
  }

  /** A watch that was stopped may still have something to say, which nobody wants to hear. */
  private listener(watch: KindWatch): KindListener {
    const { kind, namespace, stopped } = watch
    const isOver = (): boolean => stopped.signal.aborted
    return {
      replaced: (objects) => this.inTurn(async () => (isOver() ? 0 : this.replace(kind, namespace, objects))),
      changed: (object) => !isOver() && this.told(object, this.put(object)),
      removed: (object) => !isOver() && this.told(object, this.remove(object)),
      status: (status) => {
        const before = watch.status
        watch.status = status
        if (isOver()) return
        if (before.state !== status.state || before.trouble !== status.trouble) this.options.statusChanged?.(status)
      },
    }
  }

  private inTurn(task: () => Promise<number>): Promise<number> {
    const running = this.queue.then(task)
    this.queue = running.then(
      () => undefined,
      () => undefined,
    )
    return running
  }

  private told(object: KubeObject, isChanged: boolean): boolean {
    if (isChanged) this.options.changed?.(this.snapshot, object)
    return isChanged
  }

  /** Puts an object in; false for a version older than the one known, which is left out. */
  private put(object: KubeObject): boolean {
    const { kind, namespace, name } = refOf(object)
    const known = this.snapshot.get(kind, namespace, name)
    if (known !== undefined && isOlder(object, known)) return false
    this.snapshot = this.snapshot.with(object)
    return true
  }

  /** Takes an object out; false where the one known is not the one that went, but was made after it. */
  private remove(object: KubeObject): boolean {
    const ref = refOf(object)
    const known = this.snapshot.get(ref.kind, ref.namespace, ref.name)
    if (known === undefined || known.metadata.uid !== object.metadata.uid) return false
    this.snapshot = this.snapshot.without(ref)
    return true
  }

  /**
   * Puts a whole list of one kind in, a slice at a time, so that other work goes on in between. Resolves to the number of
   * objects that are older than the ones known.
   */
  private async replace(
    kind: KindName,
    namespace: string | undefined,
    objects: readonly KubeObject[],
  ): Promise<number> {
    const known = namespace === undefined ? this.snapshot.all(kind) : this.snapshot.inNamespace(kind, namespace)
    const gone = new Map(known.map((object) => [identity(object), object]))
    let done = 0
    let older = 0
    for (const object of objects) {
      gone.delete(identity(object))
      if (!this.put(object)) older += 1
      if (++done % SLICE === 0) await nextTurn()
    }
    for (const object of gone.values()) {
      this.snapshot = this.snapshot.without(refOf(object))
      if (++done % SLICE === 0) await nextTurn()
    }
    this.options.changed?.(this.snapshot)
    return older
  }
}

function identity(object: KubeObject): string {
  const { namespace, name } = refOf(object)
  return `${namespace}/${name}`
}

/**
 * Is this an earlier version of the object than the one known? Versions of one object are comparable as numbers
 * (Kubernetes 1.35, KEP-5504); one that was deleted and made anew has another uid and is never older.
 */
function isOlder(object: KubeObject, known: KubeObject): boolean {
  if (object.metadata.uid !== known.metadata.uid) return false
  const [next, last] = [versionOf(object), versionOf(known)]
  return next !== undefined && last !== undefined && next < last
}

function versionOf(object: KubeObject): bigint | undefined {
  const { resourceVersion } = asObject(object.metadata)
  return typeof resourceVersion === 'string' && /^\d{1,30}$/.test(resourceVersion) ? BigInt(resourceVersion) : undefined
}
