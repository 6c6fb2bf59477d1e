import { labelsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { KINDS, kindNameOf } from './kinds.ts'
import { podTemplateOf } from './pod-template.ts'

/** The waypoint that labels ask for. */
export interface WaypointReference {
  readonly namespace: string
  readonly name: string
}

/**
 * The waypoint that labels ask for on behalf of an object of a namespace; `none`: no waypoint, whatever the namespace says; undefined:
 * they say nothing. istio: serviceregistry/ambient/waypoints.go GetUseWaypoint.
 */
export function waypointReference(
  labels: Readonly<Record<string, string>>,
  namespace: string,
): WaypointReference | 'none' | undefined {
  const name = labelValue(labels, USE_WAYPOINT)
  if (name === undefined || name === 'none') return name === undefined ? undefined : 'none'
  return { namespace: labelValue(labels, 'istio.io/use-waypoint-namespace') ?? namespace, name }
}

/**
 * The waypoint that an object asks for itself, `namespace/name`: a Service, ServiceEntry, WorkloadEntry, Pod or pod template, or a
 * Namespace for what is in it.
 */
export function ownWaypointKey(object: KubeObject): string | undefined {
  const namespace = kindNameOf(object) === KINDS.namespace ? nameOf(object) : namespaceOf(object)
  const reference = waypointReference(labelsOf(podTemplateOf(object) ?? object), namespace)
  return reference === undefined || reference === 'none' ? undefined : `${reference.namespace}/${reference.name}`
}

/** `istio.io/use-waypoint`. */
export const USE_WAYPOINT = 'istio.io/use-waypoint'
