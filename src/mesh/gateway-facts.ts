import type { Json, JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareText } from './age.ts'
import { destinationFact, routeFact } from './fact-route.ts'
import { serviceFact } from './facts.ts'
import { bindHosts, keepProxies, type GatewayProxies } from './gateway-bindings.ts'
import { texts } from './fields.ts'
import { gatewayListeners, type GatewayChain, type GatewayListener } from './gateway-listeners.ts'
import { type GatewayProxy, type VirtualHost } from './gateway-routes.ts'
import { serverName } from './gateway-servers.ts'
import type { CertificateSource, ServerTls } from './gateway-tls.ts'
import { gatewayPods, podsOfGateway } from './gateway-workloads.ts'
import { KINDS } from './kinds.ts'
import { allServices } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { virtualServiceName } from './virtual-service.ts'

/**
 * What the gateways of a mesh really serve: their servers, open ports, names, TLS and routes, and what is unused or unbound. The vocabulary
 * is that of the oracle corpus, docs/conformance.md.
 */
export function gatewayFacts(snapshot: MeshSnapshot): JsonObject {
  const proxies = keepProxies(snapshot, podsOfGateway)
  const gateways: Record<string, Json> = {}
  for (const pod of gatewayPods(snapshot)) {
    const proxy = proxies.proxyOf(pod)
    gateways[`${pod.namespace}/${pod.name}`] = { servers: serversFact(proxy), listeners: listenersFact(proxy) }
  }
  const unused = snapshot.all(KINDS.gateway).filter((gateway) => proxies.podsOf(gateway).length === 0)
  return {
    services: allServices(snapshot).map(serviceFact),
    gateways,
    unusedGateways: unused.map(objectName).sort(),
    ...bindingsFacts(snapshot, proxies),
  }
}

function serversFact({ merged }: GatewayProxy): JsonObject {
  return Object.fromEntries(
    merged.placements.map(({ server, port, conflict }) => [
      serverName(server),
      conflict === undefined ? String(port) : 'skipped',
    ]),
  )
}

function listenersFact(proxy: GatewayProxy): JsonObject {
  return Object.fromEntries(
    gatewayListeners(proxy).map((listener) => [
      listener.bind === '' ? String(listener.port) : `${listener.bind}:${listener.port}`,
      listenerFact(listener),
    ]),
  )
}

function listenerFact({ bind, chains }: GatewayListener): JsonObject {
  const sorted = chains.map(chainFact).sort((a, b) => compareText(sniText(a), sniText(b)))
  return { ...(bind === '' ? {} : { bind }), chains: sorted }
}

function sniText({ sni }: JsonObject): string {
  return texts(sni).join()
}

function chainFact({ sni, tls, servers, traffic }: GatewayChain): JsonObject {
  return {
    protocol: traffic.kind === 'http' ? 'http' : 'tcp',
    ...(sni === undefined ? {} : { sni: [...sni].sort() }),
    tls: tls === undefined ? null : tlsFact(tls),
    servers: servers.map(serverName),
    ...trafficFact(traffic),
  }
}

function trafficFact(traffic: GatewayChain['traffic']): JsonObject {
  switch (traffic.kind) {
    case 'http':
      return traffic.hosts.length === 0 ? {} : { hosts: traffic.hosts.map(virtualHostFact).sort(byDomains) }
    case 'tcp': {
      const { virtualService, to } = traffic.route
      return { virtualService: virtualServiceName(virtualService.object), to: to.map(destinationFact) }
    }
    case 'onward':
      return {}
  }
}

function virtualHostFact({ domains, httpsRedirect, routes }: VirtualHost): JsonObject {
  const names = routes.map(({ virtualService }) => virtualServiceName(virtualService.object))
  return {
    domains: [...domains].sort(),
    ...(httpsRedirect ? { httpsRedirect } : {}),
    virtualServices: [...new Set(names)].sort(),
    routes: routes.map(routeFact),
  }
}

function byDomains(a: JsonObject, b: JsonObject): number {
  return compareText(texts(a.domains).join(), texts(b.domains).join())
}

function tlsFact({ mode, minVersion, maxVersion, certificates, ca }: ServerTls): JsonObject {
  const shown = certificates.map(certificateFact)
  return {
    mode,
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(shown.length > 1 ? { certificates: shown } : {}),
    ...(shown.length === 1 && shown[0] !== undefined ? { certificate: shown[0] } : {}),
    ...(ca === undefined ? {} : { ca: certificateFact(ca) }),
  }
}

function certificateFact(source: CertificateSource): Json {
  switch (source.kind) {
    case 'secret':
      return { secret: `${source.namespace}/${source.name}`, readable: source.problem === undefined }
    case 'file':
      return { file: true }
    default:
      return source.kind
  }
}

function bindingsFacts(snapshot: MeshSnapshot, proxies: GatewayProxies): JsonObject {
  const virtualServices: Record<string, Json> = {}
  const unboundHosts: string[] = []
  for (const object of snapshot.all(KINDS.virtualService)) {
    const bindings = bindHosts(snapshot, object, proxies)
    if (bindings.length === 0) continue
    const name = virtualServiceName(object)
    const byHost: Record<string, Json> = {}
    for (const { host, served } of bindings) {
      const byPod = Map.groupBy(served, ({ pod }) => `${pod.namespace}/${pod.name}`)
      byHost[host] = Object.fromEntries(
        [...byPod].map(([pod, places]) => [pod, places.map(({ server }) => serverName(server)).sort()]),
      )
      if (served.length === 0) unboundHosts.push(`${name} ${host}`)
    }
    virtualServices[name] = byHost
  }
  return { virtualServices, unboundHosts: unboundHosts.sort() }
}

function objectName(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`
}
