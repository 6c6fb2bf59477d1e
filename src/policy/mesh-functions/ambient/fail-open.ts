import { asObject, type JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { eachWaypointBypass } from '../../../mesh/ambient-bypass.ts'
import { gapsUnder, mayHaveGaps, type PeerGap } from '../../../mesh/ambient-peer-gaps.ts'
import { placesOfPolicy } from '../../../mesh/ambient-reach.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { isNamespaceWide } from '../../../mesh/peer-authentication.ts'
import { targetRefsOf } from '../../../mesh/policy-attachment.ts'
import type { MeshService } from '../../../mesh/registry.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { servicesOfWaypoint } from '../../../mesh/waypoint-attachment.ts'
import { waypointPolicies } from '../../../mesh/waypoint-policies.ts'
import { placeOf } from '../mtls/accepted-plaintext.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

/** Ports of captured workloads that accept plaintext although PeerAuthentications demand mTLS. */
export const openPorts: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const [gap] = firstGap(mesh, object)
  if (gap === undefined) return []
  const { workload, port, demanded } = gap
  const by = demanded.object === undefined ? '' : ` (${nameOf(context, refOf(demanded.object), params)} demands it)`
  const isOwn = demanded.object !== undefined && isSameObject(demanded.object, object)
  return [
    {
      field: isOwn ? demanded.field : 'spec',
      message: `${placeOf(context, { workload, port, decided: demanded }, params)} accepts plaintext although mTLS is STRICT there${by}: Istio makes nothing for ztunnel of this combination of policies`,
      remediation:
        'set mode STRICT for the namespace or the workload as a whole, with the ports that may be PERMISSIVE as exceptions',
      related:
        demanded.object === undefined ? [] : [relatedTo(context, refOf(demanded.object), params, demanded.field)],
    },
  ]
}

/** Gaps come from policies that name ports: of one without a selector, those are looked at which it stands above. */
function* firstGap(mesh: MeshSnapshot, policy: KubeObject): Generator<PeerGap> {
  if (!isNamespaceWide(policy)) return yield* gapsUnder(mesh, policy)
  const own = namespaceOf(policy)
  const isForMesh = own === meshConfigOf(mesh).rootNamespace
  for (const namespace of isForMesh ? mesh.namespacesWith(KINDS.peerAuthentication) : [own]) {
    if (!mayHaveGaps(mesh, namespace)) continue
    for (const other of mesh.inNamespace(KINDS.peerAuthentication, namespace)) {
      const ports = asObject(asObject(other.spec).portLevelMtls)
      if (!isNamespaceWide(other) && Object.keys(ports).length > 0) yield* gapsUnder(mesh, other)
    }
  }
}

/**
 * Workloads that can be reached past the waypoint that guards them. A policy that closes the way may come later, so this warns; taking
 * that away does not.
 */
export const bypasses: Find = (context, object, params) => {
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const own = context.operation === 'DELETE' ? [] : guarded(after, object)
  const ownGuards = new Set(own)
  const isChange = context.operation !== 'CREATE' && kindNameOf(object) === KINDS.authorizationPolicy
  const around = isChange ? guardedByOthers(after, object) : []
  const seen = new Set<string>()
  return [...own, ...around]
    .filter(({ service }) => !seen.has(service.host) && seen.add(service.host))
    .flatMap((guard): readonly (MeshFinding | SkippedPlace)[] => {
      const [bypass] = eachWaypointBypass(after, guard.waypoint, guard.service)
      if (bypass === undefined) return []
      const isOpened = isChange && eachWaypointBypass(before, guard.waypoint, guard.service).next().done === true
      if (!isOpened && !ownGuards.has(guard)) return []
      const field = context.operation === 'DELETE' ? '' : 'spec'
      const knowsPolicies = after.inNamespace(KINDS.authorizationPolicy, guard.service.namespace).length > 0
      if (context.knowledge === 'partial' && !knowsPolicies) return [{ field, outcome: 'skip' }]
      return [
        {
          field,
          ...bypassFinding(context, { ...guard, name: bypass.workload.name }, params),
          ...(isOpened ? {} : { atMost: 'Warn' as const }),
        },
      ]
    })
}

interface Guarded {
  readonly waypoint: KubeObject
  readonly service: MeshService
}

/** What a policy guards at waypoints, or what of a waypoint is guarded by any. */
function guarded(mesh: MeshSnapshot, object: KubeObject): readonly Guarded[] {
  if (kindNameOf(object) === KINDS.k8sGateway) {
    return servicesOfWaypoint(mesh, object)
      .filter((service) => waypointPolicies(mesh, KINDS.authorizationPolicy, object, service).length > 0)
      .map((service) => ({ waypoint: object, service }))
  }
  // waypoints look at no selectors, and there may be a great many workloads
  if (targetRefsOf(object).length === 0) return []
  const found: Guarded[] = []
  for (const place of placesOfPolicy(mesh, object)) {
    if (place.kind === 'waypoint' && place.service !== undefined)
      found.push({ waypoint: place.waypoint, service: place.service })
  }
  return found
}

/** The services that the other policies of a policy's namespace guard at their waypoints. */
function guardedByOthers(mesh: MeshSnapshot, policy: KubeObject): readonly Guarded[] {
  const others = mesh.inNamespace(KINDS.authorizationPolicy, namespaceOf(policy))
  return others.filter((other) => !isSameObject(other, policy)).flatMap((other) => guarded(mesh, other))
}

function bypassFinding(
  context: MeshContext,
  { waypoint, service, name }: Guarded & { readonly name: string },
  params: JsonObject,
): Omit<MeshFinding, 'field'> {
  const gateway = nameOf(context, refOf(waypoint), params)
  const account = `${namespaceOf(waypoint)}/${ownName(waypoint)}`
  return {
    message: `${name} can be reached past ${gateway}, which enforces what is said of ${service.host}: whoever connects to the pod's own address meets ztunnel alone`,
    remediation: `apply an AuthorizationPolicy in ${service.namespace} that selects these pods and allows serviceAccounts: ["${account}"] only`,
    related: [relatedTo(context, refOf(waypoint), params)],
  }
}
