import type { Json } from './json.ts'

/** One operation of a JSON Patch (RFC 6902), as the API server accepts it. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

export type JsonPatch = readonly PatchOperation[]
