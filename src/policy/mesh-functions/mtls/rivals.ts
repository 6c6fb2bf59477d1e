import { asObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { isNamespaceWide } from '../../../mesh/peer-authentication.ts'
import { selects } from '../../../mesh/policy-attachment.ts'
import { selectedWorkloads } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Another PeerAuthentication without a selector in the namespace. */
export const rivalNamespacePolicies: Find = (context, object, params) => {
  if (!isNamespaceWide(object)) return []
  const rival = othersOf(context.mesh, object).find(isNamespaceWide)
  if (rival === undefined) return []
  const isRoot = namespaceOf(object) === meshConfigOf(context.mesh).rootNamespace
  return [
    {
      field: 'spec',
      message: `${nameOf(context, refOf(rival), params)} is for all of ${namespaceOf(object)} already: Istio takes the older one and ignores the other`,
      remediation: `change ${ownName(rival)} instead${isRoot ? '' : ', or give this a selector'}`,
      related: [relatedTo(context, refOf(rival), params)],
    },
  ]
}

/** Another PeerAuthentication that selects a workload which this one selects. */
export const rivalSelectors: Find = (context, object, params) => {
  if (isNamespaceWide(object)) return []
  const mesh = discoveredMesh(context.mesh)
  const rivals = othersOf(mesh, object).filter((other) => !isNamespaceWide(other))
  if (rivals.length === 0) return []
  for (const workload of selectedWorkloads(mesh, object)) {
    const rival = rivals.find((other) => selects(other, workload.labels))
    if (rival === undefined) continue
    return [
      {
        field: 'spec.selector.matchLabels',
        message: `${nameOf(context, refOf(rival), params)} selects workload ${workload.name} too: Istio takes the older PeerAuthentication and ignores the other, its ports too`,
        remediation: 'select different workloads, or put both into one',
        related: [relatedTo(context, refOf(rival), params, 'spec.selector.matchLabels')],
      },
    ]
  }
  return []
}

function othersOf(mesh: MeshSnapshot, object: KubeObject): readonly KubeObject[] {
  const name = asObject(object.metadata).name
  return mesh.inNamespace(KINDS.peerAuthentication, namespaceOf(object)).filter((other) => ownName(other) !== name)
}
