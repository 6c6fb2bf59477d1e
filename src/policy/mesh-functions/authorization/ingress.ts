import type { JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { attributeOf } from '../../../mesh/authorization-attributes.ts'
import { authorizationFor } from '../../../mesh/authorization.ts'
import { isClosedByDefault } from '../../../mesh/default-deny.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { workloadsOf } from '../../../mesh/endpoints.ts'
import { podsOfGateway } from '../../../mesh/gateway-workloads.ts'
import { servicesInFrontOf } from '../../../mesh/inbound.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import {
  destinationReferences,
  gatewayNamed,
  gatewayReferences,
  referencesToGateway,
  referencesToHost,
} from '../../../mesh/references.ts'
import { servicesWithHost, type MeshService } from '../../../mesh/registry.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, workloadOf, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import { IDENTITIES, sourceValues } from './source-values.ts'

/** Workloads behind an ingress gateway for whom no policy says that it is the gateway that may call them; from either side. */
export const uncoveredBehindGateway: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (kindNameOf(object) === KINDS.gateway) return behindGateway(context, mesh, object, params)
  const workload = workloadOf(object)
  if (workload === undefined) return []
  for (const gateway of gatewaysTowards(mesh, workload)) {
    const pods = podsOfGateway(mesh, gateway)
    const gap = gapOf(mesh, workload, identitiesOf(mesh, pods))
    if (gap === undefined) continue
    if (isUnknown(context, mesh, workload)) return [{ field: '', outcome: 'skip' }]
    return [
      {
        field: '',
        message: `${workload.name} is reachable through ${nameOf(context, refOf(gateway), params)}, and ${gap}`,
        remediation: remediationFor(pods),
        related: [relatedTo(context, refOf(gateway), params)],
      },
    ]
  }
  return []
}

/** One finding for each service that a route leads to: its workloads are mostly alike. */
function behindGateway(
  context: MeshContext,
  mesh: MeshSnapshot,
  gateway: KubeObject,
  params: JsonObject,
): readonly (MeshFinding | SkippedPlace)[] {
  const pods = podsOfGateway(mesh, gateway)
  const identities = identitiesOf(mesh, pods)
  if (identities.length === 0) return []
  const field = 'spec.servers'
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const [service, route] of servicesBehind(mesh, gateway)) {
    for (const workload of workloadsOf(mesh, service)) {
      const gap = gapOf(mesh, workload, identities)
      if (gap === undefined) continue
      const ref = refOf(workload.object)
      if (isUnknown(context, mesh, workload)) found.push({ field, outcome: 'skip' })
      else
        found.push({
          field,
          message: `${nameOf(context, ref, params)} is reachable through this Gateway, and ${gap}`,
          remediation: remediationFor(pods),
          related: [relatedTo(context, ref, params), relatedTo(context, refOf(route), params)],
        })
      break
    }
  }
  return found
}

/** The services to which routes of a Gateway lead, each with the first such route. */
function servicesBehind(mesh: MeshSnapshot, gateway: KubeObject): ReadonlyMap<MeshService, KubeObject> {
  const found = new Map<MeshService, KubeObject>()
  for (const { object: route } of referencesToGateway(mesh, `${namespaceOf(gateway)}/${ownName(gateway)}`)) {
    for (const { host } of destinationReferences(route)) {
      for (const service of servicesWithHost(mesh, host)) if (!found.has(service)) found.set(service, route)
    }
  }
  return found
}

/** Of a few files that show no policy of its namespace, nobody knows what covers a workload. */
function isUnknown({ knowledge }: MeshContext, mesh: MeshSnapshot, { namespace }: Workload): boolean {
  return knowledge === 'partial' && mesh.inNamespace(KINDS.authorizationPolicy, namespace).length === 0
}

/** The Gateways whose routes lead to a workload. */
function gatewaysTowards(mesh: MeshSnapshot, workload: Workload): readonly KubeObject[] {
  const routes = servicesInFrontOf(mesh, workload).flatMap(({ host }) => referencesToHost(mesh, host))
  const names = routes.flatMap(({ object }) => gatewayReferences(object).map(({ gateway }) => gateway))
  return [...new Set(names)].flatMap((name) => gatewayNamed(mesh, name) ?? [])
}

/** What is missing; undefined where a policy speaks of the gateway, or nobody knows who the gateway is. */
function gapOf(mesh: MeshSnapshot, workload: Workload, gateway: readonly string[]): string | undefined {
  if (gateway.length === 0 || !hasSidecar(mesh, workload)) return undefined
  if (!isClosedByDefault(mesh, workload))
    return 'no AuthorizationPolicy restricts who may call it: anybody in the mesh may, past the gateway'
  const { ALLOW: allow } = authorizationFor(mesh, workload)
  const isNamed = allow.some((policy) => gateway.some((identity) => names(policy, identity)))
  return isNamed ? undefined : 'no AuthorizationPolicy names the identity of its gateway as a caller'
}

/** Who the pods of a gateway are, in principals; most often all the same. */
function identitiesOf(mesh: MeshSnapshot, pods: readonly Workload[]): readonly string[] {
  const { trustDomain } = meshConfigOf(mesh)
  return [
    ...new Set(pods.map(({ namespace, serviceAccount }) => `${trustDomain}/ns/${namespace}/sa/${serviceAccount}`)),
  ]
}

function remediationFor([pod]: readonly Workload[]): string {
  const account = pod === undefined ? 'the account of the gateway' : `${pod.namespace}/${pod.serviceAccount}`
  return `apply an AuthorizationPolicy with action ALLOW for it and serviceAccounts: ["${account}"] in from.source, beside the other callers it is to have`
}

/** Does a policy name a caller as one who may call? What names everybody names nobody. */
function names(policy: KubeObject, principal: string): boolean {
  const request = { id: '', principal, ip: '', method: 'GET', path: '/', host: '', headers: {}, jwt: undefined }
  const arrival = { request, port: 0, address: '', readsTokens: false }
  return (['principal', 'account', 'namespace'] as const).some((about) =>
    sourceValues(policy, about).some(
      ({ value, isExcluded }) =>
        value !== '*' &&
        !isExcluded &&
        attributeOf(IDENTITIES[about].key)?.matches(value, arrival, namespaceOf(policy)) === true,
    ),
  )
}
