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

function limited(found: readonly (MeshFinding | SkippedPlace)[]): readonly (MeshFinding | SkippedPlace)[] {
  const kept = found.slice(0, MOST_FINDINGS)
  const more = found.slice(MOST_FINDINGS).filter((each) => 'message' in each).length
  const last = kept.findLastIndex((each) => 'message' in each)
  const finding = kept[last]
  if (more === 0 || finding === undefined || !('message' in finding)) return kept
  return kept.with(last, { ...finding, message: `${finding.message} (and ${more} more like this)` })
}
