import { Map as PersistentMap } from 'immutable'

import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { memo } from './memo.ts'

/** Objects by key, each list without two of one identity and in order of namespace and name. Never written to. */
export type Buckets = PersistentMap<string, readonly KubeObject[]>

export const NO_BUCKETS: Buckets = PersistentMap()
export const NO_OBJECTS: readonly KubeObject[] = Object.freeze([])

/** An identity among the objects of one kind. */
export interface NamedPlace {
  readonly namespace: string
  readonly name: string
}

/** Buckets of objects of one kind, no two of which have the same identity. Yields after every `perSlice` steps. */
export function* toBuckets(
  objects: Iterable<KubeObject>,
  keysOf: (object: KubeObject) => Iterable<string>,
  perSlice: number,
): Generator<void, Buckets> {
  const lists = new Map<string, KubeObject[]>()
  let steps = 0
  for (const object of objects) {
    for (const key of new Set(keysOf(object))) {
      const list = lists.get(key)
      if (list === undefined) lists.set(key, [object])
      else list.push(object)
    }
    if (++steps % perSlice === 0) yield
  }
  const buckets = NO_BUCKETS.asMutable()
  for (const [key, list] of lists) {
    buckets.set(key, list.length > 1 ? list.sort(compareObjects) : list)
    if (++steps % perSlice === 0) yield
  }
  return buckets.asImmutable()
}

/** The object of that identity in a bucket. O(log n). */
export function findIn(bucket: readonly KubeObject[], place: NamedPlace): KubeObject | undefined {
  const { index, found } = locate(bucket, place)
  return found ? bucket[index] : undefined
}

/** The buckets with an identity's object under a key replaced; `undefined` takes it away. */
export function put(buckets: Buckets, key: string, place: NamedPlace, object: KubeObject | undefined): Buckets {
  const bucket = buckets.get(key) ?? NO_OBJECTS
  const { index, found } = locate(bucket, place)
  if (object === undefined && !found) return buckets
  const changed = bucket.toSpliced(index, Number(found), ...(object === undefined ? [] : [object]))
  return changed.length === 0 ? buckets.delete(key) : buckets.set(key, changed)
}

/** All objects, in order; the same list for the same buckets. */
export const flatten: (buckets: Buckets) => readonly KubeObject[] = memo((buckets) => {
  const keys = [...buckets.keys()].sort()
  return keys.flatMap((key) => buckets.get(key) ?? [])
})

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
