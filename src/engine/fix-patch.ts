import { fromCel } from '../cel/environment.ts'
import type { CelProgram } from '../cel/types.ts'
import { toPointer, valueAt, type FieldPath } from '../kube/field-path.ts'
import { asList, isList, isObject, type Json } from '../kube/json.ts'
import type { JsonPatch, PatchOperation } from '../kube/json-patch.ts'
import { setPatch } from '../kube/set-patch.ts'
import type { FixStep } from '../policy/policy.ts'
import { evaluate, type Place, type PolicyScope } from './scope.ts'
import { removeValue, setValue } from './set-value.ts'

/**
 * The fix of a finding as a JSON Patch on the object as it was judged; each step goes on from what the ones before it
 * leave. A value that can't be computed, or is null, leaves the finding without a fix: half a fix is none.
 */
export function fixPatch(scope: PolicyScope, steps: readonly FixStep[], target: Place): JsonPatch {
  const patch: PatchOperation[] = []
  let root = scope.root
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1
    const path = [...target.path, ...step.path]
    if (step.op === 'set') {
      const value = 'program' in step ? compute(scope, step.program, target) : step.value
      if (value === undefined || value === null || isOutOfReach(root, path)) return []
      patch.push(...setPatch(root, path, value))
      if (!isLast) root = setValue(root, path, value)
    } else if (valueAt(root, path) !== undefined) {
      const goes = step.op === 'prune' ? pruned(root, path, step.besides) : path
      patch.push({ op: 'remove', path: toPointer(goes) })
      if (!isLast) root = removeValue(root, goes)
    }
  }
  return patch
}

function compute(scope: PolicyScope, program: CelProgram, target: Place): Json | undefined {
  const outcome = evaluate(scope, program, target.seen)
  return outcome.ok ? fromCel(outcome.value) : undefined
}

/** Does a path lead to a key of a list, or to an item with none before it? There nothing can be put. */
function isOutOfReach(root: Json, path: FieldPath): boolean {
  return path.some((segment, depth) => {
    const parent = valueAt(root, path.slice(0, depth))
    if (typeof segment === 'string') return isList(parent)
    return isObject(parent) || segment > asList(parent).length
  })
}

/** The highest part of a path that holds nothing but what is to go (and the fields named in `besides`). */
function pruned(root: Json, path: FieldPath, besides: readonly string[]): FieldPath {
  let goes = path
  while (goes.length > 1) {
    const parent = goes.slice(0, -1)
    const key = goes.at(-1)
    const value = valueAt(root, parent)
    const alone = isList(value)
      ? value.length === 1
      : isObject(value) && Object.keys(value).every((name) => name === key || besides.includes(name))
    if (!alone) return goes
    goes = parent
  }
  return goes
}
