import { nearestName } from '../../kube/nearest-name.ts'
import type { ObjectType } from './type.ts'

/** That an object has no such field, and what was probably meant. */
export function unknownField(type: ObjectType, field: string): string {
  return `unknown field "${field}" in ${type.name}${suggestion(field, [...type.fields().keys()])}`
}

/** The end of a sentence about an unknown name: the nearest one that is known, or all of a few. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  if (nearest !== undefined) return `; did you mean "${nearest}"?`
  return known.length > 0 && known.length <= 12 ? `; known are ${known.join(', ')}` : ''
}
