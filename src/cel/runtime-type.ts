import { Optional } from '@marcbachmann/cel-js'

import { showType, type Type } from './check/type.ts'
import { nameOf } from './operators.ts'

const SCALARS: ReadonlySet<string> = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'duration',
  'timestamp',
  'null',
])

/**
 * May a value stand where a type is asked for? Of lists and maps the first item is looked at.
 * Source: cel-go `common/types/types.go`, IsAssignableRuntimeType.
 */
export function isOfType(value: unknown, type: Type): boolean {
  switch (type.kind) {
    case 'list':
      return Array.isArray(value) && (value.length === 0 || isOfType(value[0], type.item))
    case 'map': {
      if (!(value instanceof Map)) return false
      for (const [key, item] of value) return isOfType(key, type.key) && isOfType(item, type.value)
      return true
    }
    case 'optional':
      return value instanceof Optional
    case 'named': {
      const name = nameOf(value)
      // Types of Kubernetes' own have functions of their own.
      return name === showType(type) || !(SCALARS.has(name) || SCALARS.has(showType(type)))
    }
    default:
      return true
  }
}
