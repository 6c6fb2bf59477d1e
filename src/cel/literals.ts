import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import { issueAt } from './issues.ts'
import { compilePattern } from './library/regex.ts'
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
