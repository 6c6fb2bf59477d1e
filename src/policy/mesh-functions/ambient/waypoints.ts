import { labelsOf, labelValue, namespaceOf, nameOf as ownName, type KubeObject } from '../../../kube/object.ts'
import { isCaptured } from '../../../mesh/ambient-enrolment.ts'
import { servicesInFrontOf } from '../../../mesh/inbound.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { memoByReads } from '../../../mesh/memo-by-reads.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import {
  waypointOfNamespace,
  waypointOfService,
  waypointOfWorkload,
  type WaypointUse,
} from '../../../mesh/waypoint-attachment.ts'
import { USE_WAYPOINT } from '../../../mesh/waypoint-reference.ts'
import { workloadOf, workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { nameOf } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import { podFieldPrefix, podTemplateOf } from '../../../mesh/pod-template.ts'

/** The waypoint that traffic takes, or will take once it is ready: in files, no Gateway is. */
export function waypointIn({ waypoint, gateway, problem }: WaypointUse): KubeObject | undefined {
  return waypoint ?? (problem === 'WaypointIsNotReady' ? gateway : undefined)
}

/** The workloads of a namespace that ztunnel captures: those with some traffic for a waypoint, and those with none. */
interface CapturedWorkloads {
  readonly behind: typeof workloadsIn
  readonly exposed: typeof workloadsIn
}

/** In a few files, a waypoint that is only asked for counts as well. */
export function capturedWorkloads(knowledge: MeshContext['knowledge']): CapturedWorkloads {
  return knowledge === 'partial' ? IN_FILES : IN_MESH
}

function capturedBy(isUsed: (use: WaypointUse) => boolean): CapturedWorkloads {
  const isBehind = (mesh: MeshSnapshot, workload: Workload): boolean =>
    isUsed(waypointOfWorkload(mesh, workload)) ||
    servicesInFrontOf(mesh, workload).some(({ object }) => isUsed(waypointOfService(mesh, object)))
  const sorted = memoByReads((mesh, namespace) =>
    Map.groupBy(
      workloadsIn(mesh, namespace).filter((workload) => isCaptured(mesh, workload)),
      (workload) => isBehind(mesh, workload),
    ),
  )
  return {
    behind: (mesh, namespace) => sorted(mesh, namespace).get(true) ?? [],
    exposed: (mesh, namespace) => sorted(mesh, namespace).get(false) ?? [],
  }
}

const IN_MESH = capturedBy((use) => waypointIn(use) !== undefined)
const IN_FILES = capturedBy((use) => waypointIn(use) !== undefined || use.reference !== undefined)

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
