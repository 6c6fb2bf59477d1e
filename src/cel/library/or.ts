import { Optional, type ASTNode } from '@marcbachmann/cel-js'

import type { Replacement } from './macro.ts'

type Member = ASTNode & { readonly op: 'rcall' }

/** Is it `optional.or(other)` or `optional.orValue(other)`? */
export function isAlternative(node: ASTNode): node is Member {
  return node.op === 'rcall' && (node.args[0] === 'or' || node.args[0] === 'orValue') && node.args[2].length === 1
}

/**
 * What an optional has, or else the other, which is looked at only then; what is no optional is taken as it is.
 * Source: cel-go `cel/library.go`, evalOptionalOr, evalOptionalOrValue.
 */
export function alternativeMacro({ args: [name, first, [other = first]] }: Member): Replacement {
  return {
    async: false,
    typeCheck(checker, _, scope) {
      for (const part of [first, other]) checker.check(part, scope)
      return checker.getType('dyn')
    },
    evaluate(evaluator, _, scope) {
      const value = evaluator.run(first, scope)
      if (!(value instanceof Optional)) return value
      if (!value.hasValue()) return evaluator.run(other, scope)
      return name === 'or' ? value : value.value()
    },
  }
}
