import { EvaluationError, Optional, type ASTNode } from '@marcbachmann/cel-js'

import { countNodes, walk } from './ast.ts'
import type { Checked } from './check/check-expression.ts'
import { showType } from './check/type.ts'
import { evaluateAround, evaluateBy, internalsOf, isComprehension, type Comprehension } from './engine-nodes.ts'
import { callCost } from './cost/call-cost.ts'
import { isConstantName } from './literals.ts'
import { countCall, type CountedCall } from './cost/counted-call.ts'
import { LiteralMap } from './literal-map.ts'
import { errorsAt, FunctionError } from './library/library.ts'
import { TYPED, type TypedListFunction } from './library/lists.ts'
import { nameOf, negate } from './operators.ts'
import type { Runtime } from './runtime.ts'
import { isOfType } from './runtime-type.ts'
import { payForReading } from './parsing-work.ts'
import { payForKey } from './value-order.ts'
import { isSelection, select, selectOptional, type Selection } from './selections.ts'

/** What the check says of calls. */
type Calls = Pick<Checked, 'overloadsOf' | 'isNarrowed' | 'isConstant' | 'typeOf'>

/**
 * Makes a checked expression pay for what it does: for every step of a comprehension as many units as the step has
 * nodes, and for strings, lists and comparisons by their size. Map literals become Maps, which keep any key.
 */
export function instrument(root: ASTNode, runtime: Runtime, checked: Calls): void {
  walk(root, (node) => {
    const alternate = internalsOf(node).meta.alternate
    if (alternate !== undefined && isComprehension(alternate)) payForSteps(alternate, runtime)
    if (isSelection(node)) return evaluateSelection(node, runtime, checked)
    if (node.op === 'call' || node.op === 'rcall') payForReading(node, runtime)
    switch (node.op) {
      case 'map':
        evaluateBy(node, (evaluator, _, context) =>
          literalMap(node.args, runtime, (part) => evaluator.run(part, context)),
        )
        return
      case '-_':
        evaluateBy(node, (evaluator, _, context) => errorsAt(node, () => negate(evaluator.run(node.args, context))))
        return
      case 'call':
        if (checked.isNarrowed(node)) guardFirst(node, checked)
        if (node.args[0] === 'size' && node.args[1][0] !== undefined) payForSize(node.args[1][0], runtime)
        return
      case 'rcall': {
        const types = checked
          .overloadsOf(node)
          .flatMap(({ parameters: [list] }) => (list?.kind === 'list' ? [showType(list.item)] : []))
        const typed = types.length > 0 ? TYPED[node.args[0]] : undefined
        if (typed !== undefined) evaluateTyped(node, typed, types, runtime)
        else if (checked.isNarrowed(node)) guardFirst(node, checked)
        if (node.args[0] === 'size') payForSize(node.args[1], runtime)
        for (const list of countedLists(node, checked)) failWith(list, runtime)
        return
      }
      default:
    }
  })
}

/** A step costs 1 when it is taken, though it may fail; one that may lead nowhere costs when it leads somewhere. */
function evaluateSelection(node: Selection, runtime: Runtime, checked: Calls): void {
  const { handle } = internalsOf(node)
  if (handle === undefined || isConstantName(node, checked)) return
  const [operand, key] = node.args
  const choose = node.op === '.' || node.op === '[]' ? select : selectOptional
  const mayLeadNowhere = choose === selectOptional || checked.typeOf(operand).kind === 'optional'
  evaluateBy(node, (evaluator, _, context) => {
    const from = evaluator.run(operand, context)
    // Where there is nothing, nobody asks for the key.
    if (from instanceof Optional && !from.hasValue()) return from
    if (!mayLeadNowhere) runtime.spend(1)
    const by = typeof key === 'string' ? key : evaluator.run(key, context)
    payForKey(by, runtime)
    const value = errorsAt(node, () => choose(from, by, (left, right) => handle(left, right, node, evaluator)))
    if (mayLeadNowhere && value instanceof Optional && value.hasValue()) runtime.spend(1)
    return value
  })
}

/**
 * A call is one of the ways that the check chose, whatever the value turns out to be that it is made on, or given first.
 * Source: cel-go `common/decls/decls.go`, MatchesRuntimeSignature.
 */
