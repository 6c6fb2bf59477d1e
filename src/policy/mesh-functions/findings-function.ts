import { asObject, type JsonObject } from '../../kube/json.ts'
import { isKubeObject, type KubeObject } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import { MOST_FINDINGS, type MeshFinding, type SkippedPlace } from './finding.ts'
import { meshFunction, type MeshContext, type MeshFunction } from './mesh-function.ts'

/** What a rule over several objects finds in one of them: all of it, the most important first. */
export type Find = (
  context: MeshContext,
  object: KubeObject,
  params: JsonObject,
) => readonly (MeshFinding | SkippedPlace)[]

/**
 * Defines a function for `findings:` of the form `mesh.area.question(target, params)`. The target is the object that is
 * judged, or on DELETE the one that goes. Of very many findings the first are written, and the others counted in the last of them.
 */
export function findingsFunction(definition: {
  readonly name: string
  readonly reads: readonly KindName[]
  readonly summary: string
  readonly find: Find
}): MeshFunction {
  const { name, reads, summary, find } = definition
  return meshFunction({
    name,
    parameters: ['dyn', 'dyn'],
    result: 'list<dyn>',
    reads,
    summary,
    call: (context, object, params) =>
      object !== undefined && isKubeObject(object) ? limited(find(context, object, asObject(params))) : [],
  })
}

/** What may refuse goes before what may only warn, so that a limit never takes the first away. */
function limited(found: readonly (MeshFinding | SkippedPlace)[]): readonly (MeshFinding | SkippedPlace)[] {
  if (found.length <= MOST_FINDINGS) return found
  const skipped = found.filter((each) => !isFinding(each))
  const findings = found
    .filter(isFinding)
    .toSorted((a, b) => Number(a.atMost !== undefined) - Number(b.atMost !== undefined))
  const [kept, others] = [findings.slice(0, MOST_FINDINGS), findings.slice(MOST_FINDINGS)]
  const last = kept.at(-1)
  if (last === undefined || others.length === 0) return [...kept, ...skipped]
  const message = `${last.message} (and ${others.length} more like this)`
  return [...kept.slice(0, -1), { ...last, message, alsoAt: others.map(({ field }) => field) }, ...skipped]
}

function isFinding(each: MeshFinding | SkippedPlace): each is MeshFinding {
  return 'message' in each
}
