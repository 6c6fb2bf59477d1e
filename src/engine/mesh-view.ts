import { asObject, type JsonObject } from '../kube/json.ts'
import { isKubeObject, type KubeObject } from '../kube/object.ts'
import { memo, memoByKey } from '../mesh/memo.ts'
import { refOf, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import { subjectOf } from './subject.ts'
import type { AdmissionRequest } from './request.ts'

/** What a request meets. */
export interface MeshAround {
  readonly before: MeshSnapshot
  /**
   * A mesh that may hold just this version of the object, as that of documents does for each of them. It is then taken as it is, with
   * everything that was worked out about it for others.
   */
  readonly after?: MeshSnapshot | undefined
  readonly knowledge: MeshContext['knowledge']
}

/**
 * The mesh around a request, as functions of `mesh.*` see it. What the mesh would be is worked out when a function
 * first asks: most requests meet no rule that does.
 */
export function meshView(
  request: AdmissionRequest,
  { before, after, knowledge }: MeshAround,
  object: JsonObject | null = request.object,
): MeshContext {
  let mesh: MeshSnapshot | undefined
  return {
    before,
    knowledge,
    operation: request.operation,
    subject: subjectOf(request),
    get mesh() {
      mesh ??= meshAfter(request, before, after, object)
      return mesh
    },
  }
}

function meshAfter(
  request: AdmissionRequest,
  before: MeshSnapshot,
  after: MeshSnapshot | undefined,
  object: JsonObject | null,
): MeshSnapshot {
  const subject = object ?? request.oldObject
  if (!isKubeObject(subject)) return withNamespace(before, request.namespace)
  const placed = inNamespace(subject, request)
  const ref = refOf(placed)
  if (object === null) return withNamespace(before, request.namespace).without(ref)
  const known = after?.get(ref.kind, ref.namespace, ref.name)
  const mesh = after !== undefined && isVersion(known, placed) ? after : before.with(placed)
  return withNamespace(mesh, request.namespace)
}

/** Are these the same version of one object? Of what a watch keeps of it not every field is there. */
function isVersion(known: KubeObject | undefined, object: KubeObject): boolean {
  if (known === undefined || known === object) return known === object
  const { uid, resourceVersion } = asObject(object.metadata)
  if (uid === undefined || resourceVersion === undefined) return false
  return known.metadata?.uid === uid && known.metadata.resourceVersion === resourceVersion
}

/** The namespace of a request exists, even where the watch has not seen it yet. */
function withNamespace(mesh: MeshSnapshot, name: string): MeshSnapshot {
  return name === '' || mesh.namespace(name) !== undefined ? mesh : withUnseen(mesh)(name)
}

const withUnseen = memo((mesh: MeshSnapshot) =>
  memoByKey(String, (name: string) => mesh.with({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
)

/** A manifest need not name its namespace; in the mesh it has the one of its request. */
function inNamespace(object: KubeObject, request: AdmissionRequest): KubeObject {
  const { namespace } = subjectOf(request)
  if (namespace === '' || object.metadata?.namespace === namespace) return object
  return { ...object, metadata: { ...asObject(object.metadata), namespace } }
}
