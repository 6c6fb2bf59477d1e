import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import { showType, type Type } from './check/type.ts'
import { issueAt } from './issues.ts'
import type { CelIssue } from './types.ts'

const CLAUSE = /%(?:%|(?:\.\d+)?([^]?))/g
const INTEGERS = ['int', 'uint']

/** The types that a clause of a format takes; anything for `%s`. Source: cel-go `ext/formatting.go`, stringFormatChecker. */
const TAKEN: Readonly<Record<string, readonly string[] | 'any'>> = {
  s: 'any',
  d: INTEGERS,
  o: INTEGERS,
  b: [...INTEGERS, 'bool'],
  x: [...INTEGERS, 'string', 'bytes'],
  X: [...INTEGERS, 'string', 'bytes'],
  e: ['double', 'string'],
  f: ['double', 'string'],
}

/**
 * Formats that are literals, with a literal list of arguments: Kubernetes compares their number and their types with
 * what the format asks for when a policy is compiled.
 */
export function checkFormats(root: ASTNode, source: string, typeOf: (node: ASTNode) => Type): readonly CelIssue[] {
  const issues: CelIssue[] = []
  walk(root, (node) => {
    if (node.op !== 'rcall' || node.args[0] !== 'format') return
    const [, format, [list]] = node.args
    if (format.op !== 'value' || typeof format.args !== 'string' || list?.op !== 'list') return
    const problem = problemOf(
      format.args,
      list.args.map((arg) => showType(typeOf(arg))),
    )
    if (problem !== undefined) issues.push(issueAt(source, 'CEL-LITERAL', problem, node.start, node.end))
  })
  return issues
}

function problemOf(format: string, types: readonly string[]): string | undefined {
  let used = 0
  for (const [clause, letter] of format.matchAll(CLAUSE)) {
    if (letter === undefined) continue
    const type = types[used]
    const taken = TAKEN[letter]
    if (type === undefined) return `the format asks for more than ${types.length} arguments`
    if (taken === undefined) return `"${clause}" is no clause of a format`
    if (taken !== 'any' && type !== 'dyn' && !taken.includes(type)) return `"${clause}" does not take ${type}`
    used += 1
  }
  return used < types.length ? `the format asks for ${used} arguments, not ${types.length}` : undefined
}
