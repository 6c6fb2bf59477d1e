import type { KindName } from '../mesh/kinds.ts'
import { kindsReadBy } from '../policy/mesh-functions/all.ts'
import type { Policy } from '../policy/policy.ts'

/**
 * How much of the mesh is known. `partial`: what is not there may yet exist, as with a few files. `stale`: all of it but
 * these kinds, each with the reason; policies that read one of them answer by their failure policy.
 */
export type MeshKnowledge = 'whole' | 'partial' | { readonly stale: ReadonlyMap<KindName, string> }

/** Why a policy cannot be judged in a mesh that is known so far; undefined: it can. */
export function whyStale(policy: Policy, knowledge: MeshKnowledge): string | undefined {
  if (typeof knowledge === 'string') return undefined
  return kindsReadBy(policy)
    .map((kind) => knowledge.stale.get(kind))
    .find((reason) => reason !== undefined)
}