function guardFirst(node: ASTNode & { readonly op: 'call' | 'rcall' }, { overloadsOf }: Calls): void {
  const name = node.args[0]
  const first = node.op === 'call' ? node.args[1][0] : node.args[1]
  if (first === undefined || SINGLE.has(name)) return
  const types = overloadsOf(node).flatMap(({ parameters: [type] }) => (type === undefined ? [] : [type]))
  evaluateAround(first, (evaluate) => (evaluator, _, context) => {
    const value = evaluate(evaluator, context)
    if (types.some((type) => isOfType(value, type))) return value
    return errorsAt(node, () => {
      throw new FunctionError(`no such overload: a ${nameOf(value)} has no such function here`)
    })
  })
}

/**
 * What a call counts its cost by, even where that is no list but an error; an API server then breaks off, and no `|| true` makes up
 * for it. So it does for lists that are sorted or made distinct and for the keys of `sortBy`, where their types are known beforehand. Source: cel-go `ext/lists.go`, cost
 * trackers; measured on an API server.
 */
function countedLists(
  { args: [name, list, args] }: ASTNode & { readonly op: 'rcall' },
  { typeOf }: Calls,
): readonly ASTNode[] {
  if (name === 'distinct') return [list]
  if (name !== 'sort' && name !== 'sortBy') return []
  const keys = (name === 'sortBy' ? args.slice(1) : []).filter((key) => typeOf(key).kind !== 'dyn')
  return keys.length > 0 || typeOf(list).kind === 'list' ? [list, ...keys] : []
}

/** Makes a failure of this node that of the whole expression. */
function failWith(node: ASTNode, runtime: Runtime): void {
  evaluateAround(node, (evaluate) => (evaluator, _, context) => {
    try {
      return evaluate(evaluator, context)
    } catch (error) {
      runtime.fail(error)
      throw error
    }
  })
}

function evaluateTyped(
  node: ASTNode & { readonly op: 'rcall' },
  typed: TypedListFunction,
  types: readonly string[],
  runtime: Runtime,
): void {
  const counted: CountedCall = {
    runtime,
    parts: [node.args[1]],
    endsAtFailure: true,
    call: ([list]) => errorsAt(node, () => typed(list, types, runtime)),
    cost: ([list], value) => callCost(node.args[0])?.([list], value, 'single', runtime) ?? 1,
  }
  evaluateBy(node, (evaluator, _, context) => countCall(counted, evaluator, context))
}

/** Functions that cel-go has in one implementation for all types. */
const SINGLE: ReadonlySet<string> = new Set(['size', 'sort', 'flatten'])

/** Units of work for making an error, which tells where it was made. */
const PER_FAILURE = 100

function payForSteps(node: ASTNode & { readonly args: Comprehension }, runtime: Runtime): void {
  const { args } = node
  const units = stepUnits(args.step)
  const step = internalsOf(args.step)
  const inner = step.meta.evaluate
  evaluateBy(args.step, (evaluator, ast, context) => {
    runtime.charge(units)
    try {
      return inner(evaluator, ast, context)
    } catch (error) {
      if (!runtime.exceeded) runtime.charge(PER_FAILURE)
      throw error
    }
  })
  // The keys of a map are listed before the first step.
  evaluateAround(args.iterable, (evaluate) => (evaluator, _, context) => {
    const value = evaluate(evaluator, context)
    if (value instanceof Map) runtime.charge(value.size / 2)
    else if (!Array.isArray(value)) throw new EvaluationError(`a ${nameOf(value)} is neither a list nor a map`, node)
    return value
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

/** The size of a text is counted anew each time. */
function payForSize(text: ASTNode, runtime: Runtime): void {
  evaluateAround(text, (evaluate) => (evaluator, _, context) => {
    const value = evaluate(evaluator, context)
    if (typeof value === 'string') runtime.charge(value.length / 5)
    return value
  })
}

function literalMap(
  entries: readonly (readonly ASTNode[])[],
  runtime: Runtime,
  valueOf: (part: ASTNode) => unknown,
): Map<unknown, unknown> {
  const map = new LiteralMap()
  for (const [keyPart, valuePart] of entries) {
    if (keyPart === undefined || valuePart === undefined) continue
    const key = valueOf(keyPart)
    payForKey(key, runtime)
    map.set(key, valueOf(valuePart))
  }
  return map
}
