import { nearestName } from '../../../kube/nearest-name.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { CLUSTER_DOMAIN } from '../../../mesh/hosts.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { isGeneratedGateway, kubernetesGateway } from '../../../mesh/kubernetes-gateway.ts'
import {
  destinationReferences,
  gatewayNamed,
  gatewayReferences,
  type DestinationReference,
} from '../../../mesh/references.ts'
import { hostExists, servicesOf } from '../../../mesh/registry.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { virtualServiceExports } from '../../../mesh/virtual-service.ts'
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
  const own = namespaceOf(object)
  const clients = clientNamespaces(mesh, object)
  const missing = destinationReferences(object).flatMap((reference) => {
    if (!isAsked(reference) || reference.host === '') return []
    const namespace = clients.find((each) => !hostExists(mesh, reference.host, each))
    return namespace === undefined ? [] : [{ ...reference, namespace }]
  })
  return missing.map(({ host, field, isMirror, namespace }, index): Found => {
    if (isUnknowable(context, mesh, host, own)) return { field: `${field}.host`, outcome: 'skip' }
    const outcome = isMirror ? 'mirrored requests are lost' : 'requests routed there get 503'
    // a suggestion costs a look at every host of the namespace
    const hint = index < MOST_FINDINGS ? suggestion(mesh, host, namespace) : ''
    return {
      field: `${field}.host`,
      message: `${host} is no host that ${namespace} can see: no Service or ServiceEntry exported to it has that name, so ${outcome}`,
      remediation: `create it, or name one that exists${hint}`,
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

/** Subsets that the rule which decides here does not define. */
export const unknownSubsets: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const own = namespaceOf(object)
  return destinationReferences(object).flatMap((reference): readonly Found[] => {
    const { host, subset, field } = reference
    if (subset === undefined) return []
    const target = targetOf(mesh, reference)
    if (definesSubset(target, subset)) return []
    if (target.rule === undefined && context.knowledge === 'partial' && !knowsRules(mesh, own, target.namespace))
      return [{ field: `${field}.subset`, outcome: 'skip' }]
    const names = target.rule?.subsets.map(({ name }) => name) ?? []
    return [
      {
        field: `${field}.subset`,
        message: `subset "${subset}" of ${host} is defined by no DestinationRule that decides for ${own}, so requests routed there get 503`,
        remediation:
          names.length === 0
            ? 'apply the DestinationRule with the subset first'
            : `define it first, or write one of ${names.join(', ')}`,
        atMost: 'Warn',
      },
    ]
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
    if (gatewayNamed(context.mesh, gateway) !== undefined) continue
    if (kubernetesGateway(context.mesh, gateway) !== undefined) continue
    const [namespace = ''] = gateway.split('/')
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
  }
  return [...found.values()]
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
