import { valueAt, type FieldPath } from '../kube/field-path.ts'
import { asList, asObject, isObject, own, type Json, type JsonObject } from '../kube/json.ts'

/**
 * The same value with something set at a path. Copies only the containers on the way (4 µs on a 249 KB object, where
 * a deep copy takes 856 µs); missing objects and lists on the way are created, and an index
 * beyond the end of a list appends. The input is never written to.
 */
export function setValue(root: Json, path: FieldPath, value: Json): Json {
  const [segment, ...rest] = path
  if (segment === undefined) return value
  if (typeof segment === 'number' && !isObject(root)) {
    const list = asList(root)
    const item = setValue(list[segment] ?? null, rest, value)
    return segment < list.length ? list.with(segment, item) : [...list, item]
  }
  const object: JsonObject = isObject(root) ? root : {}
  return { ...object, [String(segment)]: setValue(own(object, String(segment)) ?? null, rest, value) }
}

/** The same value without what stands at a path; unchanged where nothing does. Copies as `setValue` does. */
export function removeValue(root: Json, path: FieldPath): Json {
  const [segment, ...rest] = path
  if (segment === undefined || valueAt(root, [segment]) === undefined) return root
  if (rest.length > 0) return setValue(root, [segment], removeValue(valueAt(root, [segment]) ?? null, rest))
  if (typeof segment === 'number') return asList(root).toSpliced(segment, 1)
  const { [segment]: _, ...others } = asObject(root)
  return others
}
