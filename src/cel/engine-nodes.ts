import type { ASTNode } from '@marcbachmann/cel-js'

import type { Checker, Replacement, Scope, TypeOf } from './library/macro.ts'

/** How the engine evaluates a node; arguments are its own. */
export type Evaluate = (evaluator: Evaluator, node: ASTNode, context: unknown) => unknown

export interface Evaluator {
  run(node: ASTNode, context: unknown): unknown
}

/** The parts of the engine's nodes that its types do not declare. */
interface NodeInternals {
  evaluate: Evaluate
  check: (checker: Checker, node: ASTNode, scope: Scope) => TypeOf
  /** What the check found for the values of the parts: it takes them, the node and the evaluator. */
  readonly handle?: (...values: readonly unknown[]) => unknown
  readonly meta: { readonly alternate?: ASTNode; readonly macro?: Macro; evaluate: Evaluate }
  setMeta(key: 'evaluate' | 'macro' | 'async', value: unknown): unknown
}

interface Macro {
  evaluate(evaluator: Evaluator, macro: Macro, context: unknown): unknown
}

/** What the engine makes of `all`, `map` and their like. */
export interface Comprehension {
  readonly iterable: ASTNode
  readonly step: ASTNode
  readonly errorsAreFatal?: boolean
  condition?: (accumulated: unknown) => boolean
}

/** Has a node checked and evaluated in another way than the engine's own. */
export function replaceMacro(node: ASTNode, macro: Replacement): void {
  const internals = internalsOf(node)
  internals.setMeta('macro', macro)
  internals.setMeta('async', macro.async)
}

/** Has the engine take a node for one of this type once it has looked up what to do with the node's parts. */
export function checkAs(node: ASTNode, type: string): void {
  const internals = internalsOf(node)
  const inner = internals.check
  internals.check = (checker, _, scope) => {
    inner.call(node, checker, node, scope)
    return checker.getType(type)
  }
}

/** How a node is evaluated from now on. */
export function evaluateBy(node: ASTNode, evaluate: Evaluate): void {
  internalsOf(node).setMeta('evaluate', evaluate)
}

/**
 * Has something done around a node's evaluation, as that will be when the whole expression is prepared; what was said
 * first is the innermost.
 */
export function evaluateAround(
  node: ASTNode,
  around: (evaluate: (evaluator: Evaluator, context: unknown) => unknown) => Evaluate,
): void {
  const internals = internalsOf(node)
  const inner = Object.hasOwn(internals, 'evaluate') ? internals.evaluate : ownEvaluation(node)
  internals.evaluate = around((evaluator, context) => inner(evaluator, node, context))
}

function ownEvaluation(node: ASTNode): Evaluate {
  const { meta } = internalsOf(node)
  return (evaluator, _, context) => {
    const { alternate, macro } = meta
    if (alternate !== undefined) return evaluator.run(alternate, context)
    return macro === undefined ? meta.evaluate(evaluator, node, context) : macro.evaluate(evaluator, macro, context)
  }
}

/** Is it what the engine makes of such a call? */
export function isComprehension(node: ASTNode): node is ASTNode & { readonly args: Comprehension } {
  const op: string = node.op
  return op === 'comprehension'
}

/** A node with the parts that the engine's types do not declare. */
export function internalsOf(node: ASTNode): NodeInternals {
  if (hasInternals(node)) return node
  throw new Error('the CEL engine has nodes of another make than this version was built for')
}

function hasInternals(node: object): node is NodeInternals {
  return 'setMeta' in node && 'evaluate' in node && 'meta' in node
}
