import { isAlias, isMap, isScalar, isSeq, type Alias, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'

import type { Json } from './json.ts'
import { dealias, objectOf, type ScalarStyle, type SourceEntry, type SourceNode } from './source-node.ts'
import { resolvePlainScalar } from './yaml-scalar.ts'
import { MAX_NESTING } from './yaml-syntax.ts'

/** What a YAML document says that Kubernetes would not take, at an offset of the text. */
export interface MeaningProblem {
  readonly kind: 'duplicate' | 'meaning' | 'expansion' | 'nesting'
  readonly offset: number
  readonly message: string
  /** Where the key stood first. */
  readonly first?: number
}

export type SourceOutcome =
  | { readonly ok: true; readonly root: SourceNode }
  | { readonly ok: false; readonly problem: MeaningProblem }

/**
 * Turns a parsed YAML document into source nodes with the values that Kubernetes reads: keys become strings, merges
 * are resolved, aliases share the value they stand for. `base` is added to every offset, `limit` bounds the characters
 * of the document with all aliases written out. Source of the meaning: sigs.k8s.io/yaml v1.6.0.
 */
export function toSourceNode(contents: unknown, text: string, base: number, limit: number): SourceOutcome {
  const reading: Reading = { text, base, limit, anchors: new Map(), sizes: new Map(), problem: undefined }
  const root = read(reading, contents, base)
  if (reading.problem !== undefined) return { ok: false, problem: reading.problem }
  return { ok: true, root }
}

interface Reading {
  readonly text: string
  readonly base: number
  readonly limit: number
  /** `open` while the anchored value is still being read: an alias to it would contain itself. */
  readonly anchors: Map<string, SourceNode | 'open'>
  readonly sizes: Map<SourceNode, Size>
  problem: MeaningProblem | undefined
}

/** Of a value with every alias in it written out. */
interface Size {
  readonly characters: number
  readonly depth: number
}

function read(reading: Reading, node: unknown, fallback: number): SourceNode {
  if (isAlias(node)) return readAlias(reading, node)
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return emptyAt(fallback)
  if (node.anchor !== undefined) openAnchor(reading, node.anchor, rangeOf(reading, node).start)
  const source = isScalar(node)
    ? readScalar(reading, node)
    : isMap(node)
      ? readMap(reading, node)
      : readList(reading, node)
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, source)
  return source
}

/** Kubernetes ends the name of an anchor at the first odd character and reads the rest as the value. */
function openAnchor(reading: Reading, name: string, start: number): void {
  if (!/^[\w-]+$/.test(name))
    fail(reading, 'meaning', start, `the anchor "&${name}" may have letters, digits, _ and - only`)
  reading.anchors.set(name, 'open')
}

function readAlias(reading: Reading, node: Alias): SourceNode {
  const { start, end } = rangeOf(reading, node)
  const target = reading.anchors.get(node.source)
  if (target === undefined) {
    fail(
      reading,
      'meaning',
      start,
      `*${node.source} refers to an anchor that is not set before it; write &${node.source} first`,
    )
    return emptyAt(start)
  }
  if (target === 'open') {
    fail(reading, 'meaning', start, `*${node.source} stands inside the value that it refers to; remove it`)
    return emptyAt(start)
  }
  const alias: SourceNode = { kind: 'alias', start, end, target: dealias(target), value: target.value }
  return measure(reading, alias, [target], 0, 0)
}

function readScalar(reading: Reading, node: Scalar): SourceNode {
  const { start, end } = rangeOf(reading, node)
  const style = styleOf(node)
  const text = isCutOff(reading.text, node, style, end) ? (node.source ?? '').slice(0, -1) : (node.source ?? '')
  const value = resolveScalar(reading, text, style, node.tag, start)
  return measure(reading, { kind: 'scalar', style, start, end, value }, [], text.length, 0)
}

/** A block scalar that ends with the text, without a line break: the parser adds one, Kubernetes does not. */
function isCutOff(text: string, node: Scalar, style: ScalarStyle, end: number): boolean {
  if (style !== 'literal' && style !== 'folded') return false
  return end >= text.length && !text.endsWith('\n') && node.source?.endsWith('\n') === true
}

function resolveScalar(
  reading: Reading,
  text: string,
  style: ScalarStyle,
  tag: string | undefined,
  start: number,
): Json {
  switch (tag) {
    case undefined:
      if (style !== 'plain') return text
      break
    case '!':
    case STR:
      return text
    case INT:
    case FLOAT:
    case BOOL:
    case NULL:
      break
    default:
      fail(reading, 'meaning', start, `the tag ${tag} means nothing to Kubernetes; remove it`)
      return null
  }
  const value = resolvePlainScalar(text)
  if (value === undefined) {
    fail(reading, 'meaning', start, `${text} is a number that JSON cannot hold; put it in quotes if it is a text`)
    return null
  }
  if (tag !== undefined && !fits(tag, value))
    fail(reading, 'meaning', start, `"${text}" is not of the type that its tag names`)
  return value
}

function fits(tag: string, value: Json): boolean {
  if (tag === BOOL) return typeof value === 'boolean'
  if (tag === NULL) return value === null
  return tag === INT ? Number.isInteger(value) : typeof value === 'number'
}

