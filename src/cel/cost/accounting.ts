import type { ASTNode } from '@marcbachmann/cel-js'

import { childrenOf } from '../ast.ts'
import type { Checked } from '../check/check-expression.ts'
import { evaluateAround, evaluateBy, internalsOf } from '../engine-nodes.ts'
import { isEmptyList, isFolded } from '../literals.ts'
import type { Runtime } from '../runtime.ts'
import { isSelection, type Selection } from '../selections.ts'
import { callCost, LIST_COST, MAP_COST, OBJECT_COST } from './call-cost.ts'
import { macroCost, type Counting } from './macro-cost.ts'

/** What the costs of an expression depend on besides the expression. */
export interface Accounts {
  readonly runtime: Runtime
  /** Names that the language brings: they cost nothing. */
  readonly constants: ReadonlyMap<string, unknown>
  readonly messages: ReadonlyMap<number, string>
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

/** A branch of a condition that is a name, or selected from one, costs its steps and not the name. */
function accountBranch(node: ASTNode, accounts: Accounts): void {
  const named = node.op === 'id' || isSelection(node) ? 1 : 0
  spendBefore(node, Math.max(fixedCost(node, accounts) - named, 0), accounts.runtime)
}

/** What a part costs that is evaluated with the whole. */
function fixedCost(node: ASTNode, accounts: Accounts): number {
  if (isFolded(node, accounts.messages)) return 0
  if (isSelection(node)) return selectionCost(node, accounts)
  const children = (): number => childrenOf(node).reduce((units, part) => units + fixedCost(part, accounts), 0)
  switch (node.op) {
    case 'value':
      return 0
    case 'id':
      return accounts.constants.has(node.args) ? 0 : 1
    case '&&':
    case '||':
      account(node.args[1], accounts)
      return fixedCost(node.args[0], accounts)
    case '?:':
      accountBranch(node.args[1], accounts)
      accountBranch(node.args[2], accounts)
      return fixedCost(node.args[0], accounts)
    case 'list':
      return LIST_COST + children()
    case 'map':
      return (accounts.messages.has(node.start) ? OBJECT_COST : MAP_COST) + children()
    case 'call':
      return node.args[0] === 'has' ? presenceCost(node, accounts) : countCall(node, accounts) + children()
    case 'rcall':
      return macroCost(node, countingBy(accounts)) ?? countCall(node, accounts) + children()
    case 'in':
      // Nothing is looked for in an empty list.
      if (isEmptyList(node.args[1])) return 0
      return children() + (isFolded(node.args[1], accounts.messages) && node.args[1].op === 'map' ? 1 : 0)
    default:
      // Operators whose cost depends on their values count it themselves.
      return children() + (callCost(node.op) === undefined ? 1 : 0)
  }
}

function countingBy(accounts: Accounts): Counting {
  return {
    runtime: accounts.runtime,
    fixedCost: (node) => fixedCost(node, accounts),
    account: (node) => account(node, accounts),
  }
}

/** Optional steps cost when there is something, and then count themselves. */
function selectionCost(node: Selection, accounts: Accounts): number {
  const [operand, key] = node.args
  const isOptional = node.op === '.?' || node.op === '[?]' || accounts.checked.typeOf(operand).kind === 'optional'
  const isFixed = typeof key === 'string' || isFolded(key, accounts.messages)
  const place = typeof key === 'string' ? 0 : fixedCost(key, accounts)
  return fixedCost(operand, accounts) + place + (begins(operand) ? 1 : 0) + (isFixed && !isOptional ? 1 : 0)
}

/** A selection from what is no name and no other selection costs to begin with. */
function begins(operand: ASTNode): boolean {
  return !isSelection(operand) && operand.op !== 'id'
}

/** `has(a.b)` costs what `a` does. */
function presenceCost(node: ASTNode & { readonly op: 'call' }, accounts: Accounts): number {
  const [selection] = node.args[1]
  if (selection === undefined || !isSelection(selection)) return 0
  const [operand] = selection.args
  return fixedCost(operand, accounts) + (begins(operand) ? 1 : 0)
}

type Call = ASTNode & { readonly op: 'call' | 'rcall' }

/** 1 for what costs no more whatever it is given; what does counts when it is called. */
function countCall(node: Call, { runtime, checked }: Accounts): number {
  const cost = callCost(node.args[0])
  const { handle } = internalsOf(node)
  if (cost === undefined || handle === undefined) return 1
  const overloads = checked.overloadsOf(node).length === 1 ? 'single' : 'several'
  const parts = node.op === 'call' ? node.args[1] : [node.args[1], ...node.args[2]]
  evaluateBy(node, (evaluator, _, context) => {
    const args = parts.map((part) => evaluator.run(part, context))
    const result = node.op === 'call' ? handle(args, node, evaluator) : handle(args, evaluator, node)
    runtime.spend(cost(args, result, overloads))
    return result
  })
  return 0
}
