import type { JsonObject } from '../../kube/json.ts'
import { splitKindName } from '../../mesh/kinds.ts'
import { meshConfigOf } from '../../mesh/mesh-config.ts'
import type { MeshContext } from './mesh-function.ts'

/** An object as it is named: by kind (its group may stand behind it), namespace and name. */
export interface NamedObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** One entry of the list that a function for `findings:` returns; `field` is relative to the target of the rule. */
export type MeshFinding = {
  readonly field: string
  /** What is wrong and why it matters, in one line, with the values of the object. */
  readonly message: string
  readonly remediation?: string
  readonly fix?: readonly JsonObject[]
  /** The other objects that the finding rests on. */
  readonly related?: readonly JsonObject[]
  /** The most that may come of it: a reference that may still arrive is no more than a warning. */
  readonly atMost?: 'Warn' | 'Audit'
  /** Fields of findings that are only counted in the message of this one. */
  readonly alsoAt?: readonly string[]
}

/** The answer to a place that cannot be judged, because no object of the kind it names is known. */
export type SkippedPlace = {
  readonly field: string
  readonly outcome: 'skip'
}

/** Findings beyond this number are counted, not written: an object that touches everything must not stop the review. */
export const MOST_FINDINGS = 20

/**
 * May the finding name this object? Those of the namespace that is judged, of the root namespace and without a
 * namespace always; others only where the parameter `namesOtherNamespaces` says so. Whoever may change a namespace need not
 * be able to read another.
 */
export function mayName(context: MeshContext, { namespace }: NamedObject, params: JsonObject): boolean {
  const { subject } = context
  const own = subject.kind === 'Namespace' ? subject.name : subject.namespace
  const known = ['', own, meshConfigOf(context.mesh).rootNamespace]
  return known.includes(namespace) || params.namesOtherNamespaces === true
}

/** An object as a message names it: `DestinationRule shop/cart`, or the kind alone where it may not be named. */
export function nameOf(context: MeshContext, ref: NamedObject, params: JsonObject): string {
  if (!mayName(context, ref, params)) return `a ${splitKindName(ref.kind).kind} of another namespace`
  return `${splitKindName(ref.kind).kind} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name}`
}

/** An object as an entry of `related`; the kind alone where it may not be named. */
export function relatedTo(context: MeshContext, ref: NamedObject, params: JsonObject, field?: string): JsonObject {
  const at = field === undefined ? {} : { field }
  if (!mayName(context, ref, params)) return { kind: splitKindName(ref.kind).kind, namespace: '', name: '', ...at }
  return { kind: splitKindName(ref.kind).kind, namespace: ref.namespace, name: ref.name, ...at }
}
