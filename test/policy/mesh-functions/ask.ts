import { asList, asObject, type JsonObject } from '../../../src/kube/json.ts'
import type { KubeObject } from '../../../src/kube/object.ts'
import { buildSnapshot, refOf } from '../../../src/mesh/snapshot.ts'
import { MESH_FUNCTIONS } from '../../../src/policy/mesh-functions/all.ts'
import type { MeshContext } from '../../../src/policy/mesh-functions/mesh-function.ts'
import type { Operation } from '../../../src/policy/policy.ts'

/** What a function is asked about, and in which mesh. */
export interface Question {
  readonly object: KubeObject
  /** Around the object, its old version included. */
  readonly mesh?: readonly KubeObject[]
  readonly knowledge?: MeshContext['knowledge']
  readonly operation?: Operation
  readonly params?: JsonObject
}

/** What `mesh.NAME(object, params)` finds. */
export function ask(name: string, question: Question): readonly JsonObject[] {
  const { object, mesh = [], knowledge = 'whole', operation = 'CREATE', params = {} } = question
  const asked = MESH_FUNCTIONS.find((each) => each.name === `mesh.${name}`)
  if (asked === undefined) throw new Error(`there is no function mesh.${name}`)
  const before = buildSnapshot(mesh)
  const ref = refOf(object)
  const after = operation === 'DELETE' ? before.without(ref) : before.with(object)
  const subject = { apiVersion: object.apiVersion, kind: object.kind, namespace: ref.namespace, name: ref.name }
  const context: MeshContext = { mesh: after, before, knowledge, operation, subject }
  return asList(asked.call(context, [object, params]) ?? []).map(asObject)
}
