import { EvaluationError, Optional, type ASTNode } from '@marcbachmann/cel-js'

import { dottedName } from './ast.ts'
import { endsOperand } from './grammar.ts'
import { LiteralMap } from './literal-map.ts'
import type { Replacement } from './library/macro.ts'
import type { Token } from './tokens.ts'

/** Which items of a list or map literal are optional (`[?a]`, `{?k: a}`), by the offset of its bracket. */
export type OptionalItems = ReadonlyMap<number, ReadonlySet<number>>

interface Bracket {
  readonly start: number
  readonly isLiteral: boolean
  item: number
}

/**
 * The engine's parser does not know optional items, nor the comma of `[,]`. Their question marks, and that comma, are
 * written over by blanks, so that nothing moves and every position stays what it was; the items are remembered by the
 * literal and their place.
 */
export function maskOptionalItems(
  source: string,
  tokens: readonly Token[],
): { readonly text: string; readonly items: OptionalItems } {
  const items = new Map<number, Set<number>>()
  const brackets: Bracket[] = []
  let text = source
  const blank = (at: number): void => {
    text = `${text.slice(0, at)} ${text.slice(at + 1)}`
  }
  let before = ''
  for (const [index, { text: part, start }] of tokens.entries()) {
    const bracket = brackets.at(-1)
    const isFirst = bracket?.isLiteral === true && (before === '[' || before === '{')
    if ('[{('.includes(part)) brackets.push({ start, isLiteral: opensLiteral(part, before), item: 0 })
    else if (']})'.includes(part)) brackets.pop()
    else if (part === ',' && isFirst && /^[\]}]/.test(tokens[index + 1]?.text ?? '')) blank(start)
    else if (part === ',' && bracket !== undefined) bracket.item += 1
    else if (part === '?' && bracket?.isLiteral === true && (isFirst || before === ',')) {
      items.set(bracket.start, (items.get(bracket.start) ?? new Set()).add(bracket.item))
      blank(start)
    }
    before = part
  }
  return { text, items }
}

/** A `[` behind an operand is an index. */
function opensLiteral(bracket: string, before: string): boolean {
  return bracket === '{' || (bracket === '[' && !endsOperand(before))
}

/** `[]`, `{}` or `optional.none()`: to the engine they are of anything; of what they are is for the checker to find out. */
export function emptyLiteral(node: ASTNode): Replacement | undefined {
  if (node.op === 'list' && node.args.length === 0) return emptyOf('list<dyn>', () => [])
  if (node.op === 'map' && node.args.length === 0) return emptyOf('map<dyn, dyn>', () => new Map())
  if (node.op === 'rcall' && node.args[0] === 'none' && dottedName(node.args[1]) === 'optional')
    return emptyOf('optional<dyn>', () => Optional.none())
  return undefined
}

function emptyOf(type: string, evaluate: () => unknown): Replacement {
  return { async: false, typeCheck: (checker) => checker.getType(type), evaluate }
}

/**
 * A list or map literal of which some items are left out when they are none. To the engine its items are of anything.
 * Source: cel-go `interpreter/interpretable.go`, evalList and evalMap.
 */
export function optionalLiteral(
  node: ASTNode & { readonly op: 'list' | 'map' },
  optional: ReadonlySet<number>,
): Replacement {
  return node.op === 'list' ? optionalList(node.args, optional) : optionalMap(node.args, optional)
}

function optionalList(items: readonly ASTNode[], optional: ReadonlySet<number>): Replacement {
  return {
    async: false,
    typeCheck: (checker, _, scope) => {
      for (const item of items) checker.check(item, scope)
      return checker.getType('list<dyn>')
    },
    evaluate: (evaluator, _, scope) =>
      items.flatMap((item, index) => {
        const value = itemValue(evaluator.run(item, scope), item, optional.has(index))
        return value === undefined ? [] : [value]
      }),
  }
}

function optionalMap(entries: readonly (readonly [ASTNode, ASTNode])[], optional: ReadonlySet<number>): Replacement {
  return {
    async: false,
    typeCheck: (checker, _, scope) => {
      for (const part of entries.flat()) checker.check(part, scope)
      return checker.getType('map<dyn, dyn>')
    },
    evaluate: (evaluator, _, scope) => {
      const map = new LiteralMap()
      for (const [index, [key, item]] of entries.entries()) {
        const name = evaluator.run(key, scope)
        const value = itemValue(evaluator.run(item, scope), item, optional.has(index))
        if (value === undefined) map.delete(name)
        else map.set(name, value)
      }
      return map
    },
  }
}

function itemValue(value: unknown, item: ASTNode, isOptional: boolean): unknown {
  if (!isOptional) return value
  if (!(value instanceof Optional)) throw new EvaluationError('an optional is needed behind "?"', item)
  return value.hasValue() ? value.value() : undefined
}
