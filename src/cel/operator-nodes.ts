import type { ASTNode } from '@marcbachmann/cel-js'

import { callCost } from './cost/call-cost.ts'
import { countCall, type CountedCall } from './cost/counted-call.ts'
import { errorsAt } from './library/library.ts'
import type { Checker, Evaluator, Replacement, Scope, TypeOf } from './library/macro.ts'
import { isEmptyList, isFolded, type Known } from './literals.ts'
import { OPERATIONS } from './operators.ts'
import type { Runtime } from './runtime.ts'

/** What is known of calls once the expression is checked, which is before it is evaluated. */
export interface CallFacts extends Known {
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
  // Nothing is in an empty list, whatever it is. Source: cel-go `interpreter/decorators.go`, maybeOptimizeSetMembership.
  if (node.op === 'in' && isEmptyList(right)) return { async: false, typeCheck, evaluate: () => false }
  let counted: CountedCall | undefined
  return {
    async: false,
    typeCheck,
    evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown {
      counted ??= {
        runtime,
        parts: node.args,
        endsAtFailure: false,
        call: ([a, b]) => errorsAt(node, () => operation(a, b, runtime)),
        cost: operatorCost(node, runtime, facts),
      }
      return countCall(counted, evaluator, scope)
    },
  }
}

function operatorCost(node: Binary, runtime: Runtime, facts: CallFacts): CountedCall['cost'] {
  const cost = callCost(node.op)
  // What costs the same whatever it is given is counted beforehand, and whether a value is one of literals is looked up at once.
  if (cost === undefined || (node.op === 'in' && isFolded(node.args[1], facts))) return () => 0
  const overloads = facts.overloadsOf(node).length === 1 ? 'single' : 'several'
  return (args, result) => cost(args, result, overloads, runtime)
}

function isBinary(node: ASTNode): node is Binary {
  return Array.isArray(node.args) && node.args.length === 2
}
