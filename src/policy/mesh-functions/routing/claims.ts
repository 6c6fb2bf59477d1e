import { asObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { creationOf } from '../../../mesh/age.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { isExportedTo } from '../../../mesh/exports.ts'
import { texts } from '../../../mesh/fields.ts'
import { hostBindings, type BindingObstacle } from '../../../mesh/gateway-bindings.ts'
import { resolveHost } from '../../../mesh/hosts.ts'
import { virtualServicesByHost } from '../../../mesh/indexes.ts'
import { shadowedMatches } from '../../../mesh/route-reachability.ts'
import { isSameObject, refOf } from '../../../mesh/snapshot.ts'
import { virtualServiceExports } from '../../../mesh/virtual-service.ts'
import { MOST_FINDINGS, nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Hosts that another VirtualService of the mesh routes too: sidecars take one of the two and drop the other. */
export const rivalHosts: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (!isForMesh(object)) return []
  const found: MeshFinding[] = []
  for (const [index, host] of texts(asObject(object.spec).hosts).entries()) {
    const rival = mesh
      .find(virtualServicesByHost, resolveHost(host, namespaceOf(object)))
      .find((other) => !isSameObject(other, object) && isForMesh(other) && meet(other))
    if (rival === undefined) continue
    const field = `spec.hosts[${index}]`
    const isOlder = creationOf(rival) <= creationOf(object)
    found.push({
      field,
      message: `${host} is routed by ${nameOf(context, refOf(rival), params)} too: sidecars do not merge the two, so ${isOlder ? 'these routes are ignored' : 'those routes are ignored'}`,
      remediation: 'put all routes of the host into one VirtualService, or delegate to the other',
      related: [relatedTo(context, refOf(rival), params, 'spec.hosts')],
    })
    if (found.length === MOST_FINDINGS) break
  }
  return found

  /** Is there a client that is given both? */
  function meet(other: KubeObject): boolean {
    const [own, others] = [virtualServiceExports(mesh, object), virtualServiceExports(mesh, other)]
    if (own === 'everywhere') return others === 'everywhere' || others.size > 0
    return [...own].some((namespace) => isExportedTo(others, namespace))
  }
}

/** Without a list of gateways a VirtualService is for the mesh; without hosts it is a delegate, for nobody. */
function isForMesh(object: KubeObject): boolean {
  const gateways = texts(asObject(object.spec).gateways)
  return gateways.length === 0 || gateways.includes('mesh')
}

/** Entries that no request reaches, since an earlier one takes all that they would. */
export const unreachableRoutes: Find = (_context, object) => shadowed(object, (field) => !field.includes('.match['))

/** Conditions that no request reaches, beside others of their entry that one may. */
export const ineffectiveMatches: Find = (_context, object) => shadowed(object, (field) => field.includes('.match['))

function shadowed(object: KubeObject, isAsked: (field: string) => boolean): readonly MeshFinding[] {
  return shadowedMatches(object)
    .filter(({ field }) => isAsked(field))
    .slice(0, MOST_FINDINGS)
    .map(({ field, by }) => ({
      field,
      message: `no request gets here: ${by} comes first and takes all that this would`,
      remediation: `put this before ${by}, or remove it`,
    }))
}

/** Hosts that the Gateways which are named do not serve. */
export const unboundHosts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  return hostBindings(mesh, object)
    .flatMap(({ host, field, obstacle }): readonly MeshFinding[] => {
      const reason = obstacle === undefined ? undefined : whyUnbound(obstacle, host, namespaceOf(object))
      return reason === undefined
        ? []
        : [{ field, message: reason, remediation: 'add the host to a server of the Gateway, or name another Gateway' }]
    })
    .slice(0, MOST_FINDINGS)
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
