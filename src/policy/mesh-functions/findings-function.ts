import { asObject, type JsonObject } from '../../kube/json.ts'
import { isKubeObject, type KubeObject } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import type { MeshFinding, SkippedPlace } from './finding.ts'
import { meshFunction, type MeshContext, type MeshFunction } from './mesh-function.ts'

/** What a rule over several objects finds in one of them. */
export type Find = (
  context: MeshContext,
  object: KubeObject,
  params: JsonObject,
) => readonly (MeshFinding | SkippedPlace)[]

/**
 * Defines a function for `findings:` of the form `mesh.area.question(target, params)`. The target is the object that is
 * judged, or on DELETE the one that goes.
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
      object !== undefined && isKubeObject(object) ? find(context, object, asObject(params)) : [],
  })
}
