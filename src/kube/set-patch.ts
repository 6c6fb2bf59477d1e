import { toPointer, valueAt, type FieldPath, type Segment } from './field-path.ts'
import { isList, isObject, type Json } from './json.ts'
import type { JsonPatch } from './json-patch.ts'

/** Sets a value: replaces what is there, adds what is absent or null, with the parents that are missing. */
export function setPatch(root: Json, path: FieldPath, value: Json): JsonPatch {
  let depth = path.length - 1
  while (depth > 0 && !isContainer(valueAt(root, path.slice(0, depth)))) depth -= 1
  const wrapped = path.slice(depth + 1).reduceRight<Json>((inner, segment) => wrap(segment, inner), value)
  const at = path.slice(0, depth + 1)
  const present = valueAt(root, at)
  // To add an item of a list is to insert it.
  const replaces = typeof path[depth] === 'number' ? present !== undefined : (present ?? null) !== null
  return [{ op: replaces ? 'replace' : 'add', path: toPointer(at), value: wrapped }]
}

function wrap(segment: Segment, value: Json): Json {
  return typeof segment === 'number' ? [value] : { [segment]: value }
}

function isContainer(value: Json | undefined): boolean {
  return isObject(value) || isList(value)
}
