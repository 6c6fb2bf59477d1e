import { UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import type { ASTNode } from '@marcbachmann/cel-js'

import { issueAt } from '../issues.ts'
import type { Messages } from '../message-literals.ts'
import { messageType } from '../message-value.ts'
import type { OptionalItems } from '../optional-items.ts'
import type { CelIssue } from '../types.ts'
import { checkComprehension, isComprehension } from './comprehensions.ts'
import { operatorName, type Declarations, type Overload } from './declarations.ts'
import { createInference, substitute, type Inference, type Nulls } from './inference.ts'
import { checkList, checkMap, checkMessage, objectField } from './literal-types.ts'
import { BOOL, DYN, ERROR, INT, STRING, named, optionalOf, sameType, showType, type Type } from './type.ts'
import { suggestion } from './unknown-field.ts'

/** The names that an expression may use, each with its type; the innermost first. */
export interface Scope {
  readonly names: ReadonlyMap<string, Type>
  readonly outer?: Scope
}

/** What an expression is checked against. */
export interface CheckInput {
  readonly source: string
  readonly variables: ReadonlyMap<string, Type>
  /** Names that the language brings. */
  readonly constants: ReadonlyMap<string, Type>
  readonly declarations: Declarations
  /** Names as they were written, by those the engine has for them. */
  readonly originals: ReadonlyMap<string, string>
  readonly optionalItems: OptionalItems
  readonly messages: Messages
  readonly nulls: Nulls
}

export interface Checked {
  readonly type: Type
  /** In the order of the source; empty when the expression is well typed. */
  readonly issues: readonly CelIssue[]
  /** The type of a node of the expression. */
  readonly typeOf: (node: ASTNode) => Type
  /** The ways in which a call may be meant, as declared. */
  readonly overloadsOf: (node: ASTNode) => readonly Overload[]
  /** Are there ways to make a call with so many arguments that its types rule out? */
  readonly isNarrowed: (node: ASTNode) => boolean
  /** Is the name one that the language brings, and nothing that a macro binds? */
  readonly isConstant: (node: ASTNode) => boolean
}

/** What the parts of the checker share while one expression is checked. */
export interface Checker {
  readonly input: CheckInput
  readonly inference: Inference
  /** Overloads of calls that fit. */
  readonly overloads: Map<ASTNode, readonly Overload[]>
  /** Calls of which others did not fit. */
  readonly narrowed: Set<ASTNode>
  /** Names that the language brings. */
  readonly constants: Set<ASTNode>
  /** The type of a node, with the parameters that it has: what comes later may tell more of them. */
  check(node: ASTNode, scope: Scope): Type
  /** The type of a member's call on these types, of which the first is what it is called on. */
  callOf(node: ASTNode, name: string, types: readonly Type[]): Type
  report(node: ASTNode, code: string, message: string): Type
}

/**
 * Infers the type of every part of an expression as Kubernetes does, and tells what is wrong with it. Never throws;
 * whoever calls it has bounded the depth of the expression. Source: cel-go `checker/checker.go`.
 */
export function checkExpression(root: ASTNode, input: CheckInput): Checked {
  const types = new Map<ASTNode, Type>()
  const issues: CelIssue[] = []
  const inference = createInference(input.nulls)
  const checker: Checker = {
    input,
    inference,
    overloads: new Map(),
    narrowed: new Set(),
    constants: new Set(),
    check(node, scope) {
      const type = typeNode(checker, node, scope)
      types.set(node, type)
      return type
    },
    callOf: (node, name, types) => callOf(checker, node, { name, isMember: true, types }),
    report(node, code, message) {
      // Of a selection the field is what is wrong, not what it is selected from.
      const start = node.op === '.' || node.op === '.?' ? node.pos : node.start
      issues.push(issueAt(input.source, code, message, start, node.end))
      return ERROR
    },
  }
  // A parameter that nothing is known of in the end may be anything.
  const final = (type: Type): Type => substitute(inference.resolve(type), () => DYN)
  const type = final(checker.check(root, { names: input.variables }))
  return {
    type,
    issues,
    typeOf: (node) => final(types.get(node) ?? DYN),
    overloadsOf: (node) => checker.overloads.get(node) ?? [],
    isNarrowed: (node) => checker.narrowed.has(node),
    isConstant: (node) => checker.constants.has(node),
  }
}

function typeNode(checker: Checker, node: ASTNode, scope: Scope): Type {
  switch (node.op) {
    case 'value':
      return typeOfValue(node.args)
    case 'id':
      return lookUp(checker, node, node.args, scope)
    case '.':
    case '.?':
      return select(checker, node, scope)
    case '[]':
    case '[?]':
      return index(checker, node, scope)
    case 'call':
      return node.args[0] === 'has' ? checkHas(checker, node, scope) : call(checker, node, scope)
    case 'rcall':
      return isComprehension(node) ? checkComprehension(checker, node, scope) : call(checker, node, scope)
    case 'list':
      return checkList(checker, node, scope)
    case 'map': {
      const message = checker.input.messages.get(node.start)
      if (message === undefined) return checkMap(checker, node, scope)
      return checkMessage(checker, node, messageType(message), scope)
    }
    case '!_':
      return operator(checker, node, '!', [node.args], scope)
    case '-_':
      return operator(checker, node, '-x', [node.args], scope)
    default:
      return operator(checker, node, node.op, node.args, scope)
  }
}

function typeOfValue(value: unknown): Type {
  if (value === null) return named('null')
  switch (typeof value) {
    case 'boolean':
      return BOOL
    case 'bigint':
      return INT
    case 'number':
      return named('double')
    case 'string':
      return STRING
    default:
      return named(value instanceof UnsignedInt ? 'uint' : 'bytes')
  }
}

function lookUp(checker: Checker, node: ASTNode, name: string, scope: Scope): Type {
  const names: string[] = []
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const type = at.names.get(name)
    if (type !== undefined) return type
    names.push(...at.names.keys())
  }
  const constant = constantOf(checker, node, name)
  if (constant !== undefined && !isNamespace(constant)) return constant
  return checker.report(node, 'CEL-UNKNOWN-NAME', `unknown name "${name}"${suggestion(name, names)}`)
}

