import { isList, isObject, type Json } from './json.ts'
import { columnOf, lineStart } from './source-layout.ts'
import type { ScalarStyle, SourceList, SourceMap, SourceNode } from './source-node.ts'
import { inlineText, scalarText } from './yaml-text.ts'

/** Writes values the way a document does: as YAML, or as JSON where it is JSON. */
export interface Writer {
  readonly isJson: boolean
  /** A value on one line. */
  inline(value: Json): string
  /** A scalar, or something empty, in the wanted style as far as that can hold it. */
  scalar(value: Json, wanted: ScalarStyle): string
  /** A value inside flow brackets, its lines broken as those around it; `indent` is what stands before it on its line. */
  value(value: Json): (indent: string | undefined) => string
  member(key: string, value: Json): (indent: string | undefined) => string
}

/** The writer for a document. */
export function writerOf(text: string, root: SourceNode): Writer {
  return isJson(text.slice(root.start, root.end)) ? jsonWriter(stepOf(text, root)) : YAML
}

/**
 * One more part behind the last one (from `start` to `end`) of a collection in flow style, on a line of its own where
 * the last one has that.
 */
export function insertInFlow(
  text: string,
  collection: SourceMap | SourceList,
  start: number,
  end: number,
  write: (indent: string | undefined) => string,
): { readonly start: number; readonly end: number; readonly text: string } {
  const gap = /\s*$/.exec(text.slice(collection.start + 1, start))?.[0] ?? ''
  const ownLine = gap.includes('\n')
  const indent = ownLine ? text.slice(lineStart(text, start), start) : undefined
  return { start: end, end, text: `,${ownLine ? gap : ' '}${write(indent)}` }
}

const YAML: Writer = {
  isJson: false,
  inline: inlineText,
  scalar: (value, wanted) => (isObject(value) || isList(value) ? inlineText(value) : scalarText(value, wanted)),
  value: (value) => () => inlineText(value),
  member: (key, value) => () => `${scalarText(key, 'plain')}: ${inlineText(value)}`,
}

function jsonWriter(step: string): Writer {
  const lines = (value: Json, indent: string | undefined): string =>
    indent === undefined ? JSON.stringify(value) : JSON.stringify(value, null, step).replaceAll('\n', `\n${indent}`)
  return {
    isJson: true,
    inline: (value) => JSON.stringify(value),
    scalar: (value) => JSON.stringify(value),
    value: (value) => (indent) => lines(value, indent),
    member: (key, value) => (indent) => `${JSON.stringify(key)}: ${lines(value, indent)}`,
  }
}

/** By how much a JSON text indents. */
function stepOf(text: string, root: SourceNode): string {
  const first =
    root.kind === 'map' ? root.entries[0]?.keyStart : root.kind === 'list' ? root.items[0]?.start : undefined
  if (first === undefined || columnOf(text, first) === 0) return '  '
  const before = text.slice(lineStart(text, first), first)
  return /^\s+$/.test(before) ? before : '  '
}

function isJson(text: string): boolean {
  if (!text.startsWith('{') && !text.startsWith('[')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
