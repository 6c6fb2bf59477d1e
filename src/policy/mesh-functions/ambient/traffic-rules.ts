import { asObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import {
  ambientServicesOfRule,
  ambientServicesOfVirtualService,
  type AmbientService,
} from '../../../mesh/ambient-services.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { blocks } from '../../../mesh/fields.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { waypointsOf } from '../../../mesh/waypoint-gateways.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import { waypointIn } from './waypoints.ts'

/** Routes or traffic policies for captured workloads in a namespace that has no waypoint at all. */
export const unservedNamespace: Find = (context, object) =>
  about(context, object, (mesh, { service, use }) => {
    if (use.reference !== undefined || hasWaypoint(mesh, service.namespace)) return undefined
    const knowsGateways = mesh.inNamespace(KINDS.k8sGateway, service.namespace).length > 0
    if (context.knowledge === 'partial' && !knowsGateways) return 'skip'
    return {
      message: `${service.host} is in ambient and ${service.namespace} has no waypoint: ztunnel does not look at ${object.kind}s, so calls from ambient do not follow this`,
      remediation: 'create a waypoint and enrol the service (label istio.io/use-waypoint)',
    }
  })

/** The same where there is a waypoint, and the service does not use it. */
export const unenrolledService: Find = (context, object) =>
  about(context, object, (mesh, { service, use }) => {
    const isEnrolled =
      use.reference === undefined ? !hasWaypoint(mesh, service.namespace) : context.knowledge === 'partial'
    if (isEnrolled || waypointIn(use) !== undefined) return undefined
    const why =
      use.reference === undefined
        ? 'is not enrolled to a waypoint'
        : `asks for waypoint ${use.reference.namespace}/${use.reference.name}, which does not serve it`
    return {
      message: `${service.host} ${why}: ztunnel does not look at ${object.kind}s, so calls from ambient do not follow this`,
      remediation: 'enrol the service to a waypoint that serves it (label istio.io/use-waypoint)',
    }
  })

/** The same in a namespace from which the service's waypoint takes none. */
export const foreignNamespace: Find = (context, object) =>
  about(context, object, (mesh, { service, use }) => {
    const waypoint = waypointIn(use)
    if (waypoint === undefined) return undefined
    const near = [namespaceOf(waypoint), service.namespace]
    if (kindNameOf(object) === KINDS.destinationRule) near.push(meshConfigOf(mesh).rootNamespace)
    if (near.includes(namespaceOf(object))) return undefined
    return {
      message: `the waypoint of ${service.host} does not look at ${object.kind}s of ${namespaceOf(object)}, so calls through it do not follow this`,
      remediation: `write it into ${service.namespace}, where the service is`,
    }
  })

/** What is wrong with the first captured service that an object is about. */
function about(
  context: MeshContext,
  object: KubeObject,
  judge: (
    mesh: MeshSnapshot,
    found: AmbientService,
  ) => { readonly message: string; readonly remediation: string } | 'skip' | undefined,
): ReturnType<Find> {
  if (!saysAnything(object)) return []
  const mesh = discoveredMesh(context.mesh)
  const isRule = kindNameOf(object) === KINDS.destinationRule
  const field = isRule ? 'spec.host' : 'spec.hosts'
  const services = isRule ? ambientServicesOfRule(mesh, object) : ambientServicesOfVirtualService(mesh, object)
  for (const found of services) {
    const wrong = judge(mesh, found)
    if (wrong === 'skip') return [{ field, outcome: 'skip' }]
    if (wrong !== undefined) return [{ field, ...wrong }]
  }
  return []
}

/** A rule without a policy and without subsets has no effect anywhere. */
function saysAnything(object: KubeObject): boolean {
  const { trafficPolicy, subsets, http, tcp, tls } = asObject(object.spec)
  return (
    Object.keys(asObject(trafficPolicy)).length > 0 || [subsets, http, tcp, tls].some((list) => blocks(list).length > 0)
  )
}

function hasWaypoint(mesh: MeshSnapshot, namespace: string): boolean {
  return waypointsOf(mesh).some((waypoint) => namespaceOf(waypoint) === namespace)
}
