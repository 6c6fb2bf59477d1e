/** Any JSON value, as `JSON.parse` returns it. Everything that enters the pure rooms is one. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** True for a JSON object: not null, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True for a JSON list. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value)
}

/** The object itself, or an empty one for anything that is not an object. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : EMPTY
}

/** The list itself, or an empty one for anything that is not a list. */
export function asList(value: unknown): readonly Json[] {
  return isList(value) ? value : EMPTY_LIST
}

/**
 * The object's own member `key`. Use it for every key that comes from a user: a plain lookup finds
 * `constructor` and `toString` on any object.
 */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/**
 * Deep equality of two JSON values; the order of keys does not count. Recursion is bounded by the
 * nesting limit that every edge applies before a value comes in.
 */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false
    return a.every((item, index) => equal(item, b[index]))
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
}

const EMPTY: JsonObject = Object.freeze({})
const EMPTY_LIST: readonly Json[] = Object.freeze([])
