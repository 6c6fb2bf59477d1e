import { labelsOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabelSelector } from '../kube/selector.ts'
import { CLUSTER_KINDS, KINDS, type KindName } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

/**
 * The part of a mesh that istiod looks at: what lies in namespaces that MeshConfig's `discoverySelectors` take, which is everything where
 * it has none. A namespace of which the mesh holds no Namespace is taken. Views of the rest of the model are made of this one.
 * istio: kube/namespace/filter.go.
 */
export const discoveredMesh: (snapshot: MeshSnapshot) => MeshSnapshot = memo((snapshot) => {
  const { discoverySelectors } = meshConfigOf(snapshot)
  if (discoverySelectors.length === 0) return snapshot
  const isDiscovered = (namespace: string): boolean => {
    const found = snapshot.namespace(namespace)
    if (found === undefined) return true
    const labels = { ...labelsOf(found), 'kubernetes.io/metadata.name': namespace }
    return discoverySelectors.some((selector) => matchesLabelSelector(selector, labels))
  }
  return restrict(snapshot, isDiscovered)
})

function restrict(snapshot: MeshSnapshot, isDiscovered: (namespace: string) => boolean): MeshSnapshot {
  const isSeen = (kind: KindName, namespace: string): boolean => {
    // istiod reads its own settings wherever they are
    return CLUSTER_KINDS.has(kind) || kind === KINDS.configMap || isDiscovered(namespace)
  }
  const seen = memo((objects: readonly KubeObject[]) => objects.filter((object) => isDiscovered(namespaceOf(object))))
  const restricted: MeshSnapshot = {
    istioNamespace: snapshot.istioNamespace,
    secretNamespaces: snapshot.secretNamespaces,
    size: snapshot.size,
    get: (kind, namespace, name) => (isSeen(kind, namespace) ? snapshot.get(kind, namespace, name) : undefined),
    inNamespace: (kind, namespace) => (isSeen(kind, namespace) ? snapshot.inNamespace(kind, namespace) : []),
    all: (kind) => (CLUSTER_KINDS.has(kind) ? snapshot.all(kind) : seen(snapshot.all(kind))),
    namespacesWith: (kind) => snapshot.namespacesWith(kind).filter((namespace) => isSeen(kind, namespace)),
    has: (index, key) => snapshot.namespacesOf(index, key).some((namespace) => isSeen(index.kind, namespace)),
    find: (index, key) => seen(snapshot.find(index, key)),
    findIn: (index, key, namespace) => (isSeen(index.kind, namespace) ? snapshot.findIn(index, key, namespace) : []),
    namespacesOf: (index, key) =>
      snapshot.namespacesOf(index, key).filter((namespace) => isSeen(index.kind, namespace)),
    namespace: (name) => snapshot.namespace(name),
    kinds: () => snapshot.kinds(),
    with: (object) => discoveredMesh(snapshot.with(object)),
    without: (ref) => discoveredMesh(snapshot.without(ref)),
    recording() {
      const view = snapshot.recording()
      return { ...discoveredMesh(view), kindsRead: view.kindsRead }
    },
  }
  return restricted
}
