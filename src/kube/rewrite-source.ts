import { alignLists } from './align-lists.ts'
import { insertInFlow, writerOf, type Writer } from './flow-text.ts'
import { equal, isList, isObject, own, type Json, type JsonObject } from './json.ts'
import {
  afterColon,
  columnOf,
  contentEnd,
  dashOf,
  entryEnd,
  isUnwritten,
  lineEnd,
  lineStart,
  styleOf,
} from './source-layout.ts'
import type { SourceEntry, SourceList, SourceMap, SourceNode } from './source-node.ts'
import { blockEntry, blockItem, blockLines, isNested, type YamlStyle } from './yaml-text.ts'

/** One change of a text: what stands from `start` to `end` becomes `text`. */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * The changes that make the value of a document, written at `root`, another one. Only what differs is touched:
 * comments, order, quoting, anchors and blank lines stay. What is added follows the style of the text. The changes do
 * not overlap and come in order. A value that comes from an alias or a merge is written out where it is used; the
 * caller checks that the text now says what it should, since an anchor that changes changes its aliases too.
 */
export function rewriteSource(text: string, root: SourceNode, value: Json): readonly Splice[] {
  const rewriting: Rewriting = { text, style: styleOf(text, root), writer: writerOf(text, root), splices: [] }
  rewrite(rewriting, root, value, { kind: 'root' })
  return rewriting.splices.toSorted((a, b) => a.start - b.start || a.end - b.end)
}

/** The text after changes that do not overlap and come in order. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = ''
  let offset = 0
  for (const splice of splices) {
    result += text.slice(offset, splice.start) + splice.text
    offset = splice.end
  }
  return result + text.slice(offset)
}

interface Rewriting {
  readonly text: string
  readonly style: YamlStyle
  readonly writer: Writer
  readonly splices: Splice[]
}

/** What a value belongs to. */
type Slot =
  | { readonly kind: 'root' }
  | { readonly kind: 'entry'; readonly entry: SourceEntry; readonly map: SourceMap }
  | { readonly kind: 'item'; readonly list: SourceList; readonly dash: number }

function rewrite(rewriting: Rewriting, node: SourceNode, value: Json, slot: Slot): void {
  if (equal(node.value, value)) return
  if (node.kind === 'map' && isObject(value)) {
    const kept = node.entries.filter((entry) => entry.merge || own(value, entry.key) !== undefined)
    if (kept.length > 0) return rewriteMap(rewriting, node, value, kept)
  }
  if (node.kind === 'list' && isList(value)) {
    const steps = alignLists(asValues(node), value)
    if (steps.some(({ kind }) => kind === 'keep')) return rewriteList(rewriting, node, value, steps)
  }
  replace(rewriting, node, value, slot)
}

function rewriteMap(rewriting: Rewriting, map: SourceMap, value: JsonObject, kept: readonly SourceEntry[]): void {
  const { text, style, writer, splices } = rewriting
  const before = isObject(map.value) ? map.value : {}
  const changed = new Map(Object.entries(value).filter(([key, member]) => !equal(own(before, key), member)))
  for (const entry of kept) {
    const member = entry.merge ? undefined : changed.get(entry.key)
    if (member !== undefined) rewrite(rewriting, entry.value, member, { kind: 'entry', entry, map })
  }
  remove(
    rewriting,
    map,
    map.entries.map((entry) => ({ start: entry.keyStart, end: entryEnd(text, entry), goes: !kept.includes(entry) })),
  )
  const last = kept.at(-1)
  if (last === undefined) return
  const written = new Set(kept.flatMap(({ key, merge }) => (merge ? [] : [key])))
  for (const [key, member] of changed) {
    if (member === undefined || written.has(key)) continue
    const column = columnOf(text, map.entries[0]?.keyStart ?? map.start)
    if (map.flow) splices.push(insertInFlow(text, map, last.keyStart, entryEnd(text, last), writer.member(key, member)))
    else insertLines(rewriting, entryEnd(text, last), column, blockEntry(key, member, style))
  }
}

function rewriteList(
  rewriting: Rewriting,
  list: SourceList,
  value: readonly Json[],
  steps: ReturnType<typeof alignLists>,
): void {
  const { text, style, writer, splices } = rewriting
  const goes = new Set(steps.flatMap((step) => (step.kind === 'remove' ? [step.from] : [])))
  const parts = list.items.map((item, index) => {
    const start = list.flow ? item.start : dashOf(text, list, index)
    return { start, end: Math.max(contentEnd(text, item), list.flow ? 0 : start + 1), goes: goes.has(index) }
  })
  const firstKept = steps.find((step) => step.kind === 'keep')?.from ?? 0
  let last: (typeof parts)[number] | undefined
  for (const step of steps) {
    if (step.kind === 'remove') continue
    const member = value[step.to] ?? null
    const item = step.kind === 'keep' ? list.items[step.from] : undefined
    if (step.kind === 'keep') last = parts[step.from]
    if (item !== undefined && last !== undefined) {
      rewrite(rewriting, item, member, { kind: 'item', list, dash: last.start })
    } else if (last === undefined) {
      const start = parts[firstKept]?.start ?? list.start
      const indent = style.lineBreak + ' '.repeat(columnOf(text, start))
      const before = list.flow ? `${writer.inline(member)}, ` : blockItem(member, style).join(indent) + indent
      splices.push({ start, end: start, text: before })
    } else if (list.flow) splices.push(insertInFlow(text, list, last.start, last.end, writer.value(member)))
    else insertLines(rewriting, last.end, columnOf(text, list.start), blockItem(member, style))
  }
  remove(rewriting, list, parts)
}

