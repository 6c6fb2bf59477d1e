import { labelsOf, labelValue } from '../kube/object.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { hasSidecar, type Workload } from './workloads.ts'

/** Which data plane a workload is in, and why not in ambient where that was asked for. */
export interface Enrolment {
  /** `ambient`: captured by ztunnel. */
  readonly mode: 'ambient' | 'sidecar' | 'waypoint' | 'none'
  /** Whose label asks for ambient; undefined: nobody's, or the pod's own label takes it out. */
  readonly askedBy: 'workload' | 'namespace' | undefined
  /** What keeps a workload out for which ambient is asked. */
  readonly obstacle: 'sidecar' | 'host-network' | 'system-namespace' | 'waypoint' | undefined
}

/**
 * The data plane of a workload, by the selectors that Istio's CNI has by default, with ambient taken to be installed.
 * istio: cni/pkg/util/enablement_selector.go Matches.
 */
export function enrolmentOf(snapshot: MeshSnapshot, workload: Workload): Enrolment {
  const askedBy = askerOf(snapshot, workload)
  const mode = isWaypointWorkload(workload) ? 'waypoint' : hasProxy(snapshot, workload) ? 'sidecar' : undefined
  if (mode !== undefined) return { mode, askedBy, obstacle: askedBy === undefined ? undefined : mode }
  if (askedBy === undefined) return { mode: 'none', askedBy, obstacle: undefined }
  if (workload.spec.hostNetwork === true) return { mode: 'none', askedBy, obstacle: 'host-network' }
  if (EXCLUDED_NAMESPACES.has(workload.namespace)) return { mode: 'none', askedBy, obstacle: 'system-namespace' }
  return { mode: 'ambient', askedBy, obstacle: undefined }
}

/** Does ztunnel capture the workload? */
export function isCaptured(snapshot: MeshSnapshot, workload: Workload): boolean {
  return enrolmentOf(snapshot, workload).mode === 'ambient'
}

/** Is the workload in the mesh, by a sidecar or by ambient? */
export function isInMesh(snapshot: MeshSnapshot, workload: Workload): boolean {
  return hasSidecar(snapshot, workload) || isCaptured(snapshot, workload)
}

/** Are the pods of a namespace captured unless they say otherwise? */
export function isAmbientNamespace(snapshot: MeshSnapshot, namespace: string): boolean {
  return labelValue(labelsOf(snapshot.namespace(namespace)), DATAPLANE_MODE) === 'ambient'
}

/** Is the workload an instance of a waypoint? */
export function isWaypointWorkload({ labels }: Workload): boolean {
  return WAYPOINT_MANAGERS.has(labelValue(labels, MANAGED) ?? '')
}

function askerOf(snapshot: MeshSnapshot, { namespace, labels, form }: Workload): Enrolment['askedBy'] {
  if (form === 'machine' || form === 'machine-template') return undefined
  const own = labelValue(labels, DATAPLANE_MODE)
  if (own === 'ambient') return 'workload'
  return own !== 'none' && isAmbientNamespace(snapshot, namespace) ? 'namespace' : undefined
}

function hasProxy(snapshot: MeshSnapshot, workload: Workload): boolean {
  return labelValue(workload.annotations, 'sidecar.istio.io/status') !== undefined || hasSidecar(snapshot, workload)
}

/** `istio.io/dataplane-mode`. */
export const DATAPLANE_MODE = 'istio.io/dataplane-mode'
/** `gateway.istio.io/managed`. */
export const MANAGED = 'gateway.istio.io/managed'
const WAYPOINT_MANAGERS: ReadonlySet<string> = new Set([
  'istio.io-mesh-controller',
  'istio.io-agentgateway-waypoint-controller',
])
// `cni.excludeNamespaces` of the chart
const EXCLUDED_NAMESPACES: ReadonlySet<string> = new Set(['kube-system'])
