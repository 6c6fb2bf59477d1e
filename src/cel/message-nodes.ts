import { Optional, type ASTNode } from '@marcbachmann/cel-js'

import { errorsAt, FunctionError } from './library/library.ts'
import type { Replacement } from './library/macro.ts'
import { fieldName } from './message-literals.ts'
import { checkPlace, MessageValue } from './message-value.ts'

/** How the literal of an object is checked and evaluated; its keys are names. Optional fields may be left out. */
export function messageNode(
  node: ASTNode & { readonly op: 'map' },
  type: string,
  optional: ReadonlySet<number> | undefined,
): Replacement {
  return {
    async: false,
    typeCheck(checker, _, scope) {
      for (const [, value] of node.args) checker.check(value, scope)
      return checker.getType('dyn')
    },
    evaluate(evaluator, _, scope) {
      const fields = new Map<string, unknown>()
      for (const [index, [key, value]] of node.args.entries()) {
        const name = fieldName(key)
        const given = evaluator.run(value, scope)
        const field = optional?.has(index) === true ? errorsAt(value, () => valueOf(given)) : given
        if (field === undefined) fields.delete(name)
        else fields.set(name, field)
        if (type !== 'JSONPatch') errorsAt(value, () => checkPlace(field, `${type}.${name}`))
      }
      return new MessageValue(type, fields)
    },
  }
}

function valueOf(optional: unknown): unknown {
  if (!(optional instanceof Optional)) throw new FunctionError('an optional is needed behind "?"')
  return optional.hasValue() ? optional.value() : undefined
}
