import { EvaluationError, type ASTNode } from '@marcbachmann/cel-js'

import { countNodes, walk } from './ast.ts'
import { LiteralMap } from './literal-map.ts'
import type { Runtime } from './runtime.ts'
import { isTime } from './value-order.ts'

/** How the engine evaluates a node; arguments are its own. */
type Evaluate = (evaluator: Evaluator, node: ASTNode, context: unknown) => unknown

interface Evaluator {
  run(node: ASTNode, context: unknown): unknown
}

/** The parts of the engine's nodes that its types do not declare. */
interface NodeInternals {
  evaluate: Evaluate
  readonly meta: { readonly alternate?: ASTNode; evaluate: Evaluate }
  setMeta(key: 'evaluate' | 'macro', value: unknown): unknown
}

interface Comprehension {
  readonly iterable: ASTNode
  readonly step: ASTNode
  readonly errorsAreFatal?: boolean
  condition?: (accumulated: unknown) => boolean
}

/**
 * Makes a checked expression pay for what it does: for every step of a comprehension as many units as the step has
 * nodes, and for strings, lists and comparisons by their size. Map literals become Maps, which keep any key.
 */
export function instrument(root: ASTNode, runtime: Runtime): void {
  walk(root, (node) => {
    const alternate = internalsOf(node).meta.alternate
    if (alternate !== undefined && isComprehension(alternate)) payForSteps(alternate, runtime)
    switch (node.op) {
      case 'map':
        evaluateBy(node, (evaluator, _, context) => literalMap(evaluator, node.args, context))
        return
      case '+':
        payForSize(node, runtime)
        keepInRange(node)
        return
      case '-':
      case '/':
      case '-_':
        keepInRange(node)
        return
      case 'call':
        if (node.args[0] === 'int') keepInRange(node)
        return
      case '==':
      case '!=':
      case 'in':
        payForSize(node, runtime)
        return
      case 'rcall':
        if (SIZED.has(node.args[0])) payForSize(node, runtime)
        return
      default:
    }
  })
}

/** Functions of the engine that go through a whole string. */
const SIZED = new Set(['startsWith', 'endsWith', 'size'])

function payForSteps(node: ASTNode & { readonly args: Comprehension }, runtime: Runtime): void {
  const { args } = node
  const units = stepUnits(args.step)
  const step = internalsOf(args.step)
  const inner = step.meta.evaluate
  evaluateBy(args.step, (evaluator, ast, context) => {
    runtime.charge(units)
    return inner(evaluator, ast, context)
  })
  // `all` and `exists` swallow the errors of single steps; without units left they stop at once.
  const goesOn = args.condition
  if (goesOn !== undefined) args.condition = (accumulated) => !runtime.exceeded && goesOn(accumulated)
}

/** The engine pushes results of a step by a node of its own around it. */
function stepUnits(step: ASTNode): number {
  const pushed: unknown = step.args
  const op: string = step.op
  return op === 'accuPush' && isNode(pushed) ? 1 + countNodes(pushed) : countNodes(step)
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function payForSize(node: ASTNode, runtime: Runtime): void {
  const inner = internalsOf(node).meta.evaluate
  evaluateBy(node, (evaluator, ast, context) => {
    const value = inner(evaluator, ast, context)
    runtime.charge(1 + sizeOf(value))
    return value
  })
}

/** What the engine does not see to: integers have 64 bits, timestamps are of the years 1 to 9999. */
function keepInRange(node: ASTNode): void {
  const inner = internalsOf(node).meta.evaluate
  evaluateBy(node, (evaluator, ast, context) => {
    const value = inner(evaluator, ast, context)
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
      throw new EvaluationError('integer overflow', ast)
    if (isTime(value) && !isBetweenYears(value.getTime())) throw new EvaluationError('timestamp overflow', ast)
    return value
  })
}

// cel-go `common/types/timestamp.go`, in milliseconds.
const FIRST_TIME = -62_135_596_800_000
const LAST_TIME = 253_402_300_799_999

function isBetweenYears(milliseconds: number): boolean {
  return milliseconds >= FIRST_TIME && milliseconds <= LAST_TIME
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Math.ceil(value.length / 10)
  return Array.isArray(value) ? value.length : 0
}

function literalMap(
  evaluator: Evaluator,
  entries: readonly (readonly ASTNode[])[],
  context: unknown,
): Map<unknown, unknown> {
  const map = new LiteralMap()
  for (const [key, value] of entries) {
    if (key === undefined || value === undefined) continue
    map.set(evaluator.run(key, context), evaluator.run(value, context))
  }
  return map
}

/** Gives a call another macro than the engine's own. */
export function replaceMacro(node: ASTNode, macro: object): void {
  internalsOf(node).setMeta('macro', macro)
}

function evaluateBy(node: ASTNode, evaluate: Evaluate): void {
  internalsOf(node).setMeta('evaluate', evaluate)
}

function isComprehension(node: ASTNode): node is ASTNode & { readonly args: Comprehension } {
  const op: string = node.op
  return op === 'comprehension'
}

function internalsOf(node: ASTNode): NodeInternals {
  if (hasInternals(node)) return node
  throw new Error('the CEL engine has nodes of another make than this version was built for')
}

function hasInternals(node: object): node is NodeInternals {
  return 'setMeta' in node && 'evaluate' in node && 'meta' in node
}
