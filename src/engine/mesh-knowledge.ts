import type { KindName } from '../mesh/kinds.ts'
import { kindsReadBy, kindsReadByFunctions } from '../policy/mesh-functions/all.ts'
import type { CelProgram } from '../cel/types.ts'
import type { Policy } from '../policy/policy.ts'

/**
 * How much of the mesh is known. `partial`: what is not there may yet exist, as with a few files. `stale`: all of it but
 * these kinds, each with the reason; policies that read one of them answer by their failure policy.
 */
export type MeshKnowledge = 'whole' | 'partial' | { readonly stale: ReadonlyMap<KindName, string> }

/** Why something of a policy cannot be judged in a mesh that is known so far; undefined: all of it can. */
export function whyStale(policy: Policy, knowledge: MeshKnowledge): string | undefined {
  return typeof knowledge === 'string' ? undefined : reasonFor(kindsReadBy(policy), knowledge)
}

/** What is known of the mesh while a request is judged, and whether there is time left to look at it. */
export interface MeshSight {
  readonly knowledge: MeshKnowledge
  /** Is the time over that whoever asks will wait? */
  readonly isLate: () => boolean
}

/** A mesh that is wholly known, with time without end. */
export const CLEAR_SIGHT: MeshSight = { knowledge: 'whole', isLate: () => false }

/** Why none of these expressions can be evaluated together; undefined: each can. Those that read no mesh always can. */
export function whyUnknown(
  programs: readonly (CelProgram | undefined)[],
  { knowledge, isLate }: MeshSight,
): string | undefined {
  const called = programs.flatMap((program) => program?.functions ?? []).filter(({ size }) => size > 0)
  if (called.length === 0) return undefined
  const late = isLate()
  // As nearly always: no kind is too old, and there is time.
  if (!late && typeof knowledge === 'string') return undefined
  const kinds = called.flatMap(kindsReadByFunctions)
  if (late && kinds.length > 0) return 'there was no time left to look at the mesh'
  return typeof knowledge === 'string' ? undefined : reasonFor(kinds, knowledge)
}

function reasonFor(kinds: readonly KindName[], { stale }: Exclude<MeshKnowledge, string>): string | undefined {
  return kinds.map((kind) => stale.get(kind)).find((reason) => reason !== undefined)
}
