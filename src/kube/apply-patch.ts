import fastJsonPatch from 'fast-json-patch'

import { isObject, type JsonObject } from './json.ts'
import type { JsonPatch } from './json-patch.ts'

/**
 * The object after a JSON Patch (RFC 6902); the input is never written to. Undefined where the patch does not fit the
 * object or leaves something that is no object.
 */
export function applyJsonPatch(object: JsonObject, patch: JsonPatch): JsonObject | undefined {
  try {
    const { newDocument } = fastJsonPatch.applyPatch(structuredClone(object), structuredClone([...patch]), true, true)
    return isObject(newDocument) ? newDocument : undefined
  } catch {
    return undefined
  }
}
