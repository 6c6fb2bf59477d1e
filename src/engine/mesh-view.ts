import { asObject, type JsonObject } from '../kube/json.ts'
import { isKubeObject, type KubeObject } from '../kube/object.ts'
import { refOf, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import { subjectOf } from './subject.ts'
import type { AdmissionRequest } from './request.ts'

/**
 * The mesh around a request, as functions of `mesh.*` see it. What the mesh would be is worked out when a function
 * first asks: most requests meet no rule that does.
 */
export function meshView(
  request: AdmissionRequest,
  before: MeshSnapshot,
  knowledge: MeshContext['knowledge'],
  object: JsonObject | null = request.object,
): MeshContext {
  let after: MeshSnapshot | undefined
  return {
    before,
    knowledge,
    operation: request.operation,
    subject: subjectOf(request),
    get mesh() {
      after ??= meshAfter(request, before, object)
      return after
    },
  }
}

function meshAfter(request: AdmissionRequest, before: MeshSnapshot, object: JsonObject | null): MeshSnapshot {
  const mesh = withNamespace(before, request.namespace)
  const subject = object ?? request.oldObject
  if (!isKubeObject(subject)) return mesh
  const placed = inNamespace(subject, request)
  return object === null ? mesh.without(refOf(placed)) : mesh.with(placed)
}

/** The namespace of a request exists, even where the watch has not seen it yet. */
function withNamespace(mesh: MeshSnapshot, name: string): MeshSnapshot {
  if (name === '' || mesh.namespace(name) !== undefined) return mesh
  return mesh.with({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
}

/** A manifest need not name its namespace; in the mesh it has the one of its request. */
function inNamespace(object: KubeObject, request: AdmissionRequest): KubeObject {
  const { namespace } = subjectOf(request)
  if (namespace === '' || object.metadata?.namespace === namespace) return object
  return { ...object, metadata: { ...asObject(object.metadata), namespace } }
}
