import { celValue, fromCel } from '../cel/environment.ts'
import type { CelProgram, CelRuntimeError } from '../cel/types.ts'
import { parseField, type FieldPath } from '../kube/field-path.ts'
import { asList, asObject, isObject, own, type Json, type JsonObject } from '../kube/json.ts'
import type { JsonPatch, PatchOperation } from '../kube/json-patch.ts'
import { readActions } from '../policy/policy-head.ts'
import type { Action, Places, Validation } from '../policy/policy.ts'
import type { RelatedObject } from './decision.ts'
import { fixPatch } from './fix-patch.ts'
import { whyUnknown } from './mesh-knowledge.ts'
import { evaluate, placesAt, type Place, type PolicyScope } from './scope.ts'

/** What a rule found, before anybody decides what that leads to. */
export type RawFinding =
  | {
      readonly kind: 'fail'
      readonly path: FieldPath
      readonly message: string
      readonly remediation: string
      readonly fix: JsonPatch
      readonly related: readonly RelatedObject[]
      readonly atMost: Action | undefined
      /** Where else the same was found, counted in the message and told of no further. */
      readonly alsoAt: readonly FieldPath[]
    }
  | { readonly kind: 'error'; readonly path: FieldPath; readonly message: string }
  /** The mesh is not known well enough now. */
  | { readonly kind: 'unknown'; readonly path: FieldPath; readonly message: string }
  /** Not enough is known to judge this place. */
  | { readonly kind: 'skip'; readonly path: FieldPath }

/** Everything that the validations of one policy find in the object of its scope. Never throws. */
export function findAll(scope: PolicyScope): readonly RawFinding[] {
  const found: RawFinding[] = []
  for (const validation of scope.program.validations) {
    const unknown = whyNotNow(scope, validation)
    if (unknown !== undefined) {
      found.push({ kind: 'unknown', path: [], message: unknown })
      continue
    }
    for (const target of targetsOf(scope, validation)) {
      if (target.kind === 'error') found.push(target)
      else checkTarget(scope, validation, target, found)
    }
  }
  return found
}

/** Why a validation cannot be judged in the mesh as it is known now. Those beside it, which read nothing of that, can. */
function whyNotNow({ program, sight }: PolicyScope, { when, check }: Validation): string | undefined {
  if (program.functions.size === 0) return undefined
  return whyUnknown([...program.variables.map((variable) => variable.program), when, check.program], sight)
}

/** The places that a rule walks to and whose `when` holds; an error where that could not be decided. */
export function* targetsOf(
  scope: PolicyScope,
  places: Places,
): Iterable<(Place & { readonly kind: 'target' }) | (RawFinding & { readonly kind: 'error' })> {
  for (const place of placesOf(scope, places)) {
    if (places.when !== undefined) {
      const outcome = evaluate(scope, places.when, place.seen)
      if (!outcome.ok) {
        yield failedAt(place.path, outcome.error)
        continue
      }
      if (outcome.value !== true) continue
    }
    yield { kind: 'target', ...place }
  }
}

function placesOf(scope: PolicyScope, { forEach }: Places): readonly Place[] {
  if (forEach.length === 0) return [{ path: [], value: scope.root, seen: celValue(scope.root) }]
  const [first, ...more] = forEach.map((path) => placesAt(scope, path))
  return more.length === 0 && first !== undefined ? first : [first ?? [], ...more].flat()
}

function checkTarget(scope: PolicyScope, validation: Validation, target: Place, found: RawFinding[]): void {
  const { check } = validation
  const outcome = evaluate(scope, check.program, target.seen)
  if (!outcome.ok) {
    found.push(failedAt([...target.path, ...validation.field], outcome.error))
    return
  }
  switch (check.kind) {
    case 'expression':
      if (outcome.value !== true) found.push(failure(scope, validation, target))
      return
    case 'findings':
      for (const item of asList(fromCel(outcome.value))) found.push(reported(scope, validation, target, asObject(item)))
  }
}

function failure(scope: PolicyScope, validation: Validation, target: Place): RawFinding {
  return {
    kind: 'fail',
    path: [...target.path, ...validation.field],
    message: text(scope, validation.messageExpression, target) ?? validation.message ?? scope.bound.policy.title,
    remediation: remediation(scope, validation, target),
    fix: fixPatch(scope, validation.fix, target),
    related: [],
    atMost: validation.atMost,
    alsoAt: [],
  }
}

/** One entry of a `findings` list: `{ field, message, remediation?, fix?, related?, atMost?, alsoAt?, outcome? }`, the field relative to the target. */
function reported(scope: PolicyScope, validation: Validation, target: Place, item: JsonObject): RawFinding {
  const pathOf = (field: Json | undefined): FieldPath => [
    ...target.path,
    ...((typeof field === 'string' ? parseField(field) : undefined) ?? validation.field),
  ]
  const path = pathOf(item.field)
  if (item.outcome === 'skip') return { kind: 'skip', path }
  return {
    kind: 'fail',
    path,
    message: oneLine(
      typeof item.message === 'string' ? item.message : (validation.message ?? scope.bound.policy.title),
    ),
    remediation:
      typeof item.remediation === 'string' ? oneLine(item.remediation) : remediation(scope, validation, target),
    fix: asList(item.fix).length > 0 ? asPatch(item.fix) : fixPatch(scope, validation.fix, target),
    related: asList(item.related).flatMap(asRelated),
    atMost: readActions([item.atMost ?? null])?.[0] ?? validation.atMost,
    alsoAt: asList(item.alsoAt).map(pathOf),
  }
}

function remediation(scope: PolicyScope, validation: Validation, target: Place): string {
  const written = text(scope, validation.remediationExpression, target) ?? validation.remediation
  return oneLine(written ?? scope.bound.policy.remediation)
}

/** A message that fails to evaluate never hides its finding: the literal one is used instead. */
function text(scope: PolicyScope, program: CelProgram | undefined, target: Place): string | undefined {
  if (program === undefined) return undefined
  const outcome = evaluate(scope, program, target.seen)
  return outcome.ok && typeof outcome.value === 'string' ? oneLine(outcome.value) : undefined
}

function failedAt(path: FieldPath, error: CelRuntimeError): RawFinding & { readonly kind: 'error' } {
  return { kind: 'error', path, message: oneLine(error.message) }
}

function oneLine(value: string): string {
  return value.replaceAll(/\s*\n\s*/g, ' ').trim()
}

function asPatch(value: Json | undefined): JsonPatch {
  return asList(value).flatMap((item): PatchOperation[] => {
    const { op, path, value: to } = asObject(item)
    if (typeof path !== 'string') return []
    if (op === 'remove') return [{ op, path }]
    return (op === 'add' || op === 'replace') && to !== undefined ? [{ op, path, value: to }] : []
  })
}

function asRelated(value: Json): readonly RelatedObject[] {
  if (!isObject(value)) return []
  const { kind, namespace, name } = value
  if (typeof kind !== 'string' || typeof name !== 'string') return []
  const field = own(value, 'field')
  return [
    {
      kind,
      name,
      namespace: typeof namespace === 'string' ? namespace : '',
      ...(typeof field === 'string' ? { field } : {}),
    },
  ]
}
