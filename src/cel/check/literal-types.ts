import type { ASTNode } from '@marcbachmann/cel-js'

import { fieldName } from '../message-literals.ts'
import type { Checker, Scope } from './check-expression.ts'
import { DYN, listOf, mapOf, showType, type ObjectType, type Type } from './type.ts'
import { unknownField } from './unknown-field.ts'

/** The type of a field of an object, which must have it. */
export function objectField(checker: Checker, node: ASTNode, type: ObjectType, field: string): Type {
  const found = type.fields().get(field) ?? type.rest
  if (found !== undefined) return found
  return checker.report(node, 'CEL-UNKNOWN-FIELD', unknownField(type, field))
}

/** An object whose fields are named: each must be one of its type, and hold what that says. */
export function checkMessage(
  checker: Checker,
  node: ASTNode & { readonly op: 'map' },
  type: ObjectType,
  scope: Scope,
): Type {
  const optional = checker.input.optionalItems.get(node.start)
  for (const [place, [key, value]] of node.args.entries()) {
    const given = checker.check(value, scope)
    const own = optional?.has(place) === true ? unwrap(checker, value, given) : given
    const wanted = objectField(checker, key, type, fieldName(key))
    if (!checker.inference.assign(own, wanted))
      checker.report(value, 'CEL-TYPE', `this must be ${showType(wanted)}, not ${showType(own)}`)
  }
  return type
}

function unwrap(checker: Checker, item: ASTNode, type: Type): Type {
  if (type.kind === 'optional') return type.item
  if (type.kind === 'dyn' || type.kind === 'error') return type
  return checker.report(item, 'CEL-TYPE', `an optional is needed behind "?", not ${showType(type)}`)
}

/** A list of what all its items are, or of anything where they are of several types, which is for others to judge. */
export function checkList(checker: Checker, node: ASTNode & { readonly op: 'list' }, scope: Scope): Type {
  const optional = checker.input.optionalItems.get(node.start)
  let joined: Type | undefined
  for (const [place, item] of node.args.entries()) {
    const type = checker.check(item, scope)
    joined = join(checker, joined, optional?.has(place) === true ? unwrap(checker, item, type) : type)
  }
  return listOf(joined ?? checker.inference.fresh())
}

/** A map, entry by entry: what one tells of a name is known to the next. */
export function checkMap(checker: Checker, node: ASTNode & { readonly op: 'map' }, scope: Scope): Type {
  const optional = checker.input.optionalItems.get(node.start)
  let keys: Type | undefined
  let values: Type | undefined
  for (const [place, [key, value]] of node.args.entries()) {
    keys = join(checker, keys, checker.check(key, scope))
    const type = checker.check(value, scope)
    values = join(checker, values, optional?.has(place) === true ? unwrap(checker, value, type) : type)
  }
  return mapOf(keys ?? checker.inference.fresh(), values ?? checker.inference.fresh())
}

function join(checker: Checker, before: Type | undefined, type: Type): Type {
  return before === undefined ? type : (checker.inference.join(before, type) ?? DYN)
}
