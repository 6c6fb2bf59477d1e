import { asObject, type JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { knownCalls } from '../../../mesh/call-sources.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { placedTexts } from '../../../mesh/fields.ts'
import { isCoveredBy } from '../../../mesh/hosts.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { memoByKey } from '../../../mesh/memo.ts'
import { destinationReferences } from '../../../mesh/references.ts'
import { hostExists, servicesWithHost } from '../../../mesh/registry.ts'
import { scopeOf, sidecarFor } from '../../../mesh/sidecar.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { mergedVirtualService } from '../../../mesh/virtual-service.ts'
import { isVisibleHost } from '../../../mesh/visibility.ts'
import { workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import { scopedWorkloads } from './sidecars.ts'

/**
 * Hosts in use that a Sidecar hides: of a Sidecar, those that its workloads saw and need; of a VirtualService, its destinations; of
 * a ServiceEntry, its hosts that somebody beside it needs.
 */
export const hiddenHosts: Find = (context, object, params) => {
  switch (kindNameOf(object)) {
    case KINDS.sidecar:
      return newlyHidden(context, object, params)
    case KINDS.virtualService:
      return hiddenDestinations(context, object, params)
    case KINDS.serviceEntry:
      return hiddenEntry(context, object, params)
    default:
      return []
  }
}

/** A place that sends requests to a host: a route, an annotation, another policy. */
interface Use {
  readonly host: string
  readonly object: KubeObject
  readonly field: string
}

function newlyHidden(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const namespace = namespaceOf(object)
  const found = new Map<string, MeshFinding>()
  const routes = routesIn(after, namespace)
  const [saw, sees] = [sightIn(before, namespace), sightIn(after, namespace)]
  for (const client of scopedWorkloads(after, object)) {
    const [then, now] = [sidecarFor(before, client), sidecarFor(after, client)]
    // Nothing else has changed, so such a workload sees what it saw.
    if (then === now) continue
    for (const { host, object: user, field } of usesOf(before, client, routes)) {
      if (found.has(host) || !saw(then, host) || sees(now, host)) continue
      found.set(host, {
        field: 'spec.egress',
        message: `${host} is hidden from ${client.name} from now on, and ${nameOf(context, refOf(user), params)} needs it: those requests get 502 or 503`,
        remediation: remedy(before, host),
        related: [relatedTo(context, refOf(user), params, field)],
      })
    }
  }
  return [...found.values()]
}

function hiddenDestinations(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const mesh = discoveredMesh(context.mesh)
  if (mergedVirtualService(mesh, object)?.gateways.includes('mesh') !== true) return []
  const uses = destinationReferences(object).map((reference) => ({ ...reference, field: `${reference.field}.host` }))
  const namespace = namespaceOf(object)
  // the first for each Sidecar speaks for all, as it is not a matter of who uses the route
  const clients = workloadsIn(mesh, namespace).toReversed()
  const bySidecar = new Map(clients.map((client) => [sidecarFor(mesh, client), client]))
  return hiddenFrom({ mesh, namespace }, bySidecar.values(), () => uses).map(({ use, client, sidecar }) => ({
    field: use.field,
    message: `${use.host} is hidden from ${client.name} by ${nameOf(context, refOf(sidecar), params)}: requests routed there get 502 or 503`,
    remediation: remedy(mesh, use.host),
    related: [relatedTo(context, refOf(sidecar), params, 'spec.egress')],
    atMost: 'Warn',
  }))
}

function hiddenEntry(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const mesh = discoveredMesh(context.mesh)
  const hosts = placedTexts(asObject(object.spec).hosts)
  const indexOf = (host: string): number => hosts.find(([, own]) => isCoveredBy(host, own.toLowerCase()))?.[0] ?? -1
  const routes = routesIn(mesh, namespaceOf(object))
  const usesOfEntry = (client: Workload): readonly Use[] =>
    usesOf(mesh, client, routes).filter(({ host, object: user }) => indexOf(host) >= 0 && !isSameObject(user, object))
  const namespace = namespaceOf(object)
  return hiddenFrom({ mesh, namespace }, workloadsIn(mesh, namespace), usesOfEntry).map(({ use, client, sidecar }) => ({
    field: `spec.hosts[${indexOf(use.host)}]`,
    message: `${use.host} is hidden from ${client.name} by ${nameOf(context, refOf(sidecar), params)}, and ${nameOf(context, refOf(use.object), params)} needs it: those requests get 502 or 503`,
    remediation: remedy(mesh, use.host),
    related: [
      relatedTo(context, refOf(sidecar), params, 'spec.egress'),
      relatedTo(context, refOf(use.object), params, use.field),
    ],
    atMost: 'Warn',
  }))
}

/** The uses of hosts that exist and that a Sidecar of the namespace hides from who uses them, each place once. */
function hiddenFrom(
  { mesh, namespace }: { readonly mesh: MeshSnapshot; readonly namespace: string },
  clients: Iterable<Workload>,
  usesBy: (client: Workload) => readonly Use[],
): readonly { readonly use: Use; readonly client: Workload; readonly sidecar: KubeObject }[] {
  const found = new Map<string, { use: Use; client: Workload; sidecar: KubeObject }>()
  const sees = sightIn(mesh, namespace)
  for (const client of clients) {
    const sidecar = sidecarFor(mesh, client)
    if (sidecar === undefined) continue
    for (const use of usesBy(client)) {
      const key = `${use.field} ${use.host}`
      if (found.has(key) || sees(sidecar, use.host)) continue
      if (hostExists(mesh, use.host, namespace)) found.set(key, { use, client, sidecar })
    }
  }
  return [...found.values()]
}

/** Does a Sidecar, or none, show a host to proxies of a namespace? Workloads that are alike ask the same again and again. */
function sightIn(mesh: MeshSnapshot, namespace: string): (sidecar: KubeObject | undefined, host: string) => boolean {
  const known = new Map<KubeObject | undefined, (host: string) => boolean>()
  return (sidecar, host) => {
    const sees =
      known.get(sidecar) ?? memoByKey(String, (each) => isVisibleHost(mesh, scopeOf(namespace, sidecar), each))
    known.set(sidecar, sees)
    return sees(host)
  }
}

function routesIn(mesh: MeshSnapshot, namespace: string): readonly Use[] {
  return mesh.inNamespace(KINDS.virtualService, namespace).flatMap((route) => destinationReferences(route))
}

/** What a Sidecar itself imports is no sign that somebody needs it. */
function usesOf(mesh: MeshSnapshot, client: Workload, routes: readonly Use[]): readonly Use[] {
  return [...routes, ...knownCalls(mesh, client)].filter(({ object }) => kindNameOf(object) !== KINDS.sidecar)
}

function remedy(mesh: MeshSnapshot, host: string): string {
  const owner = servicesWithHost(mesh, host)[0]?.namespace ?? '*'
  return `add "${owner}/${host}" to the hosts of an egress listener`
}
