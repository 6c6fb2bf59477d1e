import type { ASTNode } from '@marcbachmann/cel-js'

import { childrenOf } from './ast.ts'
import { issueAt } from './issues.ts'
import type { Token } from './tokens.ts'
import type { CelIssue } from './types.ts'

/**
 * What the engine's parser takes and CEL's grammar does not: a comma behind the last argument of a call, and a
 * condition without parentheses between the `?` and the `:` of another. Source: cel-go `parser/gen/CEL.g4`.
 */
export function checkGrammar(tokens: readonly Token[], source: string): readonly CelIssue[] {
  const issues: CelIssue[] = []
  // Of each open bracket: how many conditions in it wait for their colon.
  const waiting = [0]
  for (const [index, { text, start }] of tokens.entries()) {
    const top = waiting.length - 1
    const before = tokens[index - 1]?.text ?? ''
    const refuse = (message: string): void => {
      issues.push(issueAt(source, 'CEL-SYNTAX', message, start, start + 1))
    }
    if ('([{'.includes(text)) waiting.push(0)
    else if (')]}'.includes(text)) waiting.pop()
    else if (text === ',') waiting[top] = 0
    else if (text === ':') waiting[top] = Math.max(0, (waiting[top] ?? 0) - 1)
    else if (text === '?' && endsOperand(before)) {
      if ((waiting[top] ?? 0) > 0) refuse('a condition within a condition needs parentheses')
      waiting[top] = (waiting[top] ?? 0) + 1
    }
    if (text === ',' && tokens[index + 1]?.text === ')') refuse('there is no argument behind this comma')
  }
  return issues
}

/** May a value end with this token? */
export function endsOperand(token: string): boolean {
  return token !== 'in' && /[\w)\]}"'`]$/.test(token)
}

const RELATIONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', 'in'])

/**
 * To CEL all comparisons bind alike, from left to right: `a == b < c` is `(a == b) < c`; to the engine `<` binds more.
 * Brings the tree of an expression into the order of CEL, before it is checked.
 */
export function orderRelations(node: ASTNode, tokens: readonly Token[]): void {
  for (const child of childrenOf(node)) orderRelations(child, tokens)
  if (node.op === '==' || node.op === '!=') rotate(node, tokens)
}

function rotate(node: ASTNode & { readonly op: '==' | '!=' }, tokens: readonly Token[]): void {
  const { op, start } = node
  const [left, right] = node.args
  if (!isRelation(right) || isEnclosed(left, right, tokens)) return
  const [middle, last] = right.args
  Object.assign(node, { op: right.op, args: [right, last] })
  Object.assign(right, { op, args: [left, middle], start, pos: start, end: middle.end })
  const rotated: ASTNode = right
  if (isEquality(rotated)) rotate(rotated, tokens)
}

type Binary<Op> = ASTNode & { readonly op: Op; readonly args: readonly [ASTNode, ASTNode] }

function isRelation(node: ASTNode): node is Binary<'<' | '<=' | '>' | '>=' | 'in'> {
  return RELATIONS.has(node.op)
}

function isEquality(node: ASTNode): node is Binary<'==' | '!='> {
  return node.op === '==' || node.op === '!='
}

/** Do parentheses that open behind `left` close only behind all of `right`? */
function isEnclosed(left: ASTNode, right: ASTNode, tokens: readonly Token[]): boolean {
  let depth = 0
  for (const { text, start } of tokens) {
    if (start < left.end || start >= right.end) continue
    if (text === '(') depth += 1
    else if (text === ')' && depth > 0) depth -= 1
    if (start >= right.start && depth === 0) return false
  }
  return depth > 0
}