interface Part {
  readonly start: number
  readonly end: number
  readonly goes: boolean
}

/** Takes parts out of a map or list of which at least one part stays: whole lines in block style. */
function remove({ text, splices }: Rewriting, node: SourceMap | SourceList, parts: readonly Part[]): void {
  for (let index = 0; index < parts.length; index += 1) {
    const first = parts[index]
    if (first?.goes !== true) continue
    const before = parts[index - 1]
    while (parts[index + 1]?.goes === true) index += 1
    const last = parts[index] ?? first
    const next = parts[index + 1]
    if (!node.flow && /^\s*$/.test(text.slice(lineStart(text, first.start), first.start))) {
      splices.push(wholeLines(text, first.start, last.end))
    } else if (next !== undefined) splices.push({ start: first.start, end: next.start, text: '' })
    else if (before !== undefined) splices.push({ start: before.end, end: last.end, text: '' })
  }
}

/** The lines of a part, with one of the line breaks around them. */
function wholeLines(text: string, start: number, end: number): Splice {
  const from = lineStart(text, start)
  const to = lineEnd(text, end)
  const lineBreak = /^\r?\n/.exec(text.slice(to, to + 2))?.[0].length ?? 0
  if (lineBreak > 0 || text[to - 1] === '\n')
    return { start: from, end: text[to - 1] === '\n' ? to : to + lineBreak, text: '' }
  return { start: Math.max(0, from - (text[from - 2] === '\r' ? 2 : 1)), end: to, text: '' }
}

/** Writes lines below the line in which `after` lies. */
function insertLines(
  { text, style, splices }: Rewriting,
  after: number,
  column: number,
  lines: readonly string[],
): void {
  const at = lineEnd(text, after)
  const indented = lines.map((line) => ' '.repeat(column) + line).join(style.lineBreak)
  const startsLine = at > 0 && text[at - 1] === '\n'
  splices.push({ start: at, end: at, text: startsLine ? indented + style.lineBreak : style.lineBreak + indented })
}

/** Writes another value in the place of one. */
function replace(rewriting: Rewriting, node: SourceNode, value: Json, slot: Slot): void {
  const { text, style, writer, splices } = rewriting
  const inFlow = (slot.kind === 'entry' && slot.map.flow) || (slot.kind === 'item' && slot.list.flow) || writer.isJson
  const scalar = node.kind === 'scalar' ? node.style : 'plain'
  const end = contentEnd(text, node)
  const lineBreak = text[end - 1] === '\n' && end > node.start ? style.lineBreak : ''
  const start = slot.kind === 'entry' ? afterColon(text, slot.entry) : slot.kind === 'item' ? slot.dash + 1 : node.start
  const column = slot.kind === 'entry' ? columnOf(text, slot.entry.keyStart) : columnOf(text, start) + 1
  // an anchor, a tag or a comment before the value stays
  const bare = text.slice(start, node.start).trim() === ''
  if (inFlow || !bare || !isNested(value)) {
    const inline = isNested(value) || Array.isArray(value) ? writer.inline(value) : writer.scalar(value, scalar)
    // a block below its key becomes a value beside it
    const tight = isUnwritten(node) || (!inFlow && bare && text.slice(start, node.start).includes('\n'))
    splices.push(
      tight ? { start, end, text: ` ${inline}${lineBreak}` } : { start: node.start, end, text: inline + lineBreak },
    )
    return
  }
  const lines = blockLines(value, style)
  switch (slot.kind) {
    case 'root':
      splices.push({ start: node.start, end, text: lines.join(style.lineBreak) + lineBreak })
      return
    case 'item':
      splices.push({ start, end, text: ` ${lines.join(style.lineBreak + ' '.repeat(column))}${lineBreak}` })
      return
    case 'entry': {
      const indent = style.lineBreak + ' '.repeat(column + (Array.isArray(value) ? style.listIndent : style.indent))
      splices.push({ start, end, text: indent + lines.join(indent) + lineBreak })
    }
  }
}

function asValues(list: SourceList): readonly Json[] {
  return list.items.map((item) => item.value)
}
