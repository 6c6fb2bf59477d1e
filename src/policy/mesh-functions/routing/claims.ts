import { asObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { creationOf } from '../../../mesh/age.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { exportsMeet } from '../../../mesh/exports.ts'
import { placedTexts, texts } from '../../../mesh/fields.ts'
import { gatewaysWithoutHosts, hostBindings, type BindingObstacle } from '../../../mesh/gateway-bindings.ts'
import { hostsOverlap, isWildcard, resolveHost } from '../../../mesh/hosts.ts'
import { virtualServicesByHost, virtualServicesWithWildcard, WILDCARD } from '../../../mesh/indexes.ts'
import { kubernetesGateway, listensFor } from '../../../mesh/kubernetes-gateway.ts'
import { gatewayReferences, type GatewayReference } from '../../../mesh/references.ts'
import { shadowedMatches, type ShadowedMatch } from '../../../mesh/route-reachability.ts'
import { isSameObject, refOf } from '../../../mesh/snapshot.ts'
import { virtualServiceExports } from '../../../mesh/virtual-service.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/**
 * Hosts that another VirtualService of the mesh routes too: sidecars take one of the two and drop the other. Of wildcards that
 * overlap they take the closer one for each host, as of a wildcard and a name in it; only of wildcards is that seldom meant.
 */
export const rivalHosts: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (!isForMesh(object)) return []
  const exports = virtualServiceExports(mesh, object)
  const isRival = (other: KubeObject): boolean =>
    !isSameObject(other, object) && isForMesh(other) && exportsMeet(exports, virtualServiceExports(mesh, other))
  return placedTexts(asObject(object.spec).hosts).flatMap(([index, host]): readonly MeshFinding[] => {
    const field = `spec.hosts[${index}]`
    const name = resolveHost(host, namespaceOf(object))
    const rival = mesh.find(virtualServicesByHost, name).find(isRival)
    if (rival !== undefined) return [sameHost(host, rival, field)]
    for (const other of isWildcard(name) ? mesh.find(virtualServicesWithWildcard, WILDCARD) : []) {
      const wildcard = hostsOf(other).find((each) => isWildcard(each) && hostsOverlap(each, name))
      if (wildcard !== undefined && isRival(other)) return [overlappingHost({ host, wildcard }, other, field)]
    }
    return []
  })

  function sameHost(host: string, rival: KubeObject, field: string): MeshFinding {
    const isOlder = creationOf(rival) <= creationOf(object)
    return {
      field,
      message: `${host} is routed by ${nameOf(context, refOf(rival), params)} too: sidecars do not merge the two, so ${isOlder ? 'these routes are ignored' : 'those routes are ignored'}`,
      remediation: 'put all routes of the host into one VirtualService, or delegate to the other',
      related: [relatedTo(context, refOf(rival), params, 'spec.hosts')],
    }
  }

  function overlappingHost(
    { host, wildcard }: { readonly host: string; readonly wildcard: string },
    rival: KubeObject,
    field: string,
  ): MeshFinding {
    return {
      field,
      message: `${host} overlaps with ${wildcard} of ${nameOf(context, refOf(rival), params)}: sidecars do not merge the two, each host gets the routes of the closer one alone`,
      remediation: 'write hosts that do not overlap, or put all routes into one VirtualService',
      related: [relatedTo(context, refOf(rival), params, 'spec.hosts')],
      atMost: 'Warn',
    }
  }
}

function hostsOf(object: KubeObject): readonly string[] {
  return texts(asObject(object.spec).hosts).map((host) => resolveHost(host, namespaceOf(object)))
}

/** Without a list of gateways a VirtualService is for the mesh; without hosts it is a delegate, for nobody. */
function isForMesh(object: KubeObject): boolean {
  const gateways = texts(asObject(object.spec).gateways)
  return gateways.length === 0 || gateways.includes('mesh')
}

/** Entries that no request reaches, since an earlier one takes all that they would. */
export const unreachableRoutes: Find = (_context, object) => shadowed(object, 'entry')

/** Conditions that nothing meets, since an earlier one takes all that would. */
export const ineffectiveMatches: Find = (_context, object) => shadowed(object, 'condition')

function shadowed(object: KubeObject, what: ShadowedMatch['of']): readonly MeshFinding[] {
  return shadowedMatches(object)
    .filter((each) => each.of === what)
    .map(({ field, by }) => ({
      field,
      message: `no ${field.startsWith('spec.http') ? 'request' : 'connection'} gets here: ${by} comes first and takes all that this would`,
      remediation: `put this before ${by}, or remove it`,
    }))
}

/** Hosts that the Gateways which are named do not serve, and Gateways that take none of the hosts. */
export const unboundHosts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const ofGatewayApi = new Map(
    gatewayReferences(object).flatMap(({ gateway }) => {
      const found = kubernetesGateway(mesh, gateway)
      return found === undefined ? [] : [[gateway, found]]
    }),
  )
  const bindings = hostBindings(mesh, object)
  const unbound = bindings.flatMap(({ host, field, obstacle }): readonly MeshFinding[] => {
    if (obstacle === undefined || [...ofGatewayApi.values()].some((gateway) => listensFor(gateway, host))) return []
    const reason = ofGatewayApi.has(obstacle.gateway) ? 'host-not-accepted' : obstacle.reason
    const message = whyUnbound({ ...obstacle, reason }, host, namespaceOf(object))
    if (message === undefined) return []
    return [{ field, message, remediation: 'add the host to a server of the Gateway, or name another Gateway' }]
  })
  // where no host is served anywhere, that is said of the hosts
  const idle = unbound.length < bindings.length ? gatewaysWithoutHosts(mesh, object).map(idleGateway) : []
  return [...unbound, ...idle]
}

function idleGateway({ gateway, field }: GatewayReference): MeshFinding {
  return {
    field,
    message: `no server of Gateway ${gateway} takes any of these hosts, so naming it changes nothing`,
    remediation: 'add a host to a server of the Gateway, or leave the Gateway out',
  }
}

/** Other obstacles have rules of their own. */
function whyUnbound({ reason, gateway }: BindingObstacle, host: string, namespace: string): string | undefined {
  switch (reason) {
    case 'host-not-accepted':
      return `no server of Gateway ${gateway} has a host that covers ${host}, so nothing outside reaches these routes`
    case 'namespace-not-accepted':
      return `Gateway ${gateway} takes ${host} from other namespaces than ${namespace}, so nothing outside reaches these routes`
    case 'not-exported':
      return `this is not exported to the namespace of Gateway ${gateway}'s pods, so ${host} is not served there`
    default:
      return undefined
  }
}
