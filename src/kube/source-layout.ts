import { dealias, type SourceEntry, type SourceList, type SourceNode } from './source-node.ts'
import type { YamlStyle } from './yaml-text.ts'

/** Where the last written character of a value ends; trailing comments and blank lines are not part of it. */
export function contentEnd(text: string, node: SourceNode): number {
  if (node.kind === 'map' && !node.flow) {
    const last = node.entries.at(-1)
    if (last !== undefined) return entryEnd(text, last)
  }
  if (node.kind === 'list' && !node.flow) {
    const last = node.items.at(-1)
    if (last !== undefined) return Math.max(dashOf(text, node, node.items.length - 1) + 1, contentEnd(text, last))
  }
  return node.end
}

/** Where an entry ends: at its value or, where that is left out, at the colon. */
export function entryEnd(text: string, entry: SourceEntry): number {
  return isUnwritten(entry.value) ? afterColon(text, entry) : contentEnd(text, entry.value)
}

/** The offset behind the colon of an entry; behind the key where it has none (`{ a, b }`). */
export function afterColon(text: string, entry: SourceEntry): number {
  const colon = /^\s*:/.exec(text.slice(entry.keyEnd, entry.keyEnd + 1024))
  return entry.keyEnd + (colon?.[0].length ?? 0)
}

/** True for a null that is simply left out. */
export function isUnwritten(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.start === node.end
}

/** The dash of an item of a list in block style. */
export function dashOf(text: string, list: SourceList, index: number): number {
  const before = list.items[index - 1]
  if (before === undefined) return list.start
  const column = columnOf(text, list.start)
  const dash = new RegExp(`^[ ]{${column}}-(?=\\s|$)`, 'gm')
  dash.lastIndex = lineEnd(text, contentEnd(text, before))
  const match = dash.exec(text)
  return match === null ? list.start : match.index + column
}

/** The column of an offset, from 0. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset)
}

/** The first character of the line that an offset is in. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** The end of the line that an offset is in, before its line break. An offset behind a line break ends there. */
export function lineEnd(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset
  const found = text.indexOf('\n', offset)
  if (found < 0) return text.length
  return text[found - 1] === '\r' ? found - 1 : found
}

/** How a document is written, read off the first places that tell; two spaces where none does. */
export function styleOf(text: string, root: SourceNode): YamlStyle {
  const found = { indent: 0, listIndent: -1 }
  look(root)
  return {
    indent: found.indent || 2,
    listIndent: found.listIndent < 0 ? 2 : found.listIndent,
    lineBreak: text.includes('\r\n') ? '\r\n' : '\n',
  }

  function look(node: SourceNode): void {
    if (node.kind === 'list') for (const item of node.items) look(item)
    if (node.kind !== 'map' || node.flow) return
    for (const { keyStart, value } of node.entries) {
      const by = columnOf(text, dealias(value).start) - columnOf(text, keyStart)
      if (value.kind === 'map' && !value.flow && by > 0) found.indent ||= by
      if (value.kind === 'list' && !value.flow && by >= 0 && found.listIndent < 0) found.listIndent = by
      look(value)
    }
  }
}
