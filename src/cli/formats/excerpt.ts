import type { FieldPath } from '../../kube/field-path.ts'
import { dealias, findPlace, type Place } from '../../kube/source-node.ts'
import type { Manifest } from '../../sources/manifests.ts'

/** Some lines of a text with a part of the last one marked. */
export interface Excerpt {
  readonly lines: readonly { readonly number: number; readonly text: string }[]
  /** Columns of the last line, from 0. */
  readonly from: number
  readonly to: number
}

const TAB = '    '
const MOST_COLUMNS = 160

/**
 * The line to look at for a field of an object. A value is marked itself; a block of lines, and the block that lacks a
 * field, by the key that it belongs to.
 */
export function excerptOfField(text: string, manifest: Manifest, path: FieldPath): Excerpt {
  const place = findPlace(manifest.document.root, [...manifest.path, ...path])
  const { start, end } = markedRange(text, place)
  return excerpt(text, start, end)
}

/** The line to look at for a place, both 1-based, of which nothing but the beginning is known. */
export function excerptOfPosition(text: string, line: number, column: number): Excerpt {
  let start = 0
  for (let number = 1; number < line; number += 1) start = text.indexOf('\n', start) + 1
  const offset = Math.min(start + column - 1, text.length)
  return excerpt(text, offset, offset + 1)
}

function markedRange(text: string, { node, entry }: Place): { readonly start: number; readonly end: number } {
  const value = dealias(node)
  const isBlock = (value.kind === 'map' || value.kind === 'list') && !value.flow
  if (!isBlock || node.kind === 'alias') return { start: node.start, end: node.end }
  if (entry !== undefined) return { start: entry.keyStart, end: entry.keyEnd }
  const lineBreak = text.indexOf('\n', node.start)
  return { start: node.start, end: lineBreak < 0 ? text.length : lineBreak }
}

function excerpt(text: string, start: number, end: number): Excerpt {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const number = countLines(text, lineStart)
  const line = lineAt(text, lineStart)
  const from = start - lineStart
  const to = Math.max(from + 1, Math.min(end - lineStart, line.trimEnd().length))
  const before = lineStart === 0 ? [] : previousLine(text, lineStart, number)
  const shown = crop(line, from, to)
  return { lines: [...before, { number, text: shown.text }], from: shown.from, to: shown.to }
}

function previousLine(text: string, lineStart: number, number: number): Excerpt['lines'] {
  const line = lineAt(text, text.lastIndexOf('\n', lineStart - 2) + 1)
  if (line.trim() === '' || line.trim() === '---') return []
  return [{ number: number - 1, text: crop(line, 0, 0).text }]
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start)
  return text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '')
}

function countLines(text: string, lineStart: number): number {
  let number = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < lineStart; at = text.indexOf('\n', at + 1)) number += 1
  return number
}

/** A line as a terminal can show it: tabs as spaces, nothing that steers it, and not endlessly long. */
function crop(
  line: string,
  from: number,
  to: number,
): { readonly text: string; readonly from: number; readonly to: number } {
  const first = from > MOST_COLUMNS - 40 ? from - 40 : 0
  const head = first > 0 ? '…' : ''
  const part = line.slice(first, first + MOST_COLUMNS)
  const tail = first + MOST_COLUMNS < line.length ? '…' : ''
  const start = columnsTo(from)
  return {
    text: head + printable(part).trimEnd() + tail,
    from: start,
    to: Math.max(start + 1, columnsTo(Math.min(to, first + MOST_COLUMNS))),
  }

  function columnsTo(offset: number): number {
    return head.length + printable(line.slice(first, offset)).length
  }
}

function printable(text: string): string {
  return text.replaceAll('\t', TAB).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}
