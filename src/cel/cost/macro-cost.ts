import type { ASTNode } from '@marcbachmann/cel-js'

import type { Overload } from '../check/declarations.ts'
import type { Type } from '../check/type.ts'
import { evaluateAround, evaluateBy, internalsOf, isComprehension, type Comprehension } from '../engine-nodes.ts'
import type { Runtime } from '../runtime.ts'
import { comparisonCost, sizeOf } from './call-cost.ts'
import { STEP } from './step-cost.ts'

type Member = ASTNode & { readonly op: 'rcall' }

/** How parts of a macro's call are counted. */
export interface Counting {
  readonly runtime: Runtime
  /** What a part costs that is evaluated with the whole. */
  readonly fixedCost: (node: ASTNode) => number
  /** Has a part count itself whenever it is evaluated. */
  readonly account: (node: ASTNode) => void
  /** The ways in which the check found a call possible. */
  readonly overloadsOf: (node: ASTNode) => readonly Overload[]
}

/** The fixed cost of a macro's call, whose steps count themselves; undefined for other calls. */
export function macroCost(node: Member, counting: Counting): number | undefined {
  const { runtime, fixedCost, account } = counting
  const [name, receiver, args] = node.args
  const { alternate, macro } = internalsOf(node).meta
  const steps = (from: number): void => {
    for (const step of args.slice(from)) account(step)
  }
  if (alternate !== undefined && isComprehension(alternate)) {
    steps(1)
    countSteps(name, alternate.args, runtime)
    countResult(node, runtime)
    return fixedCost(receiver)
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
      countSorting(node, counting)
      return fixedCost(receiver) + 3
    case 'none':
      return macro === undefined ? undefined : 1
    default:
  }
  if (macro === undefined) return undefined
  steps(2)
  countResult(node, runtime)
  return fixedCost(receiver)
}

/** To read the result of all steps costs 1, or 2 where it is compared: once there is something to go through. */
function countResult({ args: [name, receiver] }: Member, runtime: Runtime): void {
  const units = name === 'existsOne' || name === 'exists_one' ? 2 : 1
  evaluateAround(receiver, (evaluate) => (evaluator, _, context) => {
    const range = evaluate(evaluator, context)
    runtime.spend(units)
    return range
  })
}

/** To sort by keys of one known type costs what comparing each with each does. */
function countSorting(node: Member, { runtime, overloadsOf }: Counting): void {
  const [overload, ...others] = overloadsOf(node)
  const keys = others.length === 0 ? overload?.parameters[1] : undefined
  evaluateAround(node, (evaluate) => (evaluator, _, context) => {
    const sorted = evaluate(evaluator, context)
    runtime.spend(keys === undefined ? 1 : comparisonCost(sizeOf(sorted), isTextual(keys)))
    return sorted
  })
}

function isTextual(keys: Type): boolean {
  return keys.kind === 'list' && keys.item.kind === 'named' && ['string', 'bytes'].includes(keys.item.name)
}

function countSteps(name: string, comprehension: Comprehension, runtime: Runtime): void {
  const { step } = comprehension
  switch (name) {
    case 'all':
    case 'exists': {
      const test = name === 'all' ? STEP.allTest : STEP.existsTest
      spendAt(step, test + STEP.quantified, runtime)
      spendAtEnd(comprehension, test, runtime)
      return
    }
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

/** What decides before the last step does so by one test more. */
function spendAtEnd(comprehension: Comprehension, units: number, runtime: Runtime): void {
  const goesOn = comprehension.condition
  if (goesOn === undefined) return
  comprehension.condition = (accumulated) => {
    if (goesOn(accumulated)) return true
    runtime.spend(units)
    return false
  }
}
