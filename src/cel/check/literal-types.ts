import type { ASTNode } from '@marcbachmann/cel-js'

import { fieldName } from '../message-literals.ts'
import type { Checker, Scope } from './check-expression.ts'
import { DYN, showType, type ObjectType, type Type } from './type.ts'
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

/** The one type of all items of a literal; `dyn` where they have several, which is for others to judge. */
export function joinItems(
  checker: Checker,
  literal: ASTNode,
  items: readonly ASTNode[],
  scope: Scope,
  mayBeOptional: boolean,
): Type {
  const optional = mayBeOptional ? checker.input.optionalItems.get(literal.start) : undefined
  let joined: Type | undefined
  for (const [place, item] of items.entries()) {
    const type = checker.check(item, scope)
    const own = optional?.has(place) === true ? unwrap(checker, item, type) : type
    joined = joined === undefined ? own : (checker.inference.join(joined, own) ?? DYN)
  }
  return joined ?? checker.inference.fresh()
}
