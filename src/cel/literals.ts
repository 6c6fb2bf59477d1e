import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import { sameType, showType, type Type } from './check/type.ts'
import { issueAt } from './issues.ts'
import { CONVERSIONS } from './library/conversions.ts'
import { compilePattern } from './library/regex.ts'
import type { Messages } from './message-literals.ts'
import type { OptionalItems } from './optional-items.ts'
import type { CelIssue } from './types.ts'

/** Functions whose argument is a regular expression. */
export const PATTERNED: ReadonlySet<string> = new Set(['re_matches', 'find', 'findAll'])

/** Types of which a key may be that is known before anything is evaluated. */
const KEYS: ReadonlySet<string> = new Set(['bool', 'int', 'uint', 'double', 'string'])

/**
 * Literal regular expressions that RE2 does not know, and literals that no map can have as a key: Kubernetes refuses
 * them when a policy is compiled. Source for keys: cel-go `interpreter/attributes.go`, newQualifier.
 */
export function checkLiterals(root: ASTNode, source: string, known: Known & TypesOf): readonly CelIssue[] {
  const issues: CelIssue[] = []
  walk(root, (node) => {
    const key = node.op === '[]' || node.op === '[?]' ? node.args[1] : undefined
    const type = key !== undefined && isFolded(key, known) ? literalType(key, known) : undefined
    if (key !== undefined && type !== undefined && !KEYS.has(type))
      issues.push(issueAt(source, 'CEL-LITERAL', `${type} is no key`, key.start, key.end))
    if (node.op !== 'rcall' || !PATTERNED.has(node.args[0])) return
    const [pattern] = node.args[2]
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return
    try {
      compilePattern(pattern.args)
    } catch (error) {
      const message = error instanceof Error ? error.message : 'no regular expression'
      issues.push(issueAt(source, 'CEL-LITERAL', message, pattern.start, pattern.end))
    }
  })
  return issues
}

/** The type of a literal, also behind `dyn()`. */
function literalType(node: ASTNode, { typeOf }: TypesOf): string {
  const [argument] = node.op === 'call' && node.args[0] === 'dyn' ? node.args[1] : []
  return argument === undefined ? showType(typeOf(node)) : literalType(argument, { typeOf })
}

/**
 * Literals whose items have several types: Kubernetes refuses them when a policy is compiled, but for what is within
 * the arguments of `format`. Source: cel-go `cel/validator.go`, ValidateHomogeneousAggregateLiterals.
 */
export function checkUniform(
  root: ASTNode,
  source: string,
  known: { readonly items: OptionalItems; readonly messages: Messages; readonly typeOf: (node: ASTNode) => Type },
): readonly CelIssue[] {
  const issues: CelIssue[] = []
  const exempt = new Set<ASTNode>()
  const check = (literal: ASTNode, parts: readonly ASTNode[], optional?: ReadonlySet<number>): void => {
    const types = parts.map((part, place) => {
      const type = known.typeOf(part)
      return optional?.has(place) === true && type.kind === 'optional' ? type.item : type
    })
    const [first, ...rest] = types
    const other = first === undefined ? undefined : rest.find((type) => !sameType(first, type))
    if (first === undefined || other === undefined) return
    const message = `one literal holds ${showType(first)} and ${showType(other)}; wrap all of them in dyn()`
    issues.push(issueAt(source, 'CEL-TYPE', message, literal.start, literal.end))
  }
  walk(root, (node) => {
    if (node.op === 'rcall' && node.args[0] === 'format')
      for (const argument of node.args[2]) walk(argument, (part) => exempt.add(part))
    if (exempt.has(node) || known.messages.has(node.start)) return
    const optional = known.items.get(node.start)
    if (node.op === 'list') check(node, node.args, optional)
    if (node.op === 'map') {
      check(
        node,
        node.args.map(([key]) => key),
      )
      check(
        node,
        node.args.map(([, value]) => value),
        optional,
      )
    }
  })
  return issues
}

const CONSTANT_CALLS = new Set([...Object.values(CONVERSIONS), 'bytes', 'dyn', 'type', 'dur_duration', 'ts_timestamp'])

/**
 * Calls of conversions on literals, or on what such calls give: Kubernetes folds them when a policy is compiled, and
 * refuses those that fail. Source: cel-go `interpreter/decorators.go`, maybeOptimizeConstUnary.
 */
export function constantCalls(root: ASTNode, known: Known): readonly ASTNode[] {
  const calls: ASTNode[] = []
  walk(root, (node) => {
    if (isConversion(node, (argument) => isFolded(argument, known))) calls.push(node)
  })
  return calls
}

/** A literal of a scalar, or what Kubernetes makes of one when it compiles. */
function isConstant(node: ASTNode): boolean {
  if (node.op === 'value') return true
  // A sign belongs to the number right behind it.
  if (node.op === '-_') return node.args.op === 'value' && node.args.start === node.start + 1
  return isConversion(node, isConstant)
}

function isConversion(node: ASTNode, isKnown: (argument: ASTNode) => boolean): boolean {
  if (node.op !== 'call' || !CONSTANT_CALLS.has(node.args[0])) return false
  const [argument, ...rest] = node.args[1]
  return argument !== undefined && rest.length === 0 && isKnown(argument)
}

interface TypesOf {
  readonly typeOf: (node: ASTNode) => Type
}

/** What of an expression is there before anything is evaluated depends on these. */
export interface Known {
  readonly messages: Messages
  /** Is the name one that the language brings, and nothing that a macro binds? */
  readonly isConstant: (name: ASTNode) => boolean
}

/** Is it there before anything is evaluated: made of nothing but literals and types? Objects with a type never are. */
export function isFolded(node: ASTNode, known: Known): boolean {
  const isKnown = (part: ASTNode): boolean => isFolded(part, known)
  switch (node.op) {
    case 'list':
      return node.args.every(isKnown)
    case 'map':
      return !known.messages.has(node.start) && node.args.flat().every(isKnown)
    case 'id':
    case '.':
      return isConstantName(node, known)
    default:
      return isConstant(node) || isConversion(node, isKnown)
  }
}

/** Is it a name that the language brings, as `int` and `google.protobuf.Duration`? */
export function isConstantName(node: ASTNode, known: Pick<Known, 'isConstant'>): boolean {
  if (node.op === 'id') return known.isConstant(node)
  return node.op === '.' && isConstantName(node.args[0], known)
}

/** Is it `[]`? */
export function isEmptyList(node: ASTNode): boolean {
  return node.op === 'list' && node.args.length === 0
}
