import { asList, asObject, type Json } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { block, number, placedTexts, text } from './fields.ts'
import { resolveHost } from './hosts.ts'
import { gatewayKey, virtualServicesByDestination, virtualServicesByGateway } from './indexes.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { destinationsOf } from './virtual-service.ts'

/** A destination or mirror that a VirtualService names, as it is written. */
export interface DestinationReference {
  readonly object: KubeObject
  /** `spec.http[0].route[1].destination`. */
  readonly field: string
  readonly isMirror: boolean
  /** Resolved. */
  readonly host: string
  readonly subset: string | undefined
  readonly port: number | undefined
}

/** Every destination of a VirtualService, in order. Delegates speak for themselves. */
export const destinationReferences: (virtualService: KubeObject) => readonly DestinationReference[] = memo((object) => {
  const spec = asObject(object.spec)
  return (['http', 'tcp', 'tls'] as const).flatMap((kind) =>
    asList(spec[kind]).flatMap((entry, index) =>
      destinationsOf(asObject(entry)).map(({ destination, field }) => ({
        object,
        field: `spec.${kind}[${index}].${field}`,
        isMirror: field.startsWith('mirror'),
        host: resolveHost(text(destination.host) ?? '', namespaceOf(object)),
        subset: text(destination.subset) || undefined,
        port: number(asObject(destination.port).number),
      })),
    ),
  )
})

/** Every place that sends traffic to a host. */
export function referencesToHost(snapshot: MeshSnapshot, host: string): readonly DestinationReference[] {
  return snapshot
    .find(virtualServicesByDestination, host)
    .flatMap((object) => destinationReferences(object).filter((reference) => reference.host === host))
}

/** A gateway that a VirtualService names. */
export interface GatewayReference {
  readonly object: KubeObject
  /** `spec.gateways[0]`. */
  readonly field: string
  /** `namespace/name`, or `mesh`. */
  readonly gateway: string
}

/** The Gateway that a VirtualService names; undefined where there is none, and for `mesh`. */
export function gatewayNamed(snapshot: MeshSnapshot, gateway: string): KubeObject | undefined {
  const [namespace = '', name = ''] = gateway.split('/')
  return snapshot.get(KINDS.gateway, namespace, name)
}

/** The gateways of a VirtualService's list, and those that its conditions name. */
export function gatewayReferences(virtualService: KubeObject): readonly GatewayReference[] {
  const spec = asObject(virtualService.spec)
  const namespace = namespaceOf(virtualService)
  const named = (list: Json | undefined, field: string): readonly GatewayReference[] =>
    placedTexts(list).map(([index, name]) => ({
      object: virtualService,
      field: `${field}[${index}]`,
      gateway: gatewayKey(name, namespace),
    }))
  const inConditions = (['http', 'tcp', 'tls'] as const).flatMap((kind) =>
    asList(spec[kind]).flatMap((entry, index) =>
      asList(asObject(entry).match).flatMap((match, at) =>
        named(block(match)?.gateways, `spec.${kind}[${index}].match[${at}].gateways`),
      ),
    ),
  )
  return [...named(spec.gateways, 'spec.gateways'), ...inConditions]
}

/** Every VirtualService that lists a gateway, `namespace/name`. */
export function referencesToGateway(snapshot: MeshSnapshot, gateway: string): readonly GatewayReference[] {
  return snapshot
    .find(virtualServicesByGateway, gateway)
    .flatMap((object) => gatewayReferences(object).filter((reference) => reference.gateway === gateway))
}
