import { DYN, type Type } from '../cel/check/type.ts'
import { walkType, type TypeStep } from '../cel/check/walk-type.ts'
import type { FieldPath } from '../kube/field-path.ts'
import type { PathSteps } from './json-path.ts'

/** Reports at an offset of the text of a path. */
type Warn = (offset: number, message: string) => void

/**
 * The type of the places that a JSONPath leads to; `dyn` where it takes more than plain steps, and where it leads
 * nowhere, which is reported at the step.
 */
export function checkWalk(walk: {
  readonly type: Type
  readonly steps: PathSteps
  readonly source: string
  readonly warn: Warn
}): Type {
  return walk.steps === undefined ? DYN : follow(walk.type, walk.steps, walk.source, walk.warn)
}

/** Reports where a field relative to a target of this type leads nowhere. */
export function checkField(target: Type, field: FieldPath, source: string, warn: Warn): void {
  const steps = field.map((segment): TypeStep =>
    typeof segment === 'number' ? { kind: 'index', index: segment } : { kind: 'key', key: segment },
  )
  follow(target, steps, source, warn)
}

function follow(type: Type, steps: readonly TypeStep[], source: string, warn: Warn): Type {
  const outcome = walkType(type, steps)
  if (outcome.ok) return outcome.type
  warn(offsetOf(steps.slice(0, outcome.step + 1), source), outcome.message)
  return DYN
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
