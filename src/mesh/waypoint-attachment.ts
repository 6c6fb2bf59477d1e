import { labelsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { MANAGED } from './ambient-enrolment.ts'
import { isTrue } from './fields.ts'
import { waypointUsers } from './indexes.ts'
import { KINDS } from './kinds.ts'
import { memoByKey } from './memo.ts'
import { memoByReads } from './memo-by-reads.ts'
import { podTemplateOf } from './pod-template.ts'
import { servicesOf, type MeshService } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { admitsNamespace, GATEWAY_NAME, isReady, trafficOf } from './waypoint-gateways.ts'
import { USE_WAYPOINT, waypointReference, type WaypointReference } from './waypoint-reference.ts'
import { workloadsIn, type Workload } from './workloads.ts'

/** The waypoint of a Service or a workload. */
export interface WaypointUse {
  /** What the labels ask for; undefined: no waypoint. */
  readonly reference: WaypointReference | undefined
  /** The object with the label: that itself, or its Namespace. */
  readonly askedBy: KubeObject | undefined
  /** The Gateway that is asked for, usable or not. */
  readonly gateway: KubeObject | undefined
  /** The Gateway through which traffic goes. */
  readonly waypoint: KubeObject | undefined
  readonly problem: WaypointProblem | undefined
}

/**
 * Why a waypoint is not used. In Istio's words: `WaypointIsNotReady`, there is no such Gateway or it has no address yet;
 * `AttachmentDenied`, its listener does not admit the namespace; `UnsupportedTrafficType`, it is not for this traffic.
 */
export type WaypointProblem = 'WaypointIsNotReady' | 'AttachmentDenied' | 'UnsupportedTrafficType'

/** The waypoint of a Service or ServiceEntry. istio: serviceregistry/ambient/waypoints.go fetchWaypointForService. */
export function waypointOfService(snapshot: MeshSnapshot, service: KubeObject): WaypointUse {
  const labels = labelsOf(service)
  // a waypoint or a gateway to another network has no waypoint itself
  if (UNATTACHED.has(labelValue(labels, MANAGED) ?? '')) return NO_WAYPOINT
  const use = waypointUse(snapshot, service, namespaceOf(service), labels)
  return forTraffic(snapshot, use, 'service')
}

/**
 * The waypoint for traffic to a workload's own address. One that only the namespace asks for, and that is not for such traffic, is no
 * mistake. istio: serviceregistry/ambient/waypoints.go fetchWaypointForWorkload, workloads.go computeWaypoint.
 */
export function waypointOfWorkload(snapshot: MeshSnapshot, workload: Workload): WaypointUse {
  const { namespace, object } = workload
  // of a machine, those of its spec do not count here
  const labels = labelsOf(podTemplateOf(object) ?? object)
  const instantiated = gatewayRunBy(snapshot, workload)
  if (instantiated !== undefined && isReady(instantiated)) return NO_WAYPOINT
  const use = forTraffic(snapshot, waypointUse(snapshot, object, namespace, labels), 'workload')
  const isInherited = labelValue(labels, USE_WAYPOINT) === undefined
  return use.problem === 'UnsupportedTrafficType' && isInherited ? NO_WAYPOINT : use
}

/** The waypoint that a Namespace asks for, for whatever is in it and does not ask itself. What traffic it is for is not looked at. */
export function waypointOfNamespace(snapshot: MeshSnapshot, namespace: KubeObject): WaypointUse {
  return waypointUse(snapshot, namespace, nameOf(namespace), labelsOf(namespace))
}

/**
 * The waypoint through which gateways send requests for a service, where the service or its namespace asks for that; undefined: gateways
 * pass it by. One without an address of its own has none. istio: serviceregistry/ambient/services.go ingressUseWaypointFromLabels,
 * xds/endpoints/endpoint_builder.go findServiceWaypoint.
 */
export function waypointForGateways(snapshot: MeshSnapshot, service: MeshService): IngressWaypoint | undefined {
  const { object, namespace, resolution } = service
  const { waypoint } = waypointOfService(snapshot, object)
  if (waypoint === undefined || resolution === 'none') return undefined
  const asking = [object, snapshot.namespace(namespace)].find(
    (candidate) => labelValue(labelsOf(candidate), INGRESS_USE_WAYPOINT) !== undefined,
  )
  if (asking === undefined || !isTrue(labelValue(labelsOf(asking), INGRESS_USE_WAYPOINT))) return undefined
  return { waypoint, askedBy: asking }
}

/** A waypoint that gateways use, and the Service or Namespace whose label says so. */
export interface IngressWaypoint {
  readonly waypoint: KubeObject
  readonly askedBy: KubeObject
}

/** The Services and ServiceEntries that use a waypoint, by namespace and name. */
export function servicesOfWaypoint(snapshot: MeshSnapshot, gateway: KubeObject): readonly MeshService[] {
  const key = keyOf(gateway)
  const found = new Set<KubeObject>()
  for (const index of waypointUsers.services) {
    for (const service of snapshot.find(index, key)) found.add(service)
  }
  for (const namespace of snapshot.find(waypointUsers.namespaces, key)) {
    for (const kind of [KINDS.service, KINDS.serviceEntry]) {
      for (const service of snapshot.inNamespace(kind, nameOf(namespace))) found.add(service)
    }
  }
  const usedIn = memoByKey(String, (namespace: string) => waypointsUsedIn(snapshot, namespace))
  return [...found]
    .filter((service) => usedIn(namespaceOf(service)).get(service) === gateway)
    .flatMap((service) => servicesOf(service))
}

/** The waypoints of the Services and ServiceEntries of a namespace, where they have one. */
const waypointsUsedIn = memoByReads((snapshot, namespace): ReadonlyMap<KubeObject, KubeObject | undefined> => {
  const services = [KINDS.service, KINDS.serviceEntry].flatMap((kind) => snapshot.inNamespace(kind, namespace))
  return new Map(services.map((service) => [service, waypointOfService(snapshot, service).waypoint]))
})

/** The workloads whose own address a waypoint serves. */
export function workloadsOfWaypoint(snapshot: MeshSnapshot, gateway: KubeObject): readonly Workload[] {
  return [...eachWorkloadOfWaypoint(snapshot, gateway)]
}

/** The same one by one, for whoever asks whether there is any. */
export function* eachWorkloadOfWaypoint(snapshot: MeshSnapshot, gateway: KubeObject): Generator<Workload> {
  const namespaces = new Set(snapshot.find(waypointUsers.namespaces, keyOf(gateway)).map(nameOf))
  for (const index of waypointUsers.workloads) {
    for (const object of snapshot.find(index, keyOf(gateway))) namespaces.add(namespaceOf(object))
  }
  for (const namespace of [...namespaces].sort()) {
    for (const workload of workloadsIn(snapshot, namespace)) {
      if (waypointOfWorkload(snapshot, workload).waypoint === gateway) yield workload
    }
  }
}

/** The Gateway of the Gateway API that a workload is an instance of, ready or not. */
export function gatewayRunBy(snapshot: MeshSnapshot, { namespace, labels }: Workload): KubeObject | undefined {
  const name = labelValue(labels, GATEWAY_NAME)
  return name === undefined ? undefined : snapshot.get(KINDS.k8sGateway, namespace, name)
}

/** istio: serviceregistry/ambient/waypoints.go fetchWaypointForTarget. What an object asks for itself hides what its namespace does. */
function waypointUse(
  snapshot: MeshSnapshot,
  object: KubeObject,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): WaypointUse {
  const own = waypointReference(labels, namespace)
  if (own === 'none') return NO_WAYPOINT
  const namespaceObject = snapshot.namespace(namespace)
  const reference = own ?? waypointReference(labelsOf(namespaceObject), namespace)
  if (reference === undefined || reference === 'none') return NO_WAYPOINT
  const gateway = snapshot.get(KINDS.k8sGateway, reference.namespace, reference.name)
  const asked = { reference, askedBy: own === undefined ? namespaceObject : object, gateway }
  if (gateway === undefined || !isReady(gateway)) {
    return { ...asked, waypoint: undefined, problem: 'WaypointIsNotReady' }
  }
  if (!admitsNamespace(snapshot, gateway, namespace)) {
    return { ...asked, waypoint: undefined, problem: 'AttachmentDenied' }
  }
  return { ...asked, waypoint: gateway, problem: undefined }
}

function forTraffic(snapshot: MeshSnapshot, use: WaypointUse, traffic: 'service' | 'workload'): WaypointUse {
  if (use.waypoint === undefined || ['all', traffic].includes(trafficOf(snapshot, use.waypoint))) return use
  return { ...use, waypoint: undefined, problem: 'UnsupportedTrafficType' }
}

function keyOf(gateway: KubeObject): string {
  return `${namespaceOf(gateway)}/${nameOf(gateway)}`
}

const NO_WAYPOINT: WaypointUse = {
  reference: undefined,
  askedBy: undefined,
  gateway: undefined,
  waypoint: undefined,
  problem: undefined,
}
const UNATTACHED: ReadonlySet<string> = new Set(['istio.io-mesh-controller', 'istio.io-eastwest-controller'])
/** `istio.io/ingress-use-waypoint`. */
export const INGRESS_USE_WAYPOINT = 'istio.io/ingress-use-waypoint'
