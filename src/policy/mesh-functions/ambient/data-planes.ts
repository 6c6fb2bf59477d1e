import { labelValue } from '../../../kube/object.ts'
import { DATAPLANE_MODE, enrolmentOf, isAmbientNamespace, isCaptured } from '../../../mesh/ambient-enrolment.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { isInjected } from '../../../mesh/injection.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { podFieldPrefix } from '../../../mesh/pod-template.ts'
import { eachSelectedWorkload } from '../../../mesh/selection.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, workloadOf } from '../../../mesh/workloads.ts'
import { namespaceOf } from '../../../kube/object.ts'
import type { Find } from '../findings-function.ts'

/** A workload that asks for ambient itself and gets a sidecar. */
export const sidecarAndLabel: Find = (context, object) => {
  const workload = workloadOf(object)
  if (workload === undefined) return []
  const { askedBy, obstacle } = enrolmentOf(discoveredMesh(context.mesh), workload)
  if (askedBy !== 'workload' || obstacle !== 'sidecar') return []
  return [
    {
      field: `${podFieldPrefix(object)}metadata.labels[${DATAPLANE_MODE}]`,
      message: `${workload.name} asks for ambient and gets a sidecar: ztunnel does not capture it, and policies for ambient do not hold`,
      remediation: 'remove the label, or opt out of the sidecar (label sidecar.istio.io/inject: "false")',
    },
  ]
}

/** A workload with a sidecar in a namespace of ambient. */
export const sidecarInAmbient: Find = (context, object) => {
  const workload = workloadOf(object)
  if (workload === undefined) return []
  const { askedBy, obstacle } = enrolmentOf(discoveredMesh(context.mesh), workload)
  if (askedBy !== 'namespace' || obstacle !== 'sidecar') return []
  const asks = labelValue(workload.labels, 'sidecar.istio.io/inject')
  return [
    {
      field:
        asks === undefined
          ? `${podFieldPrefix(object)}metadata`
          : `${podFieldPrefix(object)}metadata.labels[sidecar.istio.io/inject]`,
      message: `${workload.name} gets a sidecar in ${workload.namespace}, whose label asks for ambient: ztunnel does not capture it, and waypoints do not serve it`,
      remediation: 'opt out of the sidecar, or of ambient (label istio.io/dataplane-mode: none)',
    },
  ]
}

/** A Sidecar whose workloads have none. */
export const idleSidecar: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const namespace = namespaceOf(object)
  if (namespace === meshConfigOf(mesh).rootNamespace) return []
  let captured: string | undefined
  for (const workload of eachSelectedWorkload(mesh, object)) {
    if (hasSidecar(mesh, workload)) return []
    if (isCaptured(mesh, workload)) captured ??= workload.name
  }
  if (captured === undefined && !willCapture(mesh, namespace)) return []
  const who = captured === undefined ? `the workloads of ${namespace} are` : `${captured} is`
  return [
    {
      field: 'spec',
      message: `${who} captured by ambient, which has no sidecars: a Sidecar has no effect there`,
      remediation: 'remove it; what ambient workloads may call is said by the AuthorizationPolicies of those they call',
    },
  ]
}

/** Will pods that say nothing themselves be captured? Where they get a sidecar too, that comes first. */
function willCapture(mesh: MeshSnapshot, namespace: string): boolean {
  return isAmbientNamespace(mesh, namespace) && !isInjected(mesh, { namespace, labels: {}, annotations: {}, spec: {} })
}
