import type { ASTNode } from '@marcbachmann/cel-js'

import type { Checker, Scope } from './check-expression.ts'
import { BOOL, DYN, ERROR, INT, STRING, listOf, mapOf, optionalOf, showType, type Type } from './type.ts'

type Member = ASTNode & { readonly op: 'rcall' }

/** How many names a macro binds, by its name and the number of its arguments. */
const BOUND: ReadonlyMap<string, 1 | 2> = new Map([
  ...['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter', 'optMap', 'optFlatMap', 'sortBy'].map(
    (name) => [`${name}/2`, 1] as const,
  ),
  ['map/3', 1],
  ...['all', 'exists', 'exists_one', 'existsOne', 'transformList', 'transformMap', 'transformMapEntry'].map(
    (name) => [`${name}/3`, 2] as const,
  ),
  ...['transformList', 'transformMap', 'transformMapEntry'].map((name) => [`${name}/4`, 2] as const),
])

/** Is it a call of a macro that binds names? */
export function isComprehension(node: Member): boolean {
  return BOUND.has(key(node))
}

function key({ args }: Member): string {
  return `${args[0]}/${args[2].length}`
}

/**
 * The type of a macro's call, by what cel-go expands it to. Source: cel-go `parser/macro.go`, `ext/comprehensions.go`,
 * `cel/library.go` (optMap, optFlatMap), `checker/checker.go` checkComprehension.
 */
export function checkComprehension(checker: Checker, node: Member, scope: Scope): Type {
  const [name, receiver, args] = node.args
  const given = checker.check(receiver, scope)
  const range = checker.inference.resolve(given)
  const bound = BOUND.get(key(node)) ?? 1
  const types = name.startsWith('opt')
    ? [wrapped(checker, receiver, given)]
    : itemTypes(checker, receiver, range, bound)
  const names = new Map<string, Type>()
  for (const [place, type] of types.entries()) {
    const variable = args[place]
    if (variable?.op === 'id') names.set(variable.args, type)
  }
  const inner: Scope = { names, outer: scope }
  const steps = args.slice(bound)
  const body = steps.at(-1) ?? node
  if (steps.length === 2 && steps[0] !== undefined) need(checker, steps[0], inner, BOOL)
  // A step may tell more of the names in it: then the whole is of that type.
  const made = (type: Type): Type => checker.inference.resolve(type)
  switch (name) {
    case 'all':
    case 'exists':
    case 'exists_one':
    case 'existsOne':
      need(checker, body, inner, BOOL)
      return BOOL
    case 'filter':
      need(checker, body, inner, BOOL)
      return made(listOf(types[0] ?? DYN))
    case 'sortBy':
      return checker.callOf(node, '@sortByAssociatedKeys', [given, made(listOf(checker.check(body, inner)))])
    case 'map':
    case 'transformList':
      return made(listOf(checker.check(body, inner)))
    case 'transformMap': {
      const value = checker.check(body, inner)
      return made(mapOf(types[0] ?? DYN, value))
    }
    case 'transformMapEntry':
      return need(checker, body, inner, mapOf(checker.inference.fresh(), checker.inference.fresh()))
    case 'optMap':
      return made(optionalOf(checker.check(body, inner)))
    default:
      return orNone(checker, body, checker.check(body, inner))
  }
}

/** What a name stands for in a step: one name for an item or key, two for index and item or key and value. */
function itemTypes(checker: Checker, receiver: ASTNode, range: Type, bound: 1 | 2): readonly Type[] {
  switch (range.kind) {
    case 'list':
      return bound === 1 ? [range.item] : [INT, range.item]
    case 'map':
      return bound === 1 ? [range.key] : [range.key, range.value]
    case 'dyn':
    case 'error':
      return [DYN, DYN].slice(0, bound)
    case 'param':
      checker.inference.assign(DYN, range)
      return [DYN, DYN].slice(0, bound)
    case 'object':
      if (range.isMap) return [STRING, DYN].slice(0, bound)
      break
    default:
  }
  checker.report(receiver, 'CEL-TYPE', `${showType(range)} is neither a list nor a map`)
  return [ERROR, ERROR].slice(0, bound)
}

function wrapped(checker: Checker, receiver: ASTNode, type: Type): Type {
  const item = checker.inference.fresh()
  if (checker.inference.assign(type, optionalOf(item))) return checker.inference.resolve(item)
  return checker.report(receiver, 'CEL-TYPE', `${showType(type)} is not optional`)
}

/** The type of either what a step gives or an optional without a value. */
function orNone(checker: Checker, body: ASTNode, type: Type): Type {
  const either = checker.inference.fresh()
  const none = optionalOf(checker.inference.fresh())
  if (checker.inference.assignAll([type, none], [either, either])) return checker.inference.resolve(either)
  return checker.report(body, 'CEL-TYPE', `this must give ${showType(none)}, not ${showType(type)}`)
}

/** The type of a step that must give this, a bool or a map of anything. */
function need(checker: Checker, body: ASTNode, scope: Scope, wanted: Type): Type {
  const type = checker.check(body, scope)
  if (checker.inference.assign(type, wanted)) return checker.inference.resolve(wanted)
  return checker.report(body, 'CEL-TYPE', `this must give ${showType(wanted)}, not ${showType(type)}`)
}
