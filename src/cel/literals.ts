import type { ASTNode } from '@marcbachmann/cel-js'

import { typeOf, walk } from './ast.ts'
import { issueAt } from './issues.ts'
import { compilePattern } from './library/regex.ts'
import type { OptionalItems } from './optional-items.ts'
import type { CelIssue } from './types.ts'

const PATTERNED = new Set(['re_matches', 'find', 'findAll'])

/** Literal regular expressions that RE2 does not know: Kubernetes refuses them when a policy is compiled. */
export function checkLiterals(root: ASTNode, source: string): readonly CelIssue[] {
  const issues: CelIssue[] = []
  walk(root, (node) => {
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

/**
 * Literals whose items have several types: Kubernetes refuses them when a policy is compiled, but for the arguments of
 * `format`. Source: cel-go `cel/validator.go`, ValidateHomogeneousAggregateLiterals.
 */
export function checkUniform(root: ASTNode, source: string, optional: OptionalItems): readonly CelIssue[] {
  const issues: CelIssue[] = []
  const exempt = new Set<ASTNode>()
  walk(root, (node) => {
    if (node.op === 'rcall' && node.args[0] === 'format') for (const argument of node.args[2]) exempt.add(argument)
    // Literals with optional items look at their types themselves.
    if (exempt.has(node) || optional.has(node.start)) return
    if (node.op === 'list') checkItems(node, node.args, source, issues)
    if (node.op === 'map') {
      checkItems(
        node,
        node.args.map(([key]) => key),
        source,
        issues,
      )
      checkItems(
        node,
        node.args.map(([, value]) => value),
        source,
        issues,
      )
    }
  })
  return issues
}

function checkItems(node: ASTNode, items: readonly ASTNode[], source: string, issues: CelIssue[]): void {
  const types = [...new Set(items.map(typeOf))].filter((type) => !/<[A-Z](?:, [A-Z])?>/.test(type))
  const [first, other] = types
  if (first === undefined || other === undefined) return
  const message = `one literal holds ${first} and ${other}; wrap the values that differ in dyn()`
  issues.push(issueAt(source, 'CEL-TYPE', message, node.start, node.end))
}

const CONSTANT_CALLS = new Set(['int', 'uint', 'double', 'bool', 'dur_duration', 'timestamp'])

/** Calls of conversions on literals: Kubernetes folds them when a policy is compiled, and refuses those that fail. */
export function constantCalls(root: ASTNode): readonly ASTNode[] {
  const calls: ASTNode[] = []
  walk(root, (node) => {
    if (node.op !== 'call' || !CONSTANT_CALLS.has(node.args[0])) return
    const [argument] = node.args[1]
    const literal = argument?.op === '-_' ? argument.args : argument
    if (node.args[1].length === 1 && literal?.op === 'value') calls.push(node)
  })
  return calls
}
