import fastJsonPatch from 'fast-json-patch'

import { isObject, type JsonObject } from './json.ts'
import type { JsonPatch } from './json-patch.ts'

/**
 * The object after a JSON Patch (RFC 6902); the input is never written to. Undefined where the patch does not fit the
 * object or leaves something that is no object.
 */
export function applyJsonPatch(object: JsonObject, patch: JsonPatch): JsonObject | undefined {
  try {
    const { newDocument } = fastJsonPatch.applyPatch(copy(object), copy(patch), true, true)
    return isObject(newDocument) ? newDocument : undefined
  } catch {
    return undefined
  }
}

/** A copy in which nothing is shared: an alias of YAML is one value in two places, and only one of them is patched. */
function copy<T extends JsonObject | JsonPatch>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
