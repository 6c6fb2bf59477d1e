import type { ASTNode } from '@marcbachmann/cel-js'

import { childrenOf } from '../ast.ts'
import type { Checked } from '../check/check-expression.ts'
import { evaluateAround, evaluateBy, internalsOf } from '../engine-nodes.ts'
import { isConstantName, isEmptyList, isFolded, PATTERNED, type Known } from '../literals.ts'
import type { Runtime } from '../runtime.ts'
import { isSelection, type Selection } from '../selections.ts'
import { callCost, LIST_COST, MAP_COST, OBJECT_COST } from './call-cost.ts'
import { countCall, type CountedCall } from './counted-call.ts'
import { macroCost, type Counting } from './macro-cost.ts'

/** What the costs of an expression depend on besides the expression. */
export interface Accounts extends Known {
  readonly runtime: Runtime
  readonly checked: Pick<Checked, 'overloadsOf' | 'typeOf'>
}

/**
 * Has a checked part of an expression count what it costs on an API server, whenever it is evaluated. What is always
 * evaluated with it is counted at once; branches and steps when they are taken, and calls by what they are given.
 * Source: cel-go `interpreter/runtimecost.go`, CostObserver.
 */
export function account(node: ASTNode, accounts: Accounts): void {
  spendBefore(node, fixedCost(node, accounts), accounts.runtime)
}

function spendBefore(node: ASTNode, units: number, runtime: Runtime): void {
  if (units === 0) return
  evaluateAround(node, (evaluate) => (evaluator, _, context) => {
    runtime.spend(units)
    return evaluate(evaluator, context)
  })
}

function spendAfter(node: ASTNode, units: number, runtime: Runtime): void {
  evaluateAround(node, (evaluate) => (evaluator, _, context) => {
    const value = evaluate(evaluator, context)
    runtime.spend(units)
    return value
  })
}

/** What chooses a place to go on from counts itself when it is looked for. */
function accountPlace(node: ASTNode, accounts: Accounts): void {
  spendBefore(node, placeCost(node, accounts), accounts.runtime)
}

/** What a part costs that is evaluated with the whole. */
function fixedCost(node: ASTNode, accounts: Accounts): number {
  if (isFolded(node, accounts)) return 0
  if (isSelection(node)) return selectionCost(node, accounts)
  const children = (): number => allCosts(childrenOf(node), accounts)
  switch (node.op) {
    case 'value':
      return 0
    case 'id':
      return 1
    case '&&':
    case '||':
      account(node.args[1], accounts)
      return fixedCost(node.args[0], accounts)
    case '?:':
      accountPlace(node.args[1], accounts)
      accountPlace(node.args[2], accounts)
      return fixedCost(node.args[0], accounts)
    case 'list':
      return LIST_COST + children()
    case 'map':
      return (accounts.messages.has(node.start) ? OBJECT_COST : MAP_COST) + children()
    case 'call':
      return node.args[0] === 'has' ? presenceCost(node, accounts) : costOfCall(node, accounts)
    case 'rcall':
      return macroCost(node, countingBy(accounts)) ?? costOfCall(node, accounts)
    case 'in':
      // Nothing is looked for in an empty list.
      if (isEmptyList(node.args[1])) return 0
      return children() + (isFolded(node.args[1], accounts) && node.args[1].op === 'map' ? 1 : 0)
    default:
      // Operators whose cost depends on their values count it themselves.
      return children() + (callCost(node.op) === undefined ? 1 : 0)
  }
}

function allCosts(parts: readonly ASTNode[], accounts: Accounts): number {
  return parts.reduce((units, part) => units + fixedCost(part, accounts), 0)
}

function countingBy(accounts: Accounts): Counting {
  return {
    runtime: accounts.runtime,
    fixedCost: (node) => fixedCost(node, accounts),
    account: (node) => account(node, accounts),
    overloadsOf: accounts.checked.overloadsOf,
  }
}

/** Steps count themselves when they are taken. */
function selectionCost(node: Selection, accounts: Accounts): number {
  const [operand, key] = node.args
  if (typeof key !== 'string') accountPlace(key, accounts)
  return fixedCost(operand, accounts) + beginningCost(operand)
}

/** A selection from what is neither a name nor chosen by steps or a condition costs to begin with. */
function beginningCost(operand: ASTNode): number {
  return isSelection(operand) || operand.op === 'id' || operand.op === '?:' ? 0 : 1
}

/** What a part costs that is a place to go on from: where steps lead there from a name, the name costs nothing. */
function placeCost(node: ASTNode, accounts: Accounts): number {
  const named = node.op === 'id' || isSelection(node) ? 1 : 0
  return Math.max(fixedCost(node, accounts) - named, 0)
}

/** `has(a.b)` costs what leads to `a`, and 1 more when that is there, unless a condition chose it. */
function presenceCost(node: ASTNode & { readonly op: 'call' }, accounts: Accounts): number {
  const [selection] = node.args[1]
  if (selection === undefined || !isSelection(selection)) return 0
  const [operand] = selection.args
  if (operand.op !== '?:') spendAfter(node, 1, accounts.runtime)
  return placeCost(operand, accounts)
}

type Call = ASTNode & { readonly op: 'call' | 'rcall' }

/** A call costs 1 if it costs no more whatever it is given; what does is counted when it is called. */
function costOfCall(node: Call, accounts: Accounts): number {
  const { runtime, checked } = accounts
  const name = node.args[0]
  const parts = node.op === 'call' ? node.args[1] : [node.args[1], ...node.args[2]]
  const costBy = node.op === 'call' && name === 're_matches' ? undefined : callCost(name)
  const { handle } = internalsOf(node)
  if (costBy === undefined || handle === undefined) return 1 + allCosts(parts, accounts)
  const overloads = checked.overloadsOf(node).length === 1 ? 'single' : 'several'
  const values = parts.filter((part) => !isConstantName(part, accounts))
  const endsAtFailure = values.length > 2 || overloads === 'several' || hasLiteralPattern(name, values)
  const counted: CountedCall = {
    runtime,
    parts,
    endsAtFailure,
    call: (args, evaluator) => (node.op === 'call' ? handle(args, node, evaluator) : handle(args, evaluator, node)),
    cost: (args, result) => costBy(args, result, overloads, runtime),
  }
  evaluateBy(node, (evaluator, _, context) => countCall(counted, evaluator, context))
  if (!endsAtFailure) return allCosts(parts, accounts)
  for (const part of parts.slice(1)) account(part, accounts)
  return allCosts(parts.slice(0, 1), accounts)
}

/** Such calls are made in another way. Source: cel-go `interpreter/decorators.go` decRegexOptimizer. */
function hasLiteralPattern(name: string, [, pattern]: readonly ASTNode[]): boolean {
  return PATTERNED.has(name) && pattern?.op === 'value'
}
