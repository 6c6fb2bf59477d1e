import { DYN, type Type } from '../cel/check/type.ts'
import { walkType, type TypeStep } from '../cel/check/walk-type.ts'
import type { FieldPath } from '../kube/field-path.ts'
import type { PathSteps } from './json-path.ts'

/** Reports at an offset of the text of a path. */
type Warn = (offset: number, message: string) => void

/** A JSONPath through an object of a type, or through objects of others. */
export interface Walk {
  readonly object: Type
  readonly others: readonly Type[]
  readonly steps: PathSteps
  readonly source: string
  readonly warn: Warn
}

/**
 * The type of the places that a JSONPath leads to; `dyn` where it takes more than plain steps. None where it leads
 * nowhere, which is reported at the step, unless it leads somewhere in an object of another type.
 */
export function checkWalk({ object, others, steps, source, warn }: Walk): readonly Type[] {
  if (steps === undefined) return [DYN]
  const outcome = walkType(object, steps)
  if (outcome.ok) return [outcome.type]
  if (!others.some((other) => walkType(other, steps).ok))
    warn(offsetOf(steps.slice(0, outcome.step + 1), source), outcome.message)
  return []
}

/** Reports where a field relative to a target of this type leads nowhere. */
export function checkField(target: Type, field: FieldPath, source: string, warn: Warn): void {
  const steps = field.map((segment): TypeStep =>
    typeof segment === 'number' ? { kind: 'index', index: segment } : { kind: 'key', key: segment },
  )
  const outcome = walkType(target, steps)
  if (!outcome.ok) warn(offsetOf(steps.slice(0, outcome.step + 1), source), outcome.message)
}

/** Where the last of the steps is written: each comes behind the ones before it. */
function offsetOf(steps: readonly TypeStep[], source: string): number {
  let end = 0
  let start = 0
  for (const step of steps) {
    const text = step.kind === 'key' ? step.key : step.kind === 'index' ? `${step.index}` : '*'
    start = Math.max(source.indexOf(text, end), 0)
    end = start + text.length
  }
  return start
}
