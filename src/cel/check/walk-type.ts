import { DYN, showType, type Type } from './type.ts'
import { unknownField } from './unknown-field.ts'

/** A step of a path: to a key of a map or object, to an item of a list, or to all of either. */
export type TypeStep =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'any' }

export type WalkOutcome =
  | { readonly ok: true; readonly type: Type }
  /** `step`: the place of the step that leads nowhere. */
  | { readonly ok: false; readonly step: number; readonly message: string }

/** The type at the end of a path through values of a type; `dyn` from where on nothing is known. */
export function walkType(type: Type, steps: readonly TypeStep[]): WalkOutcome {
  let at = type
  for (const [place, step] of steps.entries()) {
    const next = follow(at, step)
    if (typeof next === 'string') return { ok: false, step: place, message: next }
    at = next
  }
  return { ok: true, type: at }
}

function follow(type: Type, step: TypeStep): Type | string {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'param':
      return DYN
    case 'list':
      return step.kind === 'key' ? `${showType(type)} has no fields, so no "${step.key}"` : type.item
    case 'map':
      return type.value
    case 'object': {
      if (step.kind === 'any') return DYN
      const field = step.kind === 'key' ? step.key : `${step.index}`
      return type.fields().get(field) ?? type.rest ?? unknownField(type, field)
    }
    case 'named':
    case 'optional':
      return `${showType(type)} has no parts, and this path goes on`
  }
}
