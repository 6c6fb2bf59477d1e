import { asObject, type JsonObject } from '../../../kube/json.ts'
import { namespaceOf, nameOf as ownName, type KubeObject } from '../../../kube/object.ts'
import { ruleHost } from '../../../mesh/destination-rule.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { placedBlocks, placedTexts } from '../../../mesh/fields.ts'
import { takesHost } from '../../../mesh/gateway-bindings.ts'
import { resolveHost } from '../../../mesh/hosts.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { referencesToGateway, referencesToHost, type DestinationReference } from '../../../mesh/references.ts'
import { hostExists, portOf, servicesOf, servicesWithHost } from '../../../mesh/registry.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { MOST_FINDINGS, nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { definesSubset, targetOf } from '../known-services.ts'
import type { MeshContext } from '../mesh-function.ts'

/**
 * What routes still need of an object that goes or changes: the subsets of a DestinationRule, the hosts and ports of a
 * Service or ServiceEntry, a Gateway. Only what was there before and is not after.
 */
export const removedReferences: Find = (context, object, params) => {
  if (context.operation === 'CREATE') return []
  switch (kindNameOf(object)) {
    case KINDS.destinationRule:
      return removedSubsets(context, object, params)
    case KINDS.gateway:
      return context.operation === 'DELETE'
        ? removedGateway(context, object, params)
        : removedGatewayHosts(context, object, params)
    case KINDS.service:
    case KINDS.serviceEntry:
      return removedHosts(context, object, params)
    default:
      return []
  }
}

function removedSubsets(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const host = ruleHost(object)
  const broken = referencesToHost(after, host).filter(
    (reference) => namesDefined(before, reference) && !namesDefined(after, reference),
  )
  return group(broken, ({ subset }) => subset ?? '').map(([subset, references]) => {
    const place = placedBlocks(asObject(object.spec).subsets).find(([, { name }]) => name === subset)
    const field = context.operation !== 'DELETE' || place === undefined ? 'spec.subsets' : `spec.subsets[${place[0]}]`
    return stillUsed(context, params, references, { field, what: `subset "${subset}" of ${host}` })
  })
}

/** Does a destination name a subset that is defined for it? */
function namesDefined(mesh: MeshSnapshot, reference: DestinationReference): boolean {
  return reference.subset !== undefined && definesSubset(targetOf(mesh, reference), reference.subset)
}

function removedGateway(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const name = `${namespaceOf(object)}/${ownName(object)}`
  const references = referencesToGateway(discoveredMesh(context.mesh), name)
  return references.length === 0 ? [] : [stillUsed(context, params, references, { field: '', what: `Gateway ${name}` })]
}

/** Hosts of VirtualServices that a Gateway took before it changed. */
function removedGatewayHosts(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const name = `${namespaceOf(object)}/${ownName(object)}`
  const before = discoveredMesh(context.before).get(KINDS.gateway, namespaceOf(object), ownName(object))
  if (before === undefined) return []
  const users = referencesToGateway(discoveredMesh(context.mesh), name).map((reference) => reference.object)
  const lost = [...new Set(users)].flatMap((user) =>
    placedTexts(asObject(user.spec).hosts).flatMap(([index, host]) => {
      const resolved = resolveHost(host, namespaceOf(user))
      const isLost = takesHost(before, resolved, namespaceOf(user)) && !takesHost(object, resolved, namespaceOf(user))
      return isLost ? [{ object: user, field: `spec.hosts[${index}]`, host }] : []
    }),
  )
  return group(lost, ({ host }) => host).map(([host, references]) =>
    stillUsed(context, params, references, { field: 'spec.servers', what: `${host} at Gateway ${name}` }),
  )
}

function removedHosts(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const known = before.get(kindNameOf(object), namespaceOf(object), ownName(object)) ?? object
  return servicesOf(known).flatMap(({ host }): readonly MeshFinding[] => {
    const references = referencesToHost(after, host)
    const orphans = references.filter(
      ({ object: by }) => hostExists(before, host, namespaceOf(by)) && !hostExists(after, host, namespaceOf(by)),
    )
    if (orphans.length > 0) return [stillUsed(context, params, orphans, { field: '', what: host })]
    const broken = references.filter(({ port }) => hasPort(before, host, port) && !hasPort(after, host, port))
    return group(broken, ({ port }) => String(port)).map(([port, some]) =>
      stillUsed(context, params, some, { field: 'spec.ports', what: `port ${port} of ${host}` }),
    )
  })
}

function hasPort(mesh: MeshSnapshot, host: string, port: number | undefined): boolean {
  return port !== undefined && servicesWithHost(mesh, host).some((service) => portOf(service, port) !== undefined)
}

function stillUsed(
  context: MeshContext,
  params: JsonObject,
  references: readonly { readonly object: KubeObject; readonly field: string }[],
  { field, what }: { readonly field: string; readonly what: string },
): MeshFinding {
  const [first] = references
  const by = first === undefined ? 'a route' : nameOf(context, refOf(first.object), params)
  const more = references.length < 2 ? '' : ` and ${references.length - 1} more`
  return {
    field,
    message: `${what} is still named by ${by}${more}: without it their requests fail`,
    remediation: 'change the routes first, then remove this',
    related: references
      .slice(0, MOST_FINDINGS)
      .map((reference) => relatedTo(context, refOf(reference.object), params, reference.field)),
  }
}

function group<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [string, readonly T[]])[] {
  return [...Map.groupBy(items, keyOf)]
}
