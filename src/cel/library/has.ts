import type { ASTNode } from '@marcbachmann/cel-js'

import { MessageValue } from '../message-value.ts'
import { FunctionError } from './library.ts'
import type { Replacement } from './macro.ts'

/**
 * `has(e.f)` for any `e`, as in cel-go; the engine's own knows chains of names only. What `e` itself lacks is an error; null, strings
 * and numbers have no fields.
 * Source: cel-go `parser/macro.go`, MakeHas; `interpreter/attributes.go`, test-only selections.
 */
export function hasMacro(node: ASTNode & { readonly op: 'call' }): Replacement {
  const [selection] = node.args[1]
  const select = selection?.op === '.' || selection?.op === '.?' ? selection : undefined
  return {
    async: false,
    typeCheck(checker, _, scope) {
      if (select === undefined)
        throw checker.createError(
          'invalid_macro_argument',
          'has() takes a field selection, such as has(object.spec)',
          node,
        )
      checker.check(select, scope)
      return checker.getType('bool')
    },
    evaluate(evaluator, _, scope) {
      if (select === undefined) return false
      return hasField(evaluator.run(select.args[0], scope), select.args[1])
    },
  }
}

function hasField(value: unknown, field: string): boolean {
  if (value instanceof Map) return value.get(field) !== undefined
  if (value instanceof MessageValue) return value.fields.has(field)
  if (typeof value === 'object' && value !== null && 'hasValue' in value) return hasInOptional(value, field)
  if (Array.isArray(value)) throw new FunctionError(`there is no field "${field}" in a list`)
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
}

function hasInOptional(optional: object, field: string): boolean {
  if (!('orValue' in optional) || typeof optional.orValue !== 'function') return false
  const inner: unknown = optional.orValue(undefined)
  return inner !== undefined && hasField(inner, field)
}
