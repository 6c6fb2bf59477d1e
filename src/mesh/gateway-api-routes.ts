import { asObject, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { byAge } from './age.ts'
import { blocks, number, placedBlocks, text, texts } from './fields.ts'
import { backendsOfRule } from './gateway-api-backends.ts'
import { connectionEntry, httpEntries, inOrderOfMatch, type RouteRule } from './gateway-api-rules.ts'
import { listenerName, serversOfListeners } from './gateway-api-servers.ts'
import { mergedServers, targetPorts } from './gateway-merge.ts'
import type { GatewayProxy } from './gateway-routes.ts'
import { hostsOverlap, isCoveredBy, isWildcard } from './hosts.ts'
import { KINDS, type KindName } from './kinds.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { VirtualService } from './virtual-service.ts'
import type { Workload } from './workloads.ts'

/** A pod of a Gateway of the Gateway API, with its listeners as servers, and the routes attached to each as VirtualServices. */
export function kubernetesGatewayProxy(snapshot: MeshSnapshot, pod: Workload, gateway: KubeObject): GatewayProxy {
  const known = new Map<string, readonly VirtualService[]>()
  const listeners = blocks(asObject(gateway.spec).listeners)
  const servers = serversOfListeners(snapshot, gateway)
  return {
    snapshot,
    merged: { pod, ...mergedServers(servers, targetPorts(snapshot, pod)) },
    virtualServicesOf(name) {
      const listener = listeners.find((candidate) => listenerName(gateway, candidate) === name)
      const found = known.get(name) ?? (listener === undefined ? [] : attachedRoutes(snapshot, gateway, listener))
      known.set(name, found)
      return found
    },
  }
}

/** The routes that attach to a listener, in the form of VirtualServices. istio: config/kube/gateway/route_collections.go. */
function attachedRoutes(snapshot: MeshSnapshot, gateway: KubeObject, listener: JsonObject): readonly VirtualService[] {
  const attached = (kind: KindName): readonly KubeObject[] =>
    byAge(snapshot.all(kind)).filter((route) => attaches(route, gateway, listener))
  const name = listenerName(gateway, listener)
  const http = [...attached(KINDS.httpRoute), ...attached(KINDS.grpcRoute)]
  const byHost = new Map<string, KubeObject[]>()
  for (const route of http) {
    for (const host of hostsOf(route)) {
      if (!isOfListener(host, gateway, listener)) continue
      byHost.set(host, [...(byHost.get(host) ?? []), route])
    }
  }
  const merged = [...byHost].flatMap(([host, routes]): readonly VirtualService[] => {
    const [object] = byAge(routes)
    const entries = byAge(routes).flatMap((route) => rulesOf(snapshot, route).flatMap(httpEntries))
    if (object === undefined) return []
    return [{ object, hosts: [host], gateways: [name], http: inOrderOfMatch(entries), tcp: [], tls: [] }]
  })
  const tcp = attached(KINDS.tcpRoute).map((object): VirtualService => {
    const entries = rulesOf(snapshot, object).map((rule) => connectionEntry(rule))
    return { object, hosts: ['*'], gateways: [name], http: [], tcp: entries, tls: [] }
  })
  const tls = attached(KINDS.tlsRoute).map((object): VirtualService => {
    const hosts = hostsOf(object).flatMap((host) => narrowed(host, text(listener.hostname)))
    const entries = rulesOf(snapshot, object).map((rule) => connectionEntry(rule, hosts))
    return { object, hosts, gateways: [name], http: [], tcp: [], tls: entries }
  })
  return [...merged, ...tcp, ...tls]
}

function rulesOf(snapshot: MeshSnapshot, route: KubeObject): readonly RouteRule[] {
  return placedBlocks(asObject(route.spec).rules).map(([index, rule]) => {
    const field = `spec.rules[${index}]`
    return { route, rule, field, backends: backendsOfRule(snapshot, route, rule, field) }
  })
}

/** Does a route name the listener, and does the listener take routes of its kind? Whether it takes its namespace is a matter of hosts. */
function attaches(route: KubeObject, gateway: KubeObject, listener: JsonObject): boolean {
  const kinds = blocks(asObject(listener.allowedRoutes).kinds)
  if (kinds.length > 0 && !kinds.some(({ kind }) => kind === route.kind)) return false
  return blocks(asObject(route.spec).parentRefs).some(
    (parent) =>
      (text(parent.kind) || 'Gateway') === 'Gateway' &&
      (text(parent.namespace) || namespaceOf(route)) === namespaceOf(gateway) &&
      parent.name === nameOf(gateway) &&
      ['', text(listener.name)].includes(text(parent.sectionName) ?? '') &&
      [0, number(listener.port)].includes(number(parent.port) ?? 0),
  )
}

function hostsOf(route: KubeObject): readonly string[] {
  const hosts = texts(asObject(route.spec).hostnames).map((host) => host.toLowerCase())
  return hosts.length === 0 ? ['*'] : hosts
}

/** Is no other listener of the port closer to the host? istio: config/kube/gateway/conversion.go hostnameAllowedByIsolation. */
function isOfListener(host: string, gateway: KubeObject, listener: JsonObject): boolean {
  const own = text(listener.hostname) ?? ''
  if (own !== '' && !isWildcard(own)) return true
  if (own !== '' && !hostsOverlap(host, own)) return false
  const rivals = blocks(asObject(gateway.spec).listeners).filter(
    (other) => other !== listener && other.port === listener.port && other.protocol === listener.protocol,
  )
  return !rivals.some(({ hostname }) => {
    const theirs = text(hostname) ?? ''
    return theirs !== own && theirs.length >= own.length && isCoveredBy(host, theirs)
  })
}

/** The names that a host of a TLSRoute and that of the listener have in common. istio: constrainTLSRoutesToListenerHost. */
function narrowed(host: string, listenerHost: string | undefined): readonly string[] {
  if (listenerHost === undefined || isCoveredBy(host, listenerHost)) return [host]
  return isCoveredBy(listenerHost, host) ? [listenerHost] : []
}
