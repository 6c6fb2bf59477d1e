import { asObject, equal, own, type Json, type JsonObject } from '../kube/json.ts'
import { annotationsOf } from '../kube/object.ts'

/** The annotation that records which defaults were filled. */
export const FILLED_ANNOTATION = 'meshward.io/filled'

/** Annotations that change without anybody changing the object's meaning. */
const BOOKKEEPING = new Set([FILLED_ANNOTATION, 'kubectl.kubernetes.io/last-applied-configuration'])

/**
 * Has anything changed that is judged? Spec (or whatever else a kind has beside metadata and status), labels and
 * annotations, bookkeeping aside. A status or finalizer update has not.
 */
export function hasChanged(object: JsonObject, old: JsonObject): boolean {
  if (!equal(asObject(object.metadata).labels ?? {}, asObject(old.metadata).labels ?? {})) return true
  if (!equal(meaningful(object), meaningful(old))) return true
  return !contentEqual(object, old)
}

function contentEqual(object: JsonObject, old: JsonObject): boolean {
  for (const key of new Set([...Object.keys(object), ...Object.keys(old)])) {
    // A stored object may come in another served version of its kind; that alone changes nothing.
    if (key === 'metadata' || key === 'status' || key === 'apiVersion') continue
    if (!equal(own(object, key), own(old, key))) return false
  }
  return true
}

function meaningful(object: JsonObject): Json {
  return Object.fromEntries(Object.entries(annotationsOf(object)).filter(([key]) => !BOOKKEEPING.has(key)))
}
