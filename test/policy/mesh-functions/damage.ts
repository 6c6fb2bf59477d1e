import { isList, isObject, type Json, type JsonObject } from '../../../src/kube/json.ts'

/** What stands in a place where it does not belong. */
const ODD: readonly Json[] = [null, 'x', '', 7, true, [], {}, [null], [[]], [{}], [7], { x: null }]

/** An object with each of its places in turn taken away, or holding what does not belong there; its identity stays. */
export function* damaged(object: JsonObject): Generator<JsonObject> {
  for (const [key, value] of Object.entries(object)) {
    if (IDENTITY.has(key)) continue
    if (key === 'metadata') {
      for (const metadata of damagedMembers(value)) if (isObject(metadata)) yield { ...object, metadata }
      continue
    }
    yield { ...object, [key]: undefined }
    for (const odd of damagedValues(value)) yield { ...object, [key]: odd }
  }
}

function* damagedValues(value: Json | undefined): Generator<Json> {
  yield* ODD
  yield* damagedMembers(value)
}

function* damagedMembers(value: Json | undefined): Generator<Json> {
  if (isList(value)) {
    for (const [index, item] of value.entries()) {
      yield value.toSpliced(index, 0, null)
      for (const odd of damagedValues(item)) yield value.with(index, odd)
    }
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (IDENTITY.has(key)) continue
      for (const odd of damagedValues(member)) yield { ...value, [key]: odd }
    }
  }
}

/** An API server accepts no object without these. */
const IDENTITY: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'name', 'namespace'])

/** An object with an empty place at the beginning of every list below its spec: what was first is second. */
export function shifted<T extends JsonObject>(object: T): T {
  return { ...object, spec: shiftedValue(object.spec ?? null) }
}

function shiftedValue(value: Json): Json {
  if (isList(value)) return [null, ...value.map(shiftedValue)]
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shiftedValue(member ?? null)]))
}