/** What a member is selected from or called on, which may be a namespace: alone that is nothing. */
function checkReceiver(checker: Checker, node: ASTNode, scope: Scope): Type {
  const constant = node.op === 'id' && !isBound(node.args, scope) ? constantOf(checker, node, node.args) : undefined
  return constant !== undefined && isNamespace(constant) ? constant : checker.check(node, scope)
}

function constantOf({ input, constants }: Checker, node: ASTNode, name: string): Type | undefined {
  const constant = input.constants.get(name)
  if (constant !== undefined) constants.add(node)
  return constant
}

function isBound(name: string, scope: Scope): boolean {
  return scope.names.has(name) || (scope.outer !== undefined && isBound(name, scope.outer))
}

function isNamespace(type: Type): boolean {
  return type.kind === 'named' && /^namespace\.|Namespace$/.test(type.name)
}

type Selection = ASTNode & { readonly op: '.' | '.?' }

function select(checker: Checker, node: Selection, scope: Scope): Type {
  const [operand, field] = node.args
  const type = checker.inference.resolve(checkReceiver(checker, operand, scope))
  const target = type.kind === 'optional' ? type.item : type
  const found = fieldOf(checker, node, target, field)
  return type.kind === 'optional' || node.op === '.?' ? optionalOf(found) : found
}

function fieldOf(checker: Checker, node: ASTNode, type: Type, field: string): Type {
  switch (type.kind) {
    case 'dyn':
    case 'error':
      return DYN
    case 'map':
      return type.value
    case 'object':
      return objectField(checker, node, type, field)
    case 'param':
      checker.inference.assign(DYN, type)
      return DYN
    case 'named':
      if (type.name.startsWith('namespace.')) return named(`${type.name}.${field}`)
      break
    default:
  }
  return checker.report(node, 'CEL-TYPE', `${showType(type)} has no fields, so no "${field}"`)
}

