import { EvaluationError, Optional, type ASTNode } from '@marcbachmann/cel-js'

import { endsOperand } from './grammar.ts'
import { LiteralMap } from './literal-map.ts'
import type { Checker, Evaluator, Scope, TypeOf } from './library/macro.ts'
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

/** How a literal is checked and evaluated, in place of the engine's own ways. */
export interface ReplacedLiteral {
  readonly async: false
  typeCheck(checker: Checker, _: unknown, scope: Scope): TypeOf
  evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown
}

/** An empty literal, whose items may be anything to the engine; what they are is for the checker to find out. */
export function emptyLiteral(op: 'list' | 'map'): ReplacedLiteral {
  return {
    async: false,
    typeCheck: (checker) => checker.getType(op === 'list' ? 'list<dyn>' : 'map<dyn, dyn>'),
    evaluate: () => (op === 'list' ? [] : new Map()),
  }
}

/**
 * A list or map literal of which some items are left out when they are none.
 * Source: cel-go `checker/checker.go`, checkCreateList and checkCreateMap; `interpreter/interpretable.go`, evalList and evalMap.
 */
export function optionalLiteral(
  node: ASTNode & { readonly op: 'list' | 'map' },
  optional: ReadonlySet<number>,
  literals: 'uniform' | 'mixed',
): ReplacedLiteral {
  return node.op === 'list' ? optionalList(node.args, optional, literals) : optionalMap(node.args, optional, literals)
}

function optionalList(
  items: readonly ASTNode[],
  optional: ReadonlySet<number>,
  literals: 'uniform' | 'mixed',
): ReplacedLiteral {
  return {
    async: false,
    typeCheck: (checker, _, scope) => {
      const types = items.map((item, index) => itemType(checker, scope, item, optional.has(index)))
      return checker.getType(literals === 'mixed' ? 'list<dyn>' : `list<${commonType(checker, types, items)}>`)
    },
    evaluate: (evaluator, _, scope) =>
      items.flatMap((item, index) => {
        const value = itemValue(evaluator.run(item, scope), item, optional.has(index))
        return value === undefined ? [] : [value]
      }),
  }
}

function optionalMap(
  entries: readonly (readonly [ASTNode, ASTNode])[],
  optional: ReadonlySet<number>,
  literals: 'uniform' | 'mixed',
): ReplacedLiteral {
  const keys = entries.map(([key]) => key)
  const values = entries.map(([, value]) => value)
  return {
    async: false,
    typeCheck: (checker, _, scope) => {
      const keyTypes = keys.map((key) => checker.check(key, scope))
      const types = values.map((value, index) => itemType(checker, scope, value, optional.has(index)))
      if (literals === 'mixed') return checker.getType('map<dyn, dyn>')
      return checker.getType(`map<${commonType(checker, keyTypes, keys)}, ${commonType(checker, types, values)}>`)
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

function itemType(checker: Checker, scope: Scope, item: ASTNode, isOptional: boolean): TypeOf {
  const type = checker.check(item, scope)
  if (!isOptional || type.kind === 'dyn') return type
  if (type.kind === 'optional') return type.valueType ?? checker.getType('dyn')
  throw checker.createError('no_such_overload', `an optional is needed behind "?", not ${type.name}`, item)
}

/** Kubernetes wants one type for all items; those of empty literals go with any. */
function commonType(checker: Checker, types: readonly TypeOf[], items: readonly ASTNode[]): string {
  const named = types.map(({ name }) => (/\b[A-Z]\b/.test(name) ? undefined : name))
  const first = named.find((name) => name !== undefined)
  const other = named.findIndex((name) => name !== undefined && name !== first)
  const place = items[other]
  if (place !== undefined)
    throw checker.createError('no_such_overload', `one literal holds ${first} and ${named[other]}`, place)
  return first ?? 'dyn'
}

function itemValue(value: unknown, item: ASTNode, isOptional: boolean): unknown {
  if (!isOptional) return value
  if (!(value instanceof Optional)) throw new EvaluationError('an optional is needed behind "?"', item)
  return value.hasValue() ? value.value() : undefined
}
