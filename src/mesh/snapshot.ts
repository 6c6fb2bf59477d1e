import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import {
  findIn,
  flatten,
  namespacesIn,
  NO_BUCKETS,
  NO_KEYED_BUCKETS,
  NO_OBJECTS,
  put,
  putUnder,
  toBuckets,
  toKeyedBuckets,
  type Buckets,
  type KeyedBuckets,
} from './buckets.ts'
import { INDEXES, type Index } from './indexes.ts'
import { CLUSTER_KINDS, KINDS, kindNameOf, type KindName } from './kinds.ts'

/** The identity of an object: versions of a kind do not count. `namespace` is empty for cluster-scoped kinds. */
export interface MeshRef {
  readonly kind: KindName
  readonly namespace: string
  readonly name: string
}

/**
 * The objects of a mesh at one moment, indexed. Immutable: `with` and `without` return another snapshot that shares
 * what did not change, at a cost that depends on the object and its neighbours, not on the mesh. Lists are in order of
 * namespace and name, whatever the order the objects came in, and stay the same list until one of their objects changes: they are
 * good keys for `memo`. Nothing here throws, whatever the objects are like.
 */
export interface MeshSnapshot {
  /** Where istiod and its MeshConfig live. */
  readonly istioNamespace: string
  /** The namespaces whose Secrets may be looked at; undefined: all. Elsewhere nobody knows whether one is there. */
  readonly secretNamespaces: ReadonlySet<string> | undefined
  readonly size: number
  get(kind: KindName, namespace: string, name: string): KubeObject | undefined
  /** All objects of a kind in a namespace. */
  inNamespace(kind: KindName, namespace: string): readonly KubeObject[]
  /** All objects of a kind. The list is made at the first call after a change of that kind. */
  all(kind: KindName): readonly KubeObject[]
  /** The namespaces that have objects of a kind, in order. */
  namespacesWith(kind: KindName): readonly string[]
  /** Does any object have the key in the index? */
  has(index: Index, key: string): boolean
  /** The objects that have the key in the index. */
  find(index: Index, key: string): readonly KubeObject[]
  /** Those of them in one namespace. */
  findIn(index: Index, key: string, namespace: string): readonly KubeObject[]
  /** The namespaces that have some of them, in order. */
  namespacesOf(index: Index, key: string): readonly string[]
  /** The Namespace object. */
  namespace(name: string): KubeObject | undefined
  /** The kinds that have at least one object. */
  kinds(): readonly KindName[]
  /** This mesh with one more object, or another version of one it has. */
  with(object: KubeObject): MeshSnapshot
  /** This mesh without an object; the same snapshot where there is none of that identity. */
  without(ref: MeshRef): MeshSnapshot
  /** The same mesh, seen through a view that notes which kinds are read, there or not. */
  recording(): RecordingSnapshot
}

export interface RecordingSnapshot extends MeshSnapshot {
  /** The kinds read through this view so far. */
  readonly kindsRead: ReadonlySet<KindName>
}

export interface SnapshotOptions {
  /** Where istiod runs; `istio-system` when left out. */
  readonly istioNamespace?: string
  /** The namespaces whose Secrets may be looked at; all when left out. */
  readonly secretNamespaces?: Iterable<string>
}

/** A mesh without objects. */
export function emptySnapshot(options: SnapshotOptions = {}): MeshSnapshot {
  return buildSnapshot([], options)
}

/** The mesh of these objects; of several with one identity the last counts. */
export function buildSnapshot(objects: Iterable<KubeObject>, options: SnapshotOptions = {}): MeshSnapshot {
  const slices = buildInSlices(objects, options)
  for (;;) {
    const step = slices.next()
    if (step.done === true) return step.value
  }
}

/**
 * `buildSnapshot` for a caller that must not block: it yields how many objects it has read, every `perSlice` steps of
 * reading and then of indexing, and returns the snapshot.
 */
export function* buildInSlices(
  objects: Iterable<KubeObject>,
  options: SnapshotOptions & { readonly perSlice?: number } = {},
): Generator<number, MeshSnapshot> {
  const perSlice = options.perSlice ?? 1000
  const unique = new Map<KindName, Map<string, KubeObject>>()
  let done = 0
  for (const object of objects) {
    const { kind, namespace, name } = refOf(object)
    const ofKind = unique.get(kind) ?? new Map<string, KubeObject>()
    unique.set(kind, ofKind.set(`${namespace}/${name}`, withoutStrayNamespace(kind, object)))
    if (++done % perSlice === 0) yield done
  }
  const stored = new Map<KindName, Buckets>()
  const indexes = new Map<Index, () => KeyedBuckets>()
  let size = 0
  for (const [kind, ofKind] of unique) {
    size += ofKind.size
    stored.set(kind, yield* counting(done, toBuckets(ofKind.values(), perSlice)))
    for (const index of INDEXES.get(kind) ?? []) {
      const buckets = yield* counting(done, toKeyedBuckets(ofKind.values(), index.keys, perSlice))
      indexes.set(index, () => buckets)
    }
  }
  const { istioNamespace = 'istio-system', secretNamespaces } = options
  const visible = secretNamespaces === undefined ? undefined : new Set(secretNamespaces)
  return toSnapshot({ istioNamespace, secretNamespaces: visible, size, objects: stored, indexes })
}

/** The same steps, each of which says how many objects are in. */
function* counting<T>(done: number, steps: Generator<void, T>): Generator<number, T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    yield done
  }
}