function readMap(reading: Reading, node: YAMLMap): SourceNode {
  const { start, end } = rangeOf(reading, node)
  if (node.tag !== undefined && node.tag !== MAP)
    fail(reading, 'meaning', start, `the tag ${node.tag} means nothing to Kubernetes; remove it`)
  const entries: SourceEntry[] = []
  const seen = new Map<string, number>()
  for (const pair of node.items) {
    const entry = readEntry(reading, pair, start)
    if (entry === undefined) continue
    const first = entry.merge ? undefined : seen.get(entry.key)
    if (first !== undefined) fail(reading, 'duplicate', entry.keyStart, entry.key, first)
    if (!entry.merge) seen.set(entry.key, entry.keyStart)
    entries.push(entry)
  }
  const map: SourceNode = { kind: 'map', flow: node.flow === true, start, end, entries, value: objectOf(entries) }
  const keys = entries.reduce((sum, entry) => sum + entry.key.length + 2, 0)
  return measure(
    reading,
    map,
    entries.map((entry) => entry.value),
    keys,
    1,
  )
}

function readEntry(reading: Reading, pair: Pair, fallback: number): SourceEntry | undefined {
  const key = read(reading, pair.key, fallback)
  const value = read(reading, pair.value, key.end)
  const merge = isMergeKey(pair.key)
  if (merge && !canMerge(value)) {
    fail(reading, 'meaning', key.start, '<< takes a map, an alias to a map, or a list of them')
  }
  const name = merge ? '<<' : keyText(dealias(key))
  if (name === undefined) {
    fail(reading, 'meaning', key.start, 'a key must be a text, a whole number or a boolean; put it in quotes')
    return undefined
  }
  return { key: name, keyStart: key.start, keyEnd: key.end, merge, value }
}

function keyText(key: SourceNode): string | undefined {
  if (key.kind !== 'scalar') return undefined
  const { value } = key
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.source === '<<' && (key.tag === MERGE || (key.tag === undefined && key.type === 'PLAIN'))
}

function canMerge(value: SourceNode): boolean {
  const source = dealias(value)
  if (source.kind === 'list') return source.items.every((item) => dealias(item).kind === 'map')
  return source.kind === 'map'
}

function readList(reading: Reading, node: YAMLSeq): SourceNode {
  const { start, end } = rangeOf(reading, node)
  if (node.tag !== undefined && node.tag !== SEQ)
    fail(reading, 'meaning', start, `the tag ${node.tag} means nothing to Kubernetes; remove it`)
  const items = node.items.map((item) => read(reading, item, start))
  const list: SourceNode = {
    kind: 'list',
    flow: node.flow === true,
    start,
    end,
    items,
    value: items.map((item) => item.value),
  }
  return measure(reading, list, items, 0, 1)
}

/** Notes how large a value is with its aliases written out, and refuses it where that is too much. */
function measure(
  reading: Reading,
  node: SourceNode,
  parts: readonly SourceNode[],
  own: number,
  levels: number,
): SourceNode {
  let characters = own + 2
  let depth = 0
  for (const part of parts) {
    const size = reading.sizes.get(part)
    characters += size?.characters ?? 0
    depth = Math.max(depth, size?.depth ?? 0)
  }
  reading.sizes.set(node, { characters, depth: depth + levels })
  if (characters > reading.limit) {
    fail(
      reading,
      'expansion',
      node.start,
      'its aliases, written out, make it too large; write the values out where they are used',
    )
  } else if (depth + levels > MAX_NESTING) {
    fail(
      reading,
      'nesting',
      node.start,
      `its aliases, written out, nest deeper than ${MAX_NESTING} levels; write less of it by alias`,
    )
  }
  return node
}

function fail(reading: Reading, kind: MeaningProblem['kind'], offset: number, message: string, first?: number): void {
  reading.problem ??= { kind, offset, message, ...(first === undefined ? {} : { first }) }
}

function rangeOf(
  reading: Reading,
  node: { readonly range?: readonly number[] | null | undefined },
): { readonly start: number; readonly end: number } {
  const [start = 0, end = start] = node.range ?? []
  return { start: start + reading.base, end: end + reading.base }
}

function emptyAt(offset: number): SourceNode {
  return { kind: 'scalar', style: 'plain', start: offset, end: offset, value: null }
}

function styleOf(node: Scalar): ScalarStyle {
  switch (node.type) {
    case 'BLOCK_FOLDED':
      return 'folded'
    case 'BLOCK_LITERAL':
      return 'literal'
    case 'QUOTE_DOUBLE':
      return 'double-quoted'
    case 'QUOTE_SINGLE':
      return 'single-quoted'
    default:
      return 'plain'
  }
}

const STR = 'tag:yaml.org,2002:str'
const INT = 'tag:yaml.org,2002:int'
const FLOAT = 'tag:yaml.org,2002:float'
const BOOL = 'tag:yaml.org,2002:bool'
const NULL = 'tag:yaml.org,2002:null'
const MAP = 'tag:yaml.org,2002:map'
const SEQ = 'tag:yaml.org,2002:seq'
const MERGE = 'tag:yaml.org,2002:merge'
