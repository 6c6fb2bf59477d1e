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

/** Why none of these expressions can be evaluated together; undefined: each can. */
export function whyUnknown(
  programs: readonly (CelProgram | undefined)[],
  knowledge: MeshKnowledge,
): string | undefined {
  if (typeof knowledge === 'string') return undefined
  return reasonFor(
    programs.flatMap((program) => kindsReadByFunctions(program?.functions ?? new Set())),
    knowledge,
  )
}

function reasonFor(kinds: readonly KindName[], { stale }: Exclude<MeshKnowledge, string>): string | undefined {
  return kinds.map((kind) => stale.get(kind)).find((reason) => reason !== undefined)
}
