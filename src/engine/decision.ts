import type { FieldPath } from '../kube/field-path.ts'
import type { Json } from '../kube/json.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import type { ObjectRef } from '../kube/object.ts'
import type { Action, Severity } from '../policy/policy.ts'

export type { Action, Severity } from '../policy/policy.ts'

/** fail: the rule is broken; error: the rule could not be evaluated; skip: not enough is known to judge. */
export type Outcome = 'fail' | 'error' | 'skip'

/** Another object that a finding rests on. */
export interface RelatedObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly field?: string
}

export interface Finding {
  /** Permanent code of the rule: `MTLS-02`. */
  readonly code: string
  /** Name of the policy. */
  readonly policy: string
  readonly outcome: Outcome
  /** The strongest of `actions`. */
  readonly action: Action
  readonly actions: readonly Action[]
  readonly severity: Severity
  /** As a person writes it, `spec.http[0].timeout`; of the missing field where something is missing; '' = the object. */
  readonly field: string
  readonly path: FieldPath
  /** What is wrong and why it matters, one line. */
  readonly message: string
  /** What to write instead, one line. */
  readonly remediation: string
  /** A patch that mends it, where one is safe. Applies to the object as it was judged. */
  readonly fix?: JsonPatch
  readonly related?: readonly RelatedObject[]
  /** The old object had the same finding at the same place, which demotes it to a warning. */
  readonly unchanged?: true
}

/** A default that was filled: an absent field that now has a value. */
export interface Filled {
  readonly field: string
  readonly path: FieldPath
  readonly value: Json
  readonly code: string
  readonly policy: string
  /** What the person should know about this default beyond its value, one line. */
  readonly note?: string
  /** The old object has this very value at this place: nothing changes, and nobody needs to be told. */
  readonly restored?: true
}

/** Everything there is to know about one request. Every output is a projection of it. */
export interface Decision {
  readonly uid: string
  readonly object: ObjectRef
  /** False when at least one finding's action is Deny. */
  readonly allowed: boolean
  /** False when nothing that is judged has changed, or no policy applies: no finding was looked for. */
  readonly judged: boolean
  readonly findings: readonly Finding[]
  /** Only `add` at absent paths; empty when nothing was filled. Includes the annotation that records it. */
  readonly patch: JsonPatch
  readonly filled: readonly Filled[]
  /** Names of the policies whose rules were evaluated, for metrics. */
  readonly evaluated: readonly string[]
  /** Rules that could not be judged for want of knowledge. */
  readonly skipped: number
}
