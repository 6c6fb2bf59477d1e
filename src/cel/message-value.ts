import { DYN, STRING, type ObjectType, type Type } from './check/type.ts'
import { FunctionError } from './library/library.ts'
import type { Work } from './runtime.ts'
import { equalValues, type Comparable } from './value-order.ts'

/**
 * What `Object.spec{…}` or `JSONPatch{…}` makes: fields, and the name of a type.
 * Source: k8s.io/apiserver `pkg/cel/mutation/{jsonpatch.go,dynamic/objects.go}`.
 */
export class MessageValue implements Comparable {
  readonly takesAnything = true
  readonly type: string
  readonly fields: ReadonlyMap<string, unknown>

  constructor(type: string, fields: ReadonlyMap<string, unknown>) {
    this.type = type
    this.fields = fields
  }

  /** Lists and maps within an `Object` are equal only where they are one and the same. */
  equals(other: unknown, work: Work): boolean {
    if (!(other instanceof MessageValue) || other.type !== this.type) return false
    if (other.fields.size !== this.fields.size) return false
    return [...this.fields].every(
      ([name, value]) => other.fields.has(name) && equalValues(value, other.fields.get(name), work),
    )
  }

  /** A field; of a patch, those that hold texts are empty where they are not given. */
  field(name: string): unknown {
    const value = this.fields.get(name)
    if (value !== undefined) return value
    if (this.type === 'JSONPatch' && PATCH_FIELDS.get(name) === STRING) return ''
    throw new FunctionError(`there is no field "${name}" in this ${this.type}`)
  }
}

const PATCH_FIELDS: ReadonlyMap<string, Type> = new Map([
  ['op', STRING],
  ['from', STRING],
  ['path', STRING],
  ['value', DYN],
])
const NO_FIELDS: ReadonlyMap<string, Type> = new Map()

/** The type by its name: an `Object` has any field, a patch those of a patch. */
export function messageType(name: string): ObjectType {
  const type = { kind: 'object', name, isMap: false } as const
  return name === 'JSONPatch'
    ? { ...type, fields: () => PATCH_FIELDS }
    : { ...type, fields: () => NO_FIELDS, rest: DYN }
}

/**
 * Refuses an object of another type than its place: what stands at `a` of an `Object.spec` is an `Object.spec.a`,
 * in lists and maps as well. Source: `dynamic/objects.go`, CheckTypeNamesMatchFieldPathNames.
 */
export function checkPlace(value: unknown, place: string): void {
  if (value instanceof MessageValue && value.type !== place)
    throw new FunctionError(`this is of type ${value.type}, but its place is that of ${place}`)
  const parts: Iterable<unknown> = Array.isArray(value) ? value : value instanceof Map ? value.values() : []
  for (const part of parts) checkPlace(part, place)
}