/** The identity of an object. */
export function refOf(object: KubeObject): MeshRef {
  const kind = kindNameOf(object)
  return { kind, namespace: CLUSTER_KINDS.has(kind) ? '' : namespaceOf(object), name: nameOf(object) }
}

/** Are these the same object, perhaps in two versions? */
export function isSameObject(a: KubeObject, b: KubeObject): boolean {
  return nameOf(a) === nameOf(b) && namespaceOf(a) === namespaceOf(b) && kindNameOf(a) === kindNameOf(b)
}

/** The object as kube-apiserver would return it: a cluster-scoped one has no namespace, whatever a file says. */
function withoutStrayNamespace(kind: KindName, object: KubeObject): KubeObject {
  if (namespaceOf(object) === '' || !CLUSTER_KINDS.has(kind)) return object
  const { namespace: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

interface State {
  readonly istioNamespace: string
  readonly secretNamespaces: ReadonlySet<string> | undefined
  readonly size: number
  /** By kind, then by namespace. */
  readonly objects: ReadonlyMap<KindName, Buckets>
  /** By index, then by key and namespace; the last change is applied when an index is first asked. */
  readonly indexes: ReadonlyMap<Index, () => KeyedBuckets>
}

function toSnapshot(state: State, kindsRead?: Set<KindName>): MeshSnapshot {
  const inNamespace = (kind: KindName, namespace: string): readonly KubeObject[] => {
    kindsRead?.add(kind)
    return state.objects.get(kind)?.get(namespace) ?? NO_OBJECTS
  }
  const get = (kind: KindName, namespace: string, name: string): KubeObject | undefined =>
    findIn(inNamespace(kind, namespace), { namespace, name })
  const keyed = (index: Index): KeyedBuckets => {
    kindsRead?.add(index.kind)
    return state.indexes.get(index)?.() ?? NO_KEYED_BUCKETS
  }
  const snapshot: MeshSnapshot = {
    istioNamespace: state.istioNamespace,
    secretNamespaces: state.secretNamespaces,
    size: state.size,
    get,
    inNamespace,
    all(kind) {
      kindsRead?.add(kind)
      return flatten(state.objects.get(kind) ?? NO_BUCKETS)
    },
    namespacesWith(kind) {
      kindsRead?.add(kind)
      return namespacesIn(state.objects.get(kind) ?? NO_BUCKETS)
    },
    has: (index, key) => keyed(index).has(key),
    find: (index, key) => flatten(keyed(index).get(key) ?? NO_BUCKETS),
    findIn: (index, key, namespace) => keyed(index).get(key)?.get(namespace) ?? NO_OBJECTS,
    namespacesOf: (index, key) => namespacesIn(keyed(index).get(key) ?? NO_BUCKETS),
    namespace: (name) => get(KINDS.namespace, '', name),
    kinds: () => [...state.objects.keys()].sort(),
    with: (object) => toSnapshot(change(state, refOf(object), object), kindsRead),
    without(ref) {
      const changed = change(state, ref, undefined)
      return changed === state ? snapshot : toSnapshot(changed, kindsRead)
    },
    recording() {
      const read = new Set<KindName>()
      return { ...toSnapshot(state, read), kindsRead: read }
    },
  }
  return snapshot
}

function change(state: State, ref: MeshRef, object: KubeObject | undefined): State {
  const buckets = state.objects.get(ref.kind) ?? NO_BUCKETS
  const previous = findIn(buckets.get(ref.namespace) ?? NO_OBJECTS, ref)
  const next = object === undefined ? undefined : withoutStrayNamespace(ref.kind, object)
  if (previous === next) return state
  const changed = put(buckets, ref, next)
  const objects = new Map(state.objects)
  if (changed.isEmpty()) objects.delete(ref.kind)
  else objects.set(ref.kind, changed)
  const size = state.size + Number(next !== undefined) - Number(previous !== undefined)
  return { ...state, size, objects, indexes: reindex(state.indexes, { ref, previous, next }) }
}

/** Another version of an object, or none. */
interface Change {
  readonly ref: MeshRef
  readonly previous: KubeObject | undefined
  readonly next: KubeObject | undefined
}

/** The mesh of a review is asked for few of its indexes. Of each no more than one change waits, so that nothing piles up. */
function reindex(indexes: State['indexes'], change: Change): State['indexes'] {
  const ofKind = INDEXES.get(change.ref.kind)
  if (ofKind === undefined) return indexes
  const changed = new Map(indexes)
  for (const index of ofKind) {
    const buckets = indexes.get(index)?.() ?? NO_KEYED_BUCKETS
    changed.set(
      index,
      once(() => changeKeys(buckets, index, change)),
    )
  }
  return changed
}

function changeKeys(keyed: KeyedBuckets, index: Index, { ref, previous, next }: Change): KeyedBuckets {
  const before = new Set(previous === undefined ? [] : index.keys(previous))
  const after = new Set(next === undefined ? [] : index.keys(next))
  return keyed.withMutations((mutable) => {
    for (const key of before) if (!after.has(key)) putUnder(mutable, key, ref, undefined)
    for (const key of after) putUnder(mutable, key, ref, next)
  })
}

/** Computes a value when it is first asked for, and from then on holds that alone. */
function once<T>(compute: () => T): () => T {
  let held: { readonly compute: () => T } | { readonly value: T } = { compute }
  return () => {
    if ('compute' in held) held = { value: held.compute() }
    return held.value
  }
}
