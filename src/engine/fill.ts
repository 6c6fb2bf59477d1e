import { fromCel } from '../cel/environment.ts'
import { formatPath, valueAt, type FieldPath } from '../kube/field-path.ts'
import { asObject, equal, isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { JsonPatch, PatchOperation } from '../kube/json-patch.ts'
import { setPatch } from '../kube/set-patch.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import type { BoundPolicy } from '../policy/policy-set.ts'
import type { DefaultRule } from '../policy/policy.ts'
import type { Filled } from './decision.ts'
import { targetsOf } from './evaluate-policy.ts'
import { annotationPatch, asSent, readFilled, recordOf } from './filled-annotation.ts'
import { OldPlaces } from './old-place.ts'
import type { AdmissionRequest } from './request.ts'
import { evaluate, meetsConditions, policyScope, requestScope, type PolicyScope } from './scope.ts'
import { removeValue, setValue } from './set-value.ts'

/** A default may rest on another (a per-try timeout on a timeout); longer chains than this are none. */
const MOST_ROUNDS = 8

export interface Completed {
  /** The object with its defaults, the annotation included. */
  readonly object: JsonObject
  readonly patch: JsonPatch
  readonly filled: readonly Filled[]
}

/**
 * Fills the defaults of the bound policies that apply, until nothing more is absent. Only absent fields are written;
 * on UPDATE only where nothing that worked before can change: in places that the old object does not have, or with the
 * very value that the old object has there. Filling a second time fills nothing. A default that cannot be evaluated
 * fills nothing either: its validating twin says what is missing. Never throws.
 */
export function fillDefaults(
  request: AdmissionRequest,
  object: JsonObject,
  mesh: MeshContext,
  applicable: readonly BoundPolicy[],
): Completed {
  const filling = new Filling(request, object)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = filling.filled.length
    const scope = requestScope(request, mesh, filling.object)
    for (const bound of applicable) {
      const { program } = bound.policy
      if (program === undefined || program.defaults.length === 0 || bound.defaultsAction === 'Off') continue
      const policy = policyScope(scope, bound, program)
      if (meetsConditions(policy) === true) for (const rule of program.defaults) filling.apply(policy, rule)
    }
    if (filling.filled.length === before) break
  }
  return filling.complete()
}

class Filling {
  object: JsonObject
  readonly filled: Filled[] = []
  private readonly patch: PatchOperation[] = []
  private readonly original: JsonObject
  private readonly old: JsonObject | null
  private readonly places: OldPlaces | undefined
  private readonly filledBefore: ReadonlyMap<string, Json>

  constructor(request: AdmissionRequest, object: JsonObject) {
    this.object = object
    this.old = request.operation === 'UPDATE' ? request.oldObject : null
    this.original = this.old === null ? object : asSent(object, this.old)
    this.places = this.old === null ? undefined : new OldPlaces(this.original, this.old)
    this.filledBefore = new Map(
      this.old === null ? [] : readFilled(this.old).entries.map(({ field, value }) => [field, value]),
    )
  }

  /** Fills what one rule fills. Targets are those of the round's object; what is absent is asked of the newest. */
  apply(scope: PolicyScope, rule: DefaultRule): void {
    for (const target of targetsOf(scope, rule)) {
      if (target.kind === 'error') continue
      for (const { field, program } of rule.set) {
        const path = [...target.path, ...field]
        if (!this.isAbsent(path)) continue
        const outcome = evaluate(scope, program, target.seen)
        if (!outcome.ok) continue
        const computed = fromCel(outcome.value)
        const choice = computed === null ? undefined : this.choose(path, computed)
        if (choice !== undefined) this.write(scope, path, choice, rule.note)
      }
    }
  }

  complete(): Completed {
    const { filled } = this
    const annotation = annotationPatch(this.object, recordOf(this.object, this.old, filled))
    const object = annotation.length === 0 ? this.object : annotated(this.object, annotation)
    return { object, patch: [...this.patch, ...annotation], filled }
  }

  private isAbsent(path: FieldPath): boolean {
    const value = valueAt(this.object, path)
    if (value !== undefined && value !== null) return false
    let depth = path.length - 1
    while (depth > 0 && (valueAt(this.object, path.slice(0, depth)) ?? null) === null) depth -= 1
    // A parent of another type than an object is the person's own mistake: a rule says so, a default leaves it.
    if (!isObject(valueAt(this.object, path.slice(0, depth))) || typeof path[depth] === 'number') return false
    // Of a list that is missing only the first item can be made.
    return path.slice(depth).every((segment) => typeof segment === 'string' || segment === 0)
  }

  /** The value to fill, if one may be filled here. */
  private choose(path: FieldPath, computed: Json): { value: Json; restored: boolean } | undefined {
    if (this.places === undefined || this.old === null) return { value: computed, restored: false }
    const parent = this.existingParent(path)
    const oldParent = this.places.find(parent)
    if (oldParent === undefined || valueAt(this.old, oldParent) === undefined)
      return { value: computed, restored: false }
    const oldPath = [...oldParent, ...path.slice(parent.length)]
    const oldValue = valueAt(this.old, oldPath)
    if (oldValue === undefined) return undefined
    const ours = this.filledBefore.get(formatPath(oldPath))
    const unchanged = equal(oldValue, computed) || (ours !== undefined && equal(oldValue, ours))
    return unchanged ? { value: oldValue, restored: true } : undefined
  }

  /** The deepest part of the path that the object as it came already had. */
  private existingParent(path: FieldPath): FieldPath {
    let depth = path.length - 1
    while (depth > 0 && !isContainer(valueAt(this.original, path.slice(0, depth)))) depth -= 1
    return path.slice(0, depth)
  }

  private write(
    scope: PolicyScope,
    path: FieldPath,
    choice: { value: Json; restored: boolean },
    note: string | undefined,
  ): void {
    this.patch.push(...setPatch(this.object, path, choice.value))
    this.object = asObject(setValue(this.object, path, choice.value))
    const { code, name } = scope.bound.policy
    this.filled.push({
      field: formatPath(path),
      path,
      value: choice.value,
      code,
      policy: name,
      ...(note === undefined ? {} : { note }),
      ...(choice.restored ? { restored: true } : {}),
    })
  }
}

/** The object after the operations on its annotation, which are at most one. */
function annotated(object: JsonObject, patch: JsonPatch): JsonObject {
  let result: Json = object
  for (const operation of patch) {
    const path = operation.path
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    result = operation.op === 'remove' ? removeValue(result, path) : setValue(result, path, operation.value)
  }
  return isObject(result) ? result : object
}

function isContainer(value: Json | undefined): boolean {
  return isObject(value) || isList(value)
}
