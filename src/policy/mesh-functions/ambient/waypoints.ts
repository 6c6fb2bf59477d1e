import { labelsOf, labelValue, namespaceOf, nameOf as ownName, type KubeObject } from '../../../kube/object.ts'
import { servicesInFrontOf } from '../../../mesh/inbound.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import {
  waypointOfNamespace,
  waypointOfService,
  waypointOfWorkload,
  type WaypointUse,
} from '../../../mesh/waypoint-attachment.ts'
import { USE_WAYPOINT } from '../../../mesh/waypoint-reference.ts'
import { workloadOf, type Workload } from '../../../mesh/workloads.ts'
import { nameOf } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { podFieldPrefix, podTemplateOf } from '../../../mesh/pod-template.ts'

/** The waypoint that traffic takes, or will take once it is ready: in files, no Gateway is. */
export function waypointIn({ waypoint, gateway, problem }: WaypointUse): KubeObject | undefined {
  return waypoint ?? (problem === 'WaypointIsNotReady' ? gateway : undefined)
}

/** Is any traffic to the workload for a waypoint, be it known here or only asked for? */
export function isBehindWaypoint(mesh: MeshSnapshot, workload: Workload, knowledge: 'whole' | 'partial'): boolean {
  const isUsed = (use: WaypointUse): boolean =>
    waypointIn(use) !== undefined || (knowledge === 'partial' && use.reference !== undefined)
  if (isUsed(waypointOfWorkload(mesh, workload))) return true
  return servicesInFrontOf(mesh, workload).some(({ object }) => isUsed(waypointOfService(mesh, object)))
}

/** A waypoint that an object asks for by its label, and that does not serve it. */
export const unusableWaypoint: Find = (context, object, params) => {
  const { mesh } = context
  const labels = labelsOf(podTemplateOf(object) ?? object)
  if (labelValue(labels, USE_WAYPOINT) === undefined) return []
  const { reference, gateway, problem } = useOf(mesh, object)
  if (reference === undefined || problem === undefined) return []
  const field = `${podFieldPrefix(object)}metadata.labels[${USE_WAYPOINT}]`
  const name = nameOf(context, { kind: 'Gateway', ...reference }, params)
  if (gateway === undefined) {
    if (context.knowledge === 'partial') return [{ field, outcome: 'skip' }]
    return [
      {
        field,
        message: `there is no waypoint ${reference.namespace}/${reference.name}: no policy of a waypoint is enforced for ${ownName(object)}`,
        remediation:
          'write the name of a waypoint, with istio.io/use-waypoint-namespace where it lies elsewhere, or create it',
        atMost: 'Warn',
      },
    ]
  }
  if (problem === 'WaypointIsNotReady') return []
  const why =
    problem === 'AttachmentDenied'
      ? `its listeners do not admit namespace ${kindNameOf(object) === KINDS.namespace ? ownName(object) : namespaceOf(object)} (allowedRoutes)`
      : 'it is not for this traffic (its label istio.io/waypoint-for)'
  return [
    {
      field,
      message: `${name} does not serve ${ownName(object)}: ${why}`,
      remediation: 'change the Gateway, or ask for another waypoint',
    },
  ]
}

function useOf(mesh: MeshSnapshot, object: KubeObject): WaypointUse {
  if (kindNameOf(object) === KINDS.namespace) return waypointOfNamespace(mesh, object)
  const workload = workloadOf(object)
  return workload === undefined ? waypointOfService(mesh, object) : waypointOfWorkload(mesh, workload)
}
