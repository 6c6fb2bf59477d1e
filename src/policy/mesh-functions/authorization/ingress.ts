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
  gatewayReferences,
  referencesToGateway,
  referencesToHost,
} from '../../../mesh/references.ts'
import { servicesWithHost } from '../../../mesh/registry.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, workloadOf, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { IDENTITIES, sourceValues } from './source-values.ts'

/** Workloads behind an ingress gateway for whom no policy says that it is the gateway that may call them; from either side. */
export const uncoveredBehindGateway: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (kindNameOf(object) === KINDS.gateway) return behindGateway(context, mesh, object, params)
  const workload = workloadOf(object)
  if (workload === undefined) return []
  for (const gateway of gatewaysTowards(mesh, workload)) {
    const gap = gapOf(mesh, workload, gateway)
    if (gap === undefined) continue
    return [
      {
        field: '',
        message: `${workload.name} is reachable through ${nameOf(context, refOf(gateway), params)}, and ${gap}`,
        remediation: remediationFor(mesh, gateway),
        related: [relatedTo(context, refOf(gateway), params)],
      },
    ]
  }
  return []
}

const behindGateway = (
  context: Parameters<Find>[0],
  mesh: MeshSnapshot,
  gateway: KubeObject,
  params: Parameters<Find>[2],
): readonly MeshFinding[] => {
  const found: MeshFinding[] = []
  const seen = new Set<Workload>()
  for (const { object: route } of referencesToGateway(mesh, `${namespaceOf(gateway)}/${ownName(gateway)}`)) {
    for (const { host } of destinationReferences(route)) {
      for (const workload of servicesWithHost(mesh, host).flatMap((service) => workloadsOf(mesh, service))) {
        if (seen.has(workload)) continue
        seen.add(workload)
        const gap = gapOf(mesh, workload, gateway)
        if (gap === undefined) continue
        const ref = refOf(workload.object)
        found.push({
          field: 'spec.servers',
          message: `${nameOf(context, ref, params)} is reachable through this Gateway, and ${gap}`,
          remediation: remediationFor(mesh, gateway),
          related: [relatedTo(context, ref, params), relatedTo(context, refOf(route), params)],
        })
      }
    }
  }
  return found
}

/** The Gateways whose routes lead to a workload. */
function gatewaysTowards(mesh: MeshSnapshot, workload: Workload): readonly KubeObject[] {
  const routes = servicesInFrontOf(mesh, workload).flatMap(({ host }) => referencesToHost(mesh, host))
  const names = routes.flatMap(({ object }) => gatewayReferences(object).map(({ gateway }) => gateway))
  return [...new Set(names)].flatMap((name) => {
    const [namespace = '', own] = name.split('/')
    const gateway = own === undefined ? undefined : mesh.get(KINDS.gateway, namespace, own)
    return gateway === undefined ? [] : [gateway]
  })
}

/** What is missing; undefined where a policy speaks of the gateway, or nobody knows who the gateway is. */
function gapOf(mesh: MeshSnapshot, workload: Workload, gateway: KubeObject): string | undefined {
  const pods = podsOfGateway(mesh, gateway)
  if (pods.length === 0 || !hasSidecar(mesh, workload)) return undefined
  if (!isClosedByDefault(mesh, workload))
    return 'no AuthorizationPolicy restricts who may call it: anybody in the mesh may, past the gateway'
  const { ALLOW: allow } = authorizationFor(mesh, workload)
  const { trustDomain } = meshConfigOf(mesh)
  const isNamed = pods.some(({ namespace, serviceAccount }) =>
    allow.some((policy) => names(policy, `${trustDomain}/ns/${namespace}/sa/${serviceAccount}`)),
  )
  return isNamed ? undefined : 'no AuthorizationPolicy names the identity of its gateway as a caller'
}

function remediationFor(mesh: MeshSnapshot, gateway: KubeObject): string {
  const [pod] = podsOfGateway(mesh, gateway)
  const account = pod === undefined ? 'the account of the gateway' : `${pod.namespace}/${pod.serviceAccount}`
  return `apply an AuthorizationPolicy with action ALLOW for it and serviceAccounts: ["${account}"] in from.source`
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