function index(checker: Checker, node: ASTNode & { readonly op: '[]' | '[?]' }, scope: Scope): Type {
  const [operand, key] = node.args
  const type = checker.inference.resolve(checker.check(operand, scope))
  const target = type.kind === 'optional' ? type.item : type
  if (target.kind !== 'object' || !target.isMap) return operator(checker, node, node.op, node.args, scope)
  checker.check(key, scope)
  const name = key.op === 'value' && typeof key.args === 'string' ? key.args : undefined
  const found = name === undefined ? DYN : objectField(checker, key, target, name)
  return type.kind === 'optional' || node.op === '[?]' ? optionalOf(found) : found
}

function checkHas(checker: Checker, node: ASTNode & { readonly op: 'call' }, scope: Scope): Type {
  const [selection] = node.args[1]
  if (selection !== undefined) checker.check(selection, scope)
  return BOOL
}

type Call = ASTNode & { readonly op: 'call' | 'rcall' }

function call(checker: Checker, node: Call, scope: Scope): Type {
  const isMember = node.op === 'rcall'
  const name = node.args[0]
  if (!isMember)
    return callOf(checker, node, { name, isMember, types: node.args[1].map((part) => checker.check(part, scope)) })
  // What an argument tells of a name is known before what the member is called on is looked at.
  const types = node.args[2].map((part) => checker.check(part, scope))
  return callOf(checker, node, { name, isMember, types: [checkReceiver(checker, node.args[1], scope), ...types] })
}

interface CallTypes {
  readonly name: string
  readonly isMember: boolean
  readonly types: readonly Type[]
}

function callOf(checker: Checker, node: ASTNode, { name, isMember, types }: CallTypes): Type {
  const result = resolveOverload(checker, node, { name, isMember, types })
  if (result !== undefined) return result
  const written = checker.input.originals.get(name) ?? name
  const [receiver = DYN, ...rest] = types.map((type) => checker.inference.resolve(type))
  const shown = isMember
    ? `${showType(receiver)}.${written}(${rest.map(showType).join(', ')})`
    : `${written}(${types.map(showType).join(', ')})`
  return checker.report(node, 'CEL-TYPE', `found no matching overload for '${shown}'`)
}

/** Checks an operator, or what a macro makes of a call, as the call of a function. */
function operator(checker: Checker, node: ASTNode, op: string, parts: readonly ASTNode[], scope: Scope): Type {
  const types = parts.map((part) => checker.check(part, scope))
  const result = resolveOverload(checker, node, { name: operatorName(op), isMember: false, types })
  if (result !== undefined) return result
  const [left = DYN, right] = types.map((type) => checker.inference.resolve(type))
  const shown = right === undefined ? `${op.charAt(0)}${showType(left)}` : `${showType(left)} ${op} ${showType(right)}`
  return checker.report(node, 'CEL-TYPE', `no such overload: ${shown}`)
}

/** The type of a call: that of the overload that fits, `dyn` where several do that do not give the same. */
function resolveOverload(
  { inference, input, overloads, narrowed }: Checker,
  node: ASTNode,
  { name, isMember, types }: CallTypes,
): Type | undefined {
  let result: Type | undefined
  const fitting: Overload[] = []
  for (const overload of input.declarations.get(name) ?? []) {
    if (overload.isMember !== isMember) continue
    const fresh = new Map<string, Type>()
    const instance = (type: Type): Type =>
      substitute(type, (parameter) => {
        if (parameter.startsWith('_')) return undefined
        const known = fresh.get(parameter) ?? inference.fresh()
        fresh.set(parameter, known)
        return known
      })
    if (!inference.assignAll(types, overload.parameters.map(instance))) {
      if (overload.parameters.length === types.length) narrowed.add(node)
      continue
    }
    fitting.push(overload)
    const given = inference.resolve(instance(overload.result))
    result = result === undefined || sameType(result, given) ? given : DYN
  }
  overloads.set(node, fitting)
  return result
}
