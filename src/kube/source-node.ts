import { isObject, type Json } from './json.ts'
import type { FieldPath } from './field-path.ts'

/**
 * A value together with the place in a text where it is written. YAML and JSON both come to this tree; everything
 * that needs positions (findings, CEL errors, edits in place) reads it and nothing else.
 * `start` and `end` are offsets into the text: of the value itself, without anchor, tag or trailing comment.
 */
export type SourceNode = SourceMap | SourceList | SourceScalar | SourceAlias

interface SourcePlace {
  readonly start: number
  readonly end: number
  readonly value: Json
}

export interface SourceMap extends SourcePlace {
  readonly kind: 'map'
  readonly flow: boolean
  readonly entries: readonly SourceEntry[]
}

export interface SourceList extends SourcePlace {
  readonly kind: 'list'
  readonly flow: boolean
  readonly items: readonly SourceNode[]
}

export interface SourceScalar extends SourcePlace {
  readonly kind: 'scalar'
  readonly style: ScalarStyle
}

/** `*name`: the value is written elsewhere, at `target`. */
interface SourceAlias extends SourcePlace {
  readonly kind: 'alias'
  readonly target: SourceNode
}

export type ScalarStyle = 'plain' | 'single-quoted' | 'double-quoted' | 'literal' | 'folded'

/** One `key: value`. A merge (`<<: *base`) takes the members of its value as if they stood here. */
export interface SourceEntry {
  readonly key: string
  readonly keyStart: number
  readonly keyEnd: number
  readonly merge: boolean
  readonly value: SourceNode
}

/** How far a path leads into a tree. */
export interface Place {
  readonly node: SourceNode
  /** The entry whose value `node` is; undefined for the root and for list items. */
  readonly entry: SourceEntry | undefined
  /** True when the whole path exists, false when `node` is only its nearest existing parent. */
  readonly exact: boolean
}

/** Follows a path as far as it exists, through aliases and merges. */
export function findPlace(root: SourceNode, path: FieldPath): Place {
  let place: Place = { node: root, entry: undefined, exact: true }
  for (const segment of path) {
    const parent = dealias(place.node)
    const entry = parent.kind === 'map' && typeof segment === 'string' ? findEntry(parent, segment) : undefined
    const node = parent.kind === 'list' && typeof segment === 'number' ? parent.items[segment] : entry?.value
    if (node === undefined) return { ...place, exact: false }
    place = { node, entry, exact: true }
  }
  return place
}

/** The entry that gives a map its member `key`: of several, through merges, the last. */
function findEntry(map: SourceMap, key: string): SourceEntry | undefined {
  for (const entry of map.entries.toReversed()) {
    if (entry.merge) {
      const merged = findMerged(dealias(entry.value), key)
      if (merged !== undefined) return merged
    } else if (entry.key === key) return entry
  }
  return undefined
}

/** The node that an alias stands for; any other node is itself. */
export function dealias(node: SourceNode): SourceNode {
  return node.kind === 'alias' ? node.target : node
}

function findMerged(source: SourceNode, key: string): SourceEntry | undefined {
  if (source.kind === 'map') return findEntry(source, key)
  if (source.kind !== 'list') return undefined
  for (const item of source.items) {
    const map = dealias(item)
    const entry = map.kind === 'map' ? findEntry(map, key) : undefined
    if (entry !== undefined) return entry
  }
  return undefined
}

/**
 * The object that the entries of a map make. Members are set in order, the later one wins, also against a merge:
 * that is how sigs.k8s.io/yaml reads them. Keys such as `__proto__` become own members.
 */
export function objectOf(entries: readonly SourceEntry[]): Json {
  const members: Record<string, Json> = {}
  for (const entry of entries) {
    if (entry.merge) mergeInto(members, entry.value.value)
    else setOwn(members, entry.key, entry.value.value)
  }
  return members
}

function mergeInto(members: Record<string, Json>, source: Json): void {
  // of several sources the first wins, so the last is set first
  const sources = Array.isArray(source) ? source.toReversed() : [source]
  for (const item of sources) {
    if (!isObject(item)) continue
    for (const [key, value] of Object.entries(item)) if (value !== undefined) setOwn(members, key, value)
  }
}

function setOwn(members: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(members, key, { value, writable: true, enumerable: true, configurable: true })
  } else members[key] = value
}
