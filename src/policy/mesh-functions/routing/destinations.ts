import { nearestName } from '../../../kube/nearest-name.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { CLUSTER_DOMAIN } from '../../../mesh/hosts.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { isGeneratedGateway, kubernetesGateway } from '../../../mesh/kubernetes-gateway.ts'
import { destinationReferences, gatewayReferences, type DestinationReference } from '../../../mesh/references.ts'
import { hostExists, portOf, servicesOf, servicesWithHost } from '../../../mesh/registry.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { mergedVirtualService, virtualServiceExports } from '../../../mesh/virtual-service.ts'
import { MOST_FINDINGS, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { definesSubset, knowsServicesIn, targetOf } from '../known-services.ts'
import type { MeshContext } from '../mesh-function.ts'

type Found = MeshFinding | SkippedPlace

/** Destinations whose host no Service and no ServiceEntry has that this namespace may see. */
export const unknownDestinations: Find = (context, object) =>
  unknownHosts(context, object, (reference) => !reference.isMirror)

/** The same of mirrors, which fail without anybody seeing it. */
export const unknownMirrors: Find = (context, object) => unknownHosts(context, object, ({ isMirror }) => isMirror)

function unknownHosts(
  context: MeshContext,
  object: KubeObject,
  isAsked: (reference: DestinationReference) => boolean,
): readonly Found[] {
  const mesh = discoveredMesh(context.mesh)
  const clients = clientNamespaces(mesh, object)
  return eachReference(object, (reference) => {
    const { host, field, isMirror } = reference
    if (!isAsked(reference) || host === '') return undefined
    const namespace = clients.find((each) => !hostExists(mesh, host, each))
    if (namespace === undefined) return undefined
    if (isUnknowable(context, mesh, host, namespaceOf(object))) return { field: `${field}.host`, outcome: 'skip' }
    const outcome = isMirror ? 'mirrored requests are lost' : 'requests routed there get 503'
    return {
      field: `${field}.host`,
      message: `${host} is no host that ${namespace} can see: no Service or ServiceEntry exported to it has that name, so ${outcome}`,
      remediation: `create it, or name one that exists${suggestion(mesh, host, namespace)}`,
      atMost: 'Warn',
    }
  })
}

/** The namespaces that a VirtualService is exported to by name, its own first; that alone where everybody sees it. */
function clientNamespaces(mesh: MeshSnapshot, object: KubeObject): readonly string[] {
  const exports = virtualServiceExports(mesh, object)
  const own = namespaceOf(object)
  if (exports === 'everywhere') return [own]
  const others = [...exports].filter((namespace) => namespace !== own).sort()
  return exports.has(own) ? [own, ...others] : others
}

/** Ports that the host does not have. */
export const unknownPorts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  return eachReference(object, ({ host, port, field }) => {
    const services = servicesWithHost(mesh, host)
    if (port === undefined || services.length === 0 || services.some((service) => portOf(service, port) !== undefined))
      return undefined
    const ports = services.flatMap((service) => service.ports.map(({ number }) => number))
    return {
      field: `${field}.port.number`,
      message: `${host} has no port ${port}, so requests routed there get 503`,
      remediation:
        ports.length === 0 ? 'give the host that port' : `write one of its ports: ${[...new Set(ports)].join(', ')}`,
      atMost: 'Warn',
    }
  })
}

/** Destinations with several ports of which none is named, where the port of the request need not be one of them. */
export const missingPorts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const virtualService = mergedVirtualService(mesh, object)
  if (virtualService === undefined) return []
  const { hosts, gateways } = virtualService
  const throughGateway = gateways.some((gateway) => gateway !== 'mesh')
  return eachReference(object, ({ host, port, field }) => {
    if (port !== undefined || (!throughGateway && hosts.includes(host))) return undefined
    const [service, ...others] = servicesWithHost(mesh, host)
    if (service === undefined || others.length > 0 || service.ports.length < 2) return undefined
    const ports = service.ports.map(({ number, name }) => (name === '' ? String(number) : `${number} (${name})`))
    return {
      field: `${field}.port.number`,
      message: `${host} has ${ports.length} ports and none is named: Istio takes the port of the request, which need not be one of them`,
      remediation: `write port.number: ${ports.join(' or ')}`,
    }
  })
}

/** Subsets that the rule which decides here does not define. */
export const unknownSubsets: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const own = namespaceOf(object)
  return eachReference(object, (reference) => {
    const { host, subset, field } = reference
    if (subset === undefined) return undefined
    const target = targetOf(mesh, reference)
    if (definesSubset(target, subset)) return undefined
    if (target.rule === undefined && context.knowledge === 'partial' && !knowsRules(mesh, own, target.namespace))
      return { field: `${field}.subset`, outcome: 'skip' }
    const names = target.rule?.subsets.map(({ name }) => name) ?? []
    return {
      field: `${field}.subset`,
      message: `subset "${subset}" of ${host} is defined by no DestinationRule that decides for ${own}, so requests routed there get 503`,
      remediation:
        names.length === 0
          ? 'apply the DestinationRule with the subset first'
          : `define it first, or write one of ${names.join(', ')}`,
      atMost: 'Warn',
    }
  })
}

function knowsRules(mesh: MeshSnapshot, ...namespaces: readonly string[]): boolean {
  return namespaces.some((namespace) => mesh.inNamespace(KINDS.destinationRule, namespace).length > 0)
}

/** Gateways that do not exist. The Gateway API's count; names that istiod makes are a matter of another rule. */
export const unknownGateways: Find = (context, object) => {
  const found = new Map<string, Found>()
  for (const { gateway, field } of gatewayReferences(object)) {
    if (gateway === 'mesh' || isGeneratedGateway(gateway)) continue
    const [namespace = '', name = ''] = gateway.split('/')
    if (context.mesh.get(KINDS.gateway, namespace, name) !== undefined) continue
    if (kubernetesGateway(context.mesh, gateway) !== undefined) continue
    const isKnown = [KINDS.gateway, KINDS.k8sGateway].some(
      (kind) => context.mesh.inNamespace(kind, namespace).length > 0,
    )
    if (context.knowledge === 'partial' && !isKnown) found.set(field, { field, outcome: 'skip' })
    else
      found.set(field, {
        field,
        message: `there is no Gateway ${gateway}, so nothing outside reaches these routes`,
        remediation: `create it, or name one that exists as namespace/name`,
        atMost: 'Warn',
      })
    if (found.size === MOST_FINDINGS) break
  }
  return [...found.values()]
}

function eachReference(
  object: KubeObject,
  find: (reference: DestinationReference) => Found | undefined,
): readonly Found[] {
  const found: Found[] = []
  for (const reference of destinationReferences(object)) {
    const finding = find(reference)
    if (finding !== undefined) found.push(finding)
    if (found.length === MOST_FINDINGS) break
  }
  return found
}

function isUnknowable({ knowledge }: MeshContext, mesh: MeshSnapshot, host: string, own: string): boolean {
  if (knowledge !== 'partial') return false
  const [, namespace = own] = host.endsWith(`.svc.${CLUSTER_DOMAIN}`) ? host.split('.') : []
  return !knowsServicesIn(mesh, namespace)
}

function suggestion(mesh: MeshSnapshot, host: string, namespace: string): string {
  const hosts = [KINDS.service, KINDS.serviceEntry].flatMap((kind) =>
    mesh.inNamespace(kind, namespace).flatMap((object) => servicesOf(object).map((service) => service.host)),
  )
  const nearest = nearestName(host, hosts)
  return nearest === undefined ? '' : `: did you mean ${nearest}?`
}
