import { Map as PersistentMap } from 'immutable'

import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { memo } from './memo.ts'

/** Objects by namespace, each list without two of one name and in order. Never written to. */
export type Buckets = PersistentMap<string, readonly KubeObject[]>

/** Objects by key, then by namespace: a key that half the mesh has costs no more to change than one that nothing else has. */
export type KeyedBuckets = PersistentMap<string, Buckets>

export const NO_BUCKETS: Buckets = PersistentMap()
export const NO_KEYED_BUCKETS: KeyedBuckets = PersistentMap()
export const NO_OBJECTS: readonly KubeObject[] = Object.freeze([])

/** An identity among the objects of one kind. */
export interface NamedPlace {
  readonly namespace: string
  readonly name: string
}

/** Buckets of objects of one kind, no two of which have the same identity. Yields after every `perSlice` steps. */
export function* toBuckets(objects: Iterable<KubeObject>, perSlice: number): Generator<void, Buckets> {
  const keyed = yield* toKeyedBuckets(objects, () => [''], perSlice)
  return keyed.get('') ?? NO_BUCKETS
}

/** The same by the keys that each object has. */
export function* toKeyedBuckets(
  objects: Iterable<KubeObject>,
  keysOf: (object: KubeObject) => Iterable<string>,
  perSlice: number,
): Generator<void, KeyedBuckets> {
  const lists = new Map<string, Map<string, KubeObject[]>>()
  let steps = 0
  for (const object of objects) {
    const namespace = namespaceOf(object)
    for (const key of new Set(keysOf(object))) {
      const byNamespace = getOrInsert(lists, key, () => new Map<string, KubeObject[]>())
      getOrInsert(byNamespace, namespace, () => []).push(object)
    }
    if (++steps % perSlice === 0) yield
  }
  const keyed = NO_KEYED_BUCKETS.asMutable()
  for (const [key, byNamespace] of lists) {
    for (const list of byNamespace.values()) {
      if (list.length > 1) list.sort(compareObjects)
      if (++steps % perSlice === 0) yield
    }
    keyed.set(key, PersistentMap<string, readonly KubeObject[]>(byNamespace))
  }
  return keyed.asImmutable()
}

/** The object of that identity in a bucket. O(log n). */
export function findIn(bucket: readonly KubeObject[], place: NamedPlace): KubeObject | undefined {
  const { index, found } = locate(bucket, place)
  return found ? bucket[index] : undefined
}

/** The buckets with an identity's object replaced; `undefined` takes it away. */
export function put(buckets: Buckets, place: NamedPlace, object: KubeObject | undefined): Buckets {
  const bucket = buckets.get(place.namespace) ?? NO_OBJECTS
  const { index, found } = locate(bucket, place)
  if (object === undefined && !found) return buckets
  const changed = bucket.toSpliced(index, Number(found), ...(object === undefined ? [] : [object]))
  return changed.length === 0 ? buckets.delete(place.namespace) : buckets.set(place.namespace, changed)
}

/** The same under a key. */
export function putUnder(
  keyed: KeyedBuckets,
  key: string,
  place: NamedPlace,
  object: KubeObject | undefined,
): KeyedBuckets {
  const changed = put(keyed.get(key) ?? NO_BUCKETS, place, object)
  return changed.isEmpty() ? keyed.delete(key) : keyed.set(key, changed)
}

/** All objects, in order; the same list for the same buckets. */
export const flatten: (buckets: Buckets) => readonly KubeObject[] = memo((buckets) => {
  const [first = NO_OBJECTS] = buckets.values()
  if (buckets.size < 2) return first
  return namespacesIn(buckets).flatMap((namespace) => buckets.get(namespace) ?? [])
})

/** The namespaces with at least one object, in order. */
export const namespacesIn: (buckets: Buckets) => readonly string[] = memo((buckets) => [...buckets.keys()].sort())

function getOrInsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function locate(bucket: readonly KubeObject[], place: NamedPlace): { readonly index: number; readonly found: boolean } {
  let low = 0
  let high = bucket.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const object = bucket[middle]
    const order = object === undefined ? 1 : comparePlaces(placeOf(object), place)
    if (order === 0) return { index: middle, found: true }
    if (order < 0) low = middle + 1
    else high = middle
  }
  return { index: low, found: false }
}

function compareObjects(a: KubeObject, b: KubeObject): number {
  return comparePlaces(placeOf(a), placeOf(b))
}

function placeOf(object: KubeObject): NamedPlace {
  return { namespace: namespaceOf(object), name: nameOf(object) }
}

function comparePlaces(a: NamedPlace, b: NamedPlace): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  return a.name < b.name ? -1 : Number(a.name > b.name)
}
