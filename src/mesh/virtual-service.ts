import { asList, asObject, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { delegateRoutes } from './delegate.ts'
import { exportsOf, isExportedTo, type Exports } from './exports.ts'
import { block, blocks, placedBlocks, text, texts } from './fields.ts'
import { resolveHost } from './hosts.ts'
import { gatewayKey } from './indexes.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A VirtualService as Istio uses it: names resolved, the routes of its delegates in the place of the delegation. */
export interface VirtualService {
  readonly object: KubeObject
  readonly hosts: readonly string[]
  /** `mesh`, or `namespace/name`. */
  readonly gateways: readonly string[]
  readonly http: readonly RouteEntry[]
  readonly tcp: readonly RouteEntry[]
  readonly tls: readonly RouteEntry[]
}

/** An entry of `http`, `tcp` or `tls` and where it is written: in the VirtualService itself or in a delegate. */
export interface RouteEntry {
  readonly spec: JsonObject
  readonly object: KubeObject
  /** `spec.http[2]`. */
  readonly field: string
}

/**
 * The VirtualService, with its delegates merged in; undefined for one without hosts, which is itself a delegate. An entry whose
 * delegate is missing, or not exported to the namespace, is dropped. One level only, so cycles end.
 * istio: model/virtualservice_controller.go mergeVirtualServices.
 */
export function mergedVirtualService(snapshot: MeshSnapshot, object: KubeObject): VirtualService | undefined {
  const own = resolved(object)
  if (own.hosts.length === 0) return undefined
  if (!own.http.some(({ spec }) => block(spec.delegate) !== undefined)) return own
  const http = own.http.flatMap((entry): readonly RouteEntry[] => {
    const reference = block(entry.spec.delegate)
    if (reference === undefined) return [entry]
    const delegate = delegateOf(snapshot, object, reference)
    return delegate === undefined ? [] : delegateRoutes(entry, resolved(delegate).http)
  })
  return { ...own, http }
}

/** The VirtualService that an entry of `object` delegates to, if there is one that it may use. */
export function delegateOf(snapshot: MeshSnapshot, object: KubeObject, reference: JsonObject): KubeObject | undefined {
  const namespace = text(reference.namespace) || namespaceOf(object)
  const delegate = snapshot.get(KINDS.virtualService, namespace, text(reference.name) ?? '')
  if (delegate === undefined || texts(asObject(delegate.spec).hosts).length > 0) return undefined
  return isExportedTo(virtualServiceExports(snapshot, delegate), namespaceOf(object)) ? delegate : undefined
}

/** Where a VirtualService can be seen. istio: virtualservice_controller.go convertExportToSet. */
export function virtualServiceExports(snapshot: MeshSnapshot, object: KubeObject): Exports {
  const { defaultVirtualServiceExportTo } = meshConfigOf(snapshot)
  return exportsOf(texts(asObject(object.spec).exportTo), namespaceOf(object), defaultVirtualServiceExportTo)
}

/** `namespace/name`. */
export function virtualServiceName(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`
}

/** Every destination of an entry: its routes and its mirrors, with their place in it. */
export function destinationsOf(
  entry: JsonObject,
): readonly { readonly destination: JsonObject; readonly field: string }[] {
  const found: { destination: JsonObject; field: string }[] = []
  const add = (value: Json | undefined, field: string): void => {
    const destination = block(value)
    if (destination !== undefined) found.push({ destination, field })
  }
  for (const [index, item] of asList(entry.route).entries())
    add(asObject(item).destination, `route[${index}].destination`)
  add(entry.mirror, 'mirror')
  for (const [index, item] of asList(entry.mirrors).entries()) {
    add(asObject(item).destination, `mirrors[${index}].destination`)
  }
  return found
}

/** istio: model/virtualservice.go ResolveVirtualServiceShortnames. */
const resolved: (object: KubeObject) => VirtualService = memo((object) => {
  const spec = asObject(object.spec)
  const namespace = namespaceOf(object)
  const gateways = texts(spec.gateways).map((name) => gatewayKey(name, namespace))
  const entries = (kind: 'http' | 'tcp' | 'tls'): readonly RouteEntry[] =>
    placedBlocks(spec[kind]).map(([index, entry]) => ({
      spec: resolveEntry(entry, namespace),
      object,
      field: `spec.${kind}[${index}]`,
    }))
  return {
    object,
    hosts: texts(spec.hosts).map((host) => resolveHost(host, namespace)),
    gateways: gateways.length === 0 ? ['mesh'] : gateways,
    http: entries('http'),
    tcp: entries('tcp'),
    tls: entries('tls'),
  }
})

function resolveEntry(entry: JsonObject, namespace: string): JsonObject {
  const changed: Record<string, Json | undefined> = { ...entry }
  const destination = (value: Json | undefined): Json | undefined => {
    const { host } = asObject(value)
    return typeof host === 'string' ? { ...asObject(value), host: resolveHost(host, namespace) } : value
  }
  const withDestination = (value: JsonObject): JsonObject => ({ ...value, destination: destination(value.destination) })
  if (entry.route !== undefined) changed.route = blocks(entry.route).map(withDestination)
  if (entry.mirror !== undefined) changed.mirror = destination(entry.mirror)
  if (entry.mirrors !== undefined) changed.mirrors = blocks(entry.mirrors).map(withDestination)
  if (entry.match !== undefined) {
    changed.match = blocks(entry.match).map((match) => resolveMatch(match, namespace))
  }
  return changed
}

function resolveMatch(match: JsonObject, namespace: string): JsonObject {
  if (match.gateways === undefined) return match
  return { ...match, gateways: texts(match.gateways).map((name) => gatewayKey(name, namespace)) }
}
