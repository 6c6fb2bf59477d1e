import { MAX_NESTING } from './yaml-syntax.ts'
import { objectOf, type SourceEntry, type SourceNode } from './source-node.ts'
import type { Json } from './json.ts'

export type JsonTextOutcome =
  | { readonly ok: true; readonly root: SourceNode }
  | { readonly ok: false; readonly problem: 'nesting'; readonly offset: number }
  | {
      readonly ok: false
      readonly problem: 'duplicate'
      readonly key: string
      readonly first: number
      readonly offset: number
    }

/**
 * The value of a JSON text and the places of everything in it. From `start` on the text must be valid JSON, which
 * `JSON.parse` decides best; it accepts any nesting and duplicate keys though, which are problems here.
 */
export function readJsonText(text: string, start: number): JsonTextOutcome {
  const scanner: Scanner = { text, offset: start, failure: undefined }
  skipSpace(scanner)
  const root = readValue(scanner, 0)
  return scanner.failure ?? { ok: true, root }
}

interface Scanner {
  readonly text: string
  offset: number
  /** The first thing wrong, which ends the reading. */
  failure: Exclude<JsonTextOutcome, { ok: true }> | undefined
}

function readValue(scanner: Scanner, depth: number): SourceNode {
  const start = scanner.offset
  const first = scanner.text[start]
  if (depth >= MAX_NESTING && (first === '{' || first === '[')) {
    scanner.failure ??= { ok: false, problem: 'nesting', offset: start }
    return { kind: 'scalar', style: 'plain', start, end: start, value: null }
  }
  if (first === '{') return readObject(scanner, depth)
  if (first === '[') return readArray(scanner, depth)
  scanner.offset = endOfScalar(scanner.text, start)
  const value: Json = JSON.parse(scanner.text.slice(start, scanner.offset))
  return { kind: 'scalar', style: first === '"' ? 'double-quoted' : 'plain', start, end: scanner.offset, value }
}

function readObject(scanner: Scanner, depth: number): SourceNode {
  const start = scanner.offset
  const entries: SourceEntry[] = []
  const seen = new Map<string, number>()
  for (enter(scanner); inside(scanner, '}'); next(scanner)) {
    const keyStart = scanner.offset
    const keyEnd = endOfScalar(scanner.text, keyStart)
    const key: string = JSON.parse(scanner.text.slice(keyStart, keyEnd))
    const first = seen.get(key)
    if (first === undefined) seen.set(key, keyStart)
    else scanner.failure ??= { ok: false, problem: 'duplicate', key, first, offset: keyStart }
    scanner.offset = scanner.text.indexOf(':', keyEnd) + 1
    skipSpace(scanner)
    entries.push({ key, keyStart, keyEnd, merge: false, value: readValue(scanner, depth + 1) })
  }
  scanner.offset += 1
  return { kind: 'map', flow: true, start, end: scanner.offset, entries, value: objectOf(entries) }
}

function readArray(scanner: Scanner, depth: number): SourceNode {
  const start = scanner.offset
  const items: SourceNode[] = []
  for (enter(scanner); inside(scanner, ']'); next(scanner)) items.push(readValue(scanner, depth + 1))
  scanner.offset += 1
  return { kind: 'list', flow: true, start, end: scanner.offset, items, value: items.map((item) => item.value) }
}

function enter(scanner: Scanner): void {
  scanner.offset += 1
  skipSpace(scanner)
}

/** False at the end of a collection, and everywhere once something is wrong: then nothing is read any more. */
function inside(scanner: Scanner, close: string): boolean {
  return scanner.failure === undefined && scanner.text[scanner.offset] !== close
}

function next(scanner: Scanner): void {
  skipSpace(scanner)
  if (scanner.text[scanner.offset] === ',') enter(scanner)
}

function skipSpace(scanner: Scanner): void {
  SPACE.lastIndex = scanner.offset
  SPACE.test(scanner.text)
  scanner.offset = SPACE.lastIndex
}

function endOfScalar(text: string, start: number): number {
  if (text[start] !== '"') {
    BARE.lastIndex = start
    return BARE.test(text) ? BARE.lastIndex : text.length
  }
  let offset = start + 1
  while (offset < text.length && text[offset] !== '"') offset += text[offset] === '\\' ? 2 : 1
  return offset + 1
}

const SPACE = /[ \t\r\n]*/y
const BARE = /[^\s,\]}]+/y
