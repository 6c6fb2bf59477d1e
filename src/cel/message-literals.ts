import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import { endsOperand } from './grammar.ts'
import { issueAt } from './issues.ts'
import type { Token } from './tokens.ts'
import type { CelIssue } from './types.ts'

/** Literals such as `Object.spec{a: 1}`: the name of the type, by the offset of the brace. */
export type Messages = ReadonlyMap<number, string>

export interface MaskedMessages {
  readonly text: string
  readonly messages: Messages
  /** Names of fields by where they stand. */
  readonly fields: ReadonlyMap<number, string>
}

const NO_NAMES: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null'])

/**
 * The objects of MutatingAdmissionPolicy, `Object{…}`, `Object.spec.x{…}` and `JSONPatch{…}`, which the engine's parser
 * does not know. To it they are map literals: blanks stand in place of the type, and filling in place of the fields'
 * names, so that every position stays what it was.
 */
export function maskMessages(source: string, tokens: readonly Token[]): MaskedMessages {
  const messages = new Map<number, string>()
  const fields = new Map<number, string>()
  const masks = new Map<number, string>()
  const open: boolean[] = []
  for (const [index, { text, start }] of tokens.entries()) {
    const before = tokens[index - 1]?.text ?? ''
    if ('([{'.includes(text)) {
      const parts = text === '{' ? typeBefore(tokens, index) : []
      if (parts.length > 0) messages.set(start, parts.map((part) => part.text).join(''))
      for (const part of parts) masks.set(part.start, ' '.repeat(part.text.length))
      open.push(parts.length > 0)
    } else if (')]}'.includes(text)) open.pop()
    else if (open.at(-1) === true && isFieldName(text, before, tokens[index + 1]?.text)) {
      fields.set(start, text)
      masks.set(start, 'x'.repeat(text.length))
    }
  }
  return { text: overwrite(source, masks), messages, fields }
}

function isFieldName(text: string, before: string, after: string | undefined): boolean {
  return after === ':' && '{,?'.includes(before) && /^[A-Za-z_]\w*$/.test(text) && !NO_NAMES.has(text)
}

/** The tokens of the type whose literal a brace opens; none where that is no type of these. */
function typeBefore(tokens: readonly Token[], brace: number): readonly Token[] {
  let first = brace - 1
  while (tokens[first - 1]?.text === '.' && /^\w+$/.test(tokens[first - 2]?.text ?? '')) first -= 2
  const parts = tokens.slice(first, brace)
  const name = parts.map(({ text }) => text).join('')
  if (name !== 'JSONPatch' && !/^Object(?:\.[A-Za-z_]\w*)*$/.test(name)) return []
  return endsOperand(tokens[first - 1]?.text ?? '') || tokens[first - 1]?.text === '.' ? [] : parts
}

function overwrite(source: string, masks: ReadonlyMap<number, string>): string {
  const parts: string[] = []
  let from = 0
  for (const [start, mask] of [...masks].sort(([a], [b]) => a - b)) {
    parts.push(source.slice(from, start), mask)
    from = start + mask.length
  }
  return [...parts, source.slice(from)].join('')
}

/** Gives the keys of such literals the names of their fields; what is no name is refused. */
export function restoreFields(
  root: ASTNode,
  { messages, fields }: Omit<MaskedMessages, 'text'>,
  source: string,
): readonly CelIssue[] {
  const issues: CelIssue[] = []
  walk(root, (node) => {
    if (node.op !== 'map' || !messages.has(node.start)) return
    for (const [key] of node.args) {
      const name = key.op === 'id' ? fields.get(key.start) : undefined
      if (name === undefined)
        issues.push(issueAt(source, 'CEL-SYNTAX', 'the name of a field stands without quotes', key.start, key.end))
      else Object.assign(key, { op: 'value', args: name })
    }
  })
  return issues
}

/** The name of a field of such a literal, by its key. */
export function fieldName(key: ASTNode): string {
  return key.op === 'value' && typeof key.args === 'string' ? key.args : ''
}
