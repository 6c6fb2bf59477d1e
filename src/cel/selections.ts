import { Optional, type ASTNode } from '@marcbachmann/cel-js'
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { MessageValue } from './message-value.ts'
import { nameOf } from './operators.ts'
import { FunctionError } from './library/library.ts'

/** How the engine selects: whatever is no map or list, and all errors, are left to it. */
export type Select = (operand: unknown, key: unknown) => unknown

/**
 * A field of a map (`.`) or an item (`[]`) of a map or list. Lists take any whole number as the place.
 * Source: cel-go `interpreter/attributes.go`, refQualify; `common/types/list.go`, Get.
 */
export function select(operand: unknown, key: unknown, engine: Select): unknown {
  if (operand instanceof Optional) return selectWithin(operand, key, engine)
  if (operand instanceof Map) {
    const value: unknown = operand.get(key)
    return value === undefined ? engine(operand, key) : value
  }
  if (operand instanceof MessageValue && typeof key === 'string') return operand.field(key)
  return engine(operand, Array.isArray(operand) ? placeOf(key) : key)
}

/** Types of which the key of a map may be; a double may be one of a whole number. */
const KEYS: ReadonlySet<string> = new Set(['string', 'int', 'uint', 'bool', 'double'])

/** The same behind a question mark: nothing where there is no such key. A list has places only. */
export function selectOptional(operand: unknown, key: unknown, engine: Select): unknown {
  if (operand instanceof Optional) return selectWithin(operand, key, engine)
  if (operand instanceof Map) {
    const value: unknown = operand.get(key)
    if (value === undefined && !KEYS.has(nameOf(key))) throw new FunctionError(`a map has no ${nameOf(key)} as a key`)
    return value === undefined ? Optional.none() : Optional.of(value)
  }
  if (!Array.isArray(operand)) {
    if (!KEYS.has(nameOf(key))) throw new FunctionError(`a ${nameOf(key)} is no key`)
    return engine(operand, key)
  }
  const place = placeOf(key)
  if (typeof place !== 'bigint') throw new FunctionError(`a list has no ${nameOf(key)} as a place`)
  return engine(operand, place)
}

/** Of what an optional has, as behind a question mark. */
function selectWithin(optional: Optional, key: unknown, engine: Select): unknown {
  if (!optional.hasValue()) return optional
  const value: unknown = optional.value()
  if (!KEYS.has(nameOf(key))) throw new FunctionError(`a ${nameOf(key)} is no key`)
  const within = value instanceof Map || Array.isArray(value)
  return within ? selectOptional(value, key, () => engine(optional, placeOf(key))) : engine(optional, key)
}

function placeOf(key: unknown): unknown {
  if (key instanceof UnsignedInt) return key.value
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key
}

/** `a.b`, `a[b]`, and either behind a question mark. */
export type Selection = ASTNode & { readonly op: '.' | '.?' | '[]' | '[?]' }

/** Is the node a selection? */
export function isSelection(node: ASTNode): node is Selection {
  return node.op === '.' || node.op === '.?' || node.op === '[]' || node.op === '[?]'
}
