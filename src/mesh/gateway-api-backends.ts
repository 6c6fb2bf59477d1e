import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { blocks, number, text } from './fields.ts'
import { serviceHost } from './hosts.ts'
import { KINDS } from './kinds.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A backend that a Gateway API route names. */
export interface RouteBackend {
  /** `spec.rules[0].backendRefs[1]`, `spec.rules[0].filters[0].requestMirror.backendRef`. */
  readonly field: string
  /** The host of the registry that it means; undefined for a kind that Istio does not send traffic to. */
  readonly host: string | undefined
  readonly port: number | undefined
  readonly namespace: string
  /** May the route use it: is it of the same namespace, or does a ReferenceGrant there allow it? */
  readonly isGranted: boolean
}

/**
 * The backends of an HTTPRoute, GRPCRoute, TLSRoute or TCPRoute, those of mirrors too.
 * istio: config/kube/gateway/conversion.go buildDestination.
 */
export function backendsOf(snapshot: MeshSnapshot, route: KubeObject): readonly RouteBackend[] {
  return asList(asObject(route.spec).rules).flatMap((item, index) => {
    const rule = asObject(item)
    const field = `spec.rules[${index}]`
    const own = backendsOfRule(snapshot, route, rule, field)
    const mirrors = asList(rule.filters).flatMap((filter, at) => {
      const ref = asObject(asObject(filter).requestMirror).backendRef
      if (ref === undefined) return []
      return [backendOf(snapshot, route, asObject(ref), `${field}.filters[${at}].requestMirror.backendRef`)]
    })
    return [...own, ...mirrors]
  })
}

/** Is it a Gateway or a route of the Gateway API, which Istio follows in other ways than VirtualServices? istio: UseGatewaySemantics. */
export function isGatewayApi({ apiVersion }: KubeObject): boolean {
  return apiVersion.startsWith('gateway.networking.k8s.io/')
}

/** The backends of one rule of a route, in order, without those of mirrors. */
export function backendsOfRule(
  snapshot: MeshSnapshot,
  route: KubeObject,
  rule: JsonObject,
  field: string,
): readonly RouteBackend[] {
  return blocks(rule.backendRefs).map((ref, at) => backendOf(snapshot, route, ref, `${field}.backendRefs[${at}]`))
}

function backendOf(snapshot: MeshSnapshot, route: KubeObject, ref: JsonObject, field: string): RouteBackend {
  const namespace = text(ref.namespace) || namespaceOf(route)
  const isForeign = namespace !== namespaceOf(route)
  return {
    field,
    host: hostOf(ref, namespace),
    port: number(ref.port),
    namespace,
    isGranted: !isForeign || hasGrant(snapshot, route, ref, namespace),
  }
}

function hostOf(ref: JsonObject, namespace: string): string | undefined {
  const group = text(ref.group) ?? ''
  const kind = text(ref.kind) ?? 'Service'
  const name = text(ref.name) ?? ''
  if (group === '' && kind === 'Service') return serviceHost(name, namespace)
  // istio: a host of the registry by its name, such as that of a ServiceEntry
  return group === 'networking.istio.io' && kind === 'Hostname' ? name.toLowerCase() : undefined
}

/** gateway-api: ReferenceGrant. */
function hasGrant(snapshot: MeshSnapshot, route: KubeObject, ref: JsonObject, namespace: string): boolean {
  return snapshot.inNamespace(KINDS.referenceGrant, namespace).some((grant) => {
    const spec = asObject(grant.spec)
    const isFrom = blocks(spec.from).some(
      (from) =>
        from.group === 'gateway.networking.k8s.io' && from.kind === route.kind && from.namespace === namespaceOf(route),
    )
    const isTo = blocks(spec.to).some(
      (to) =>
        (text(to.group) ?? '') === (text(ref.group) ?? '') &&
        to.kind === (text(ref.kind) ?? 'Service') &&
        (to.name === undefined || to.name === ref.name),
    )
    return isFrom && isTo
  })
}
