import type { ASTNode } from '@marcbachmann/cel-js'

import { callCost } from './cost/call-cost.ts'
import { errorsAt } from './library/library.ts'
import type { Checker, Evaluator, Replacement, Scope, TypeOf } from './library/macro.ts'
import { isEmptyList, isFolded } from './literals.ts'
import type { Messages } from './message-literals.ts'
import { OPERATIONS } from './operators.ts'
import type { Runtime } from './runtime.ts'

/** What is known of calls once the expression is checked, which is before it is evaluated. */
export interface CallFacts {
  readonly messages: Messages
  overloadsOf(node: ASTNode): readonly unknown[]
}

type Binary = ASTNode & { readonly args: readonly [ASTNode, ASTNode] }

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])

/** An operator on two values as it is checked and evaluated here, in place of the engine's; undefined for other nodes. */
export function operatorNode(node: ASTNode, runtime: Runtime, facts: CallFacts): Replacement | undefined {
  const operation = Object.hasOwn(OPERATIONS, node.op) ? OPERATIONS[node.op] : undefined
  if (operation === undefined || !isBinary(node)) return undefined
  const [left, right] = node.args
  const isArithmetic = ARITHMETIC.has(node.op)
  const typeCheck = (checker: Checker, _: unknown, scope: Scope): TypeOf => {
    const a = checker.check(left, scope)
    const b = checker.check(right, scope)
    return isArithmetic ? (a.name === b.name ? a : checker.getType('dyn')) : checker.getType('bool')
  }
  // Whether a value is one of literals is looked up at once.
  const cost = node.op === 'in' && isFolded(right, facts.messages) ? undefined : callCost(node.op)
  let single: 'single' | 'several' | undefined
  // Nothing is in an empty list, whatever it is. Source: cel-go `interpreter/decorators.go`, maybeOptimizeSetMembership.
  if (node.op === 'in' && isEmptyList(right)) return { async: false, typeCheck, evaluate: () => false }
  return {
    async: false,
    typeCheck,
    evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown {
      const a = evaluator.run(left, scope)
      const b = evaluator.run(right, scope)
      const value = errorsAt(node, () => operation(a, b, runtime))
      if (cost !== undefined) {
        single ??= facts.overloadsOf(node).length === 1 ? 'single' : 'several'
        runtime.spend(cost([a, b], value, single))
      }
      return value
    },
  }
}

function isBinary(node: ASTNode): node is Binary {
  return Array.isArray(node.args) && node.args.length === 2
}
