import type { ASTNode } from '@marcbachmann/cel-js'

import { evaluateBy, internalsOf, isComprehension, type Comprehension } from '../engine-nodes.ts'
import type { Runtime } from '../runtime.ts'
import { STEP } from './step-cost.ts'

type Member = ASTNode & { readonly op: 'rcall' }

/** How parts of a macro's call are counted. */
export interface Counting {
  readonly runtime: Runtime
  /** What a part costs that is evaluated with the whole. */
  readonly fixedCost: (node: ASTNode) => number
  /** Has a part count itself whenever it is evaluated. */
  readonly account: (node: ASTNode) => void
}

/** The fixed cost of a macro's call, whose steps count themselves; undefined for other calls. */
export function macroCost(node: Member, { runtime, fixedCost, account }: Counting): number | undefined {
  const [name, receiver, args] = node.args
  const { alternate, macro } = internalsOf(node).meta
  const steps = (from: number): void => {
    for (const step of args.slice(from)) account(step)
  }
  if (alternate !== undefined && isComprehension(alternate)) {
    steps(1)
    countSteps(name, alternate.args, runtime)
    return fixedCost(receiver) + (name === 'exists_one' ? 2 : 1)
  }
  switch (name) {
    case 'or':
    case 'orValue':
      steps(0)
      return fixedCost(receiver)
    case 'optMap':
    case 'optFlatMap':
      // It asks whether there is something, and then for it: the macro counts its receiver twice.
      steps(1)
      account(receiver)
      return 1
    case 'sortBy':
      steps(1)
      return fixedCost(receiver) + 3
    case 'none':
      return macro === undefined ? undefined : 1
    default:
  }
  if (macro === undefined) return undefined
  steps(2)
  return fixedCost(receiver) + (name === 'existsOne' || name === 'exists_one' ? 2 : 1)
}

function countSteps(name: string, comprehension: Comprehension, runtime: Runtime): void {
  const { step } = comprehension
  switch (name) {
    case 'all':
    case 'exists':
      spendAt(step, STEP.quantified, runtime)
      spendBefore(comprehension, name === 'all' ? STEP.allTest : STEP.existsTest, runtime)
      return
    case 'exists_one':
      spendAt(branchOf(step), STEP.counted, runtime)
      return
    case 'filter':
      spendAt(branchOf(step), STEP.filtered, runtime)
      return
    default:
      spendAt(branchOf(step), STEP.listed, runtime)
  }
}

/** What the engine does where the condition of a step holds; the step itself where it has none. */
function branchOf(step: ASTNode): ASTNode {
  return step.op === '?:' ? step.args[1] : step
}

function spendAt(node: ASTNode, units: number, runtime: Runtime): void {
  const inner = internalsOf(node).meta.evaluate
  evaluateBy(node, (evaluator, ast, context) => {
    runtime.spend(units)
    return inner(evaluator, ast, context)
  })
}

function spendBefore(comprehension: Comprehension, units: number, runtime: Runtime): void {
  const goesOn = comprehension.condition
  if (goesOn === undefined) return
  comprehension.condition = (accumulated) => {
    runtime.spend(units)
    return goesOn(accumulated)
  }
}
