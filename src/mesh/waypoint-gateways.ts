import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { annotationsOf, labelsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabelSelector } from '../kube/selector.ts'
import type { Client } from './destination-rule.ts'
import { block, blocks, number, text } from './fields.ts'
import { podsByLabel } from './indexes.ts'
import { KINDS } from './kinds.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** The waypoints of a mesh: Gateways of the Gateway API whose class is Istio's for waypoints, ready or not. */
export function waypointsOf(snapshot: MeshSnapshot): readonly KubeObject[] {
  return snapshot.all(KINDS.k8sGateway).filter((gateway) => isWaypoint(snapshot, gateway))
}

/** Is the Gateway one for waypoints? Where the mesh does not hold its class, by the class's name. */
export function isWaypoint(snapshot: MeshSnapshot, gateway: KubeObject): boolean {
  const name = className(gateway)
  const controller = asObject(classOf(snapshot, gateway)?.spec).controllerName
  return controller === undefined ? WAYPOINT_CLASSES.has(name) : WAYPOINT_CONTROLLERS.has(text(controller) ?? '')
}

/** Does the waypoint run? It has an address once the first of its pods is ready. */
export function isReady(gateway: KubeObject): boolean {
  return asList(asObject(gateway.status).addresses).length > 0
}

/**
 * The traffic that a waypoint is for: `service`, `workload`, `all` or `none`, as its label says, else its class's, else `service`.
 * istio: serviceregistry/ambient/waypoints.go gatewayToWaypointTransform.
 */
export function trafficOf(snapshot: MeshSnapshot, gateway: KubeObject): string {
  const own = labelValue(labelsOf(gateway), WAYPOINT_FOR)
  return own ?? labelValue(labelsOf(classOf(snapshot, gateway)), WAYPOINT_FOR) ?? 'service'
}

/** May what is in a namespace use the waypoint? istio: serviceregistry/ambient/waypoints.go makeAllowedRoutes. */
export function admitsNamespace(snapshot: MeshSnapshot, gateway: KubeObject, namespace: string): boolean {
  const listener = attachmentListener(snapshot, gateway)
  const allowed = block(asObject(listener?.allowedRoutes).namespaces) ?? {}
  switch (allowed.from) {
    case 'All':
      return true
    case 'Selector':
      return (
        block(allowed.selector) !== undefined &&
        matchesLabelSelector(allowed.selector, labelsOf(snapshot.namespace(namespace)))
      )
    default:
      return namespaceOf(gateway) === namespace
  }
}

/** A waypoint as a client of the services behind it: with the labels of its pods, or those they will have at least. */
export function waypointProxy(snapshot: MeshSnapshot, gateway: KubeObject): Client {
  const name = nameOf(gateway)
  const namespace = namespaceOf(gateway)
  const pods = snapshot.find(podsByLabel, `${GATEWAY_NAME}=${name}`)
  const pod = pods.find((candidate) => namespaceOf(candidate) === namespace)
  return { namespace, labels: pod === undefined ? { [GATEWAY_NAME]: name } : labelsOf(pod) }
}

/** The listener whose `allowedRoutes` counts: the one that the waypoint is bound to, else that for HBONE. */
function attachmentListener(snapshot: MeshSnapshot, gateway: KubeObject): JsonObject | undefined {
  const listeners = blocks(asObject(gateway.spec).listeners)
  const binding =
    labelValue(annotationsOf(gateway), INBOUND_BINDING) ??
    labelValue(annotationsOf(classOf(snapshot, gateway)), INBOUND_BINDING)
  const [protocol, port] = binding?.split('/') ?? []
  const bound =
    port === undefined
      ? protocol === 'PROXY' && listeners.find((listener) => listener.protocol === 'istio.io/PROXY')
      : listeners.find((listener) => number(listener.port) === Number(port))
  return bound || listeners.find((listener) => listener.protocol === 'HBONE' && listener.port === 15_008)
}

function classOf(snapshot: MeshSnapshot, gateway: KubeObject): KubeObject | undefined {
  return snapshot.get(KINDS.gatewayClass, '', className(gateway))
}

function className(gateway: KubeObject): string {
  return text(asObject(gateway.spec).gatewayClassName) ?? ''
}

/** `gateway.networking.k8s.io/gateway-name`. */
export const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'
const WAYPOINT_FOR = 'istio.io/waypoint-for'
const INBOUND_BINDING = 'ambient.istio.io/waypoint-inbound-binding'
const WAYPOINT_CONTROLLERS: ReadonlySet<string> = new Set([
  'istio.io/mesh-controller',
  'istio.io/agentgateway-waypoint-controller',
])
const WAYPOINT_CLASSES: ReadonlySet<string> = new Set(['istio-waypoint', 'istio-agentgateway-waypoint'])
