import type { CelType, HostFunction } from '../../cel/types.ts'
import type { Json } from '../../kube/json.ts'
import type { ObjectRef } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'

/** What `mesh.*` functions see: the mesh as it would be with the object that is judged, and as it is without. */
export interface MeshContext {
  /** With the object of the request in its place; without it on DELETE. */
  readonly mesh: MeshSnapshot
  readonly before: MeshSnapshot
  /** `partial`: only some files are known, so that what is not there may yet exist. */
  readonly knowledge: 'whole' | 'partial'
  readonly operation: string
  /** The object that is judged. Its namespace is the request's. */
  readonly subject: ObjectRef
}

/**
 * A function of `mesh.*`. What a policy watches, which RBAC it needs and which fixtures its tests need follow from the
 * kinds that the functions it calls read; a test compares them with what was really read.
 */
export interface MeshFunction extends HostFunction {
  readonly reads: readonly KindName[]
  /** One sentence, for `explain`. */
  readonly summary: string
}

/** Defines a function of `mesh.*`: `name` without the prefix. Arguments and result are JSON. */
export function meshFunction(definition: {
  readonly name: string
  readonly parameters: readonly CelType[]
  readonly result: CelType
  readonly reads: readonly KindName[]
  readonly summary: string
  readonly call: (context: MeshContext, ...args: readonly Json[]) => Json
}): MeshFunction {
  const { name, parameters, result, reads, summary, call } = definition
  return {
    name: `mesh.${name}`,
    parameters,
    result,
    reads,
    summary,
    call: (host, args) => (isMeshContext(host) ? call(host, ...args) : null),
  }
}

function isMeshContext(host: unknown): host is MeshContext {
  return typeof host === 'object' && host !== null && 'mesh' in host && 'before' in host
}
