import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareAge } from './age.ts'
import { besideGateway } from './gateway-conflicts.ts'
import { serversOf } from './gateway-servers.ts'
import { gatewaysByHost, virtualServicesByHost } from './indexes.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { mergedVirtualService } from './virtual-service.ts'
import { hostOfEntry } from './hosts.ts'

/** An object of another namespace that claims a host at the same gateways. */
export interface HostClaim {
  readonly host: string
  /** A Gateway or a VirtualService, like the one that is asked for. */
  readonly by: KubeObject
  /** Was it there before? An object without a creation time is the newest. */
  readonly isOlder: boolean
}

/** The VirtualServices of other namespaces that name a host of this one for a gateway that both use; for each host the oldest first. */
export function rivalVirtualServices(snapshot: MeshSnapshot, object: KubeObject): readonly HostClaim[] {
  const own = mergedVirtualService(snapshot, object)
  const gateways = new Set(own?.gateways.filter((gateway) => gateway !== 'mesh'))
  if (own === undefined || gateways.size === 0) return []
  const isRival = (other: KubeObject): boolean =>
    mergedVirtualService(snapshot, other)?.gateways.some((gateway) => gateways.has(gateway)) === true
  return own.hosts.flatMap((host) => claims(object, host, snapshot.find(virtualServicesByHost, host).filter(isRival)))
}

/**
 * The Gateways of other namespaces with a name of this one, for a pod that both are for, or with the same selector; for each name the oldest
 * first. The name `*` is nobody's.
 */
export function rivalGateways(snapshot: MeshSnapshot, gateway: KubeObject): readonly HostClaim[] {
  const isBeside = besideGateway(snapshot, gateway)
  const names = serversOf(gateway).flatMap(({ hosts }) => hosts.map(hostOfEntry))
  return [...new Set(names)]
    .filter((host) => host !== '*')
    .flatMap((host) => claims(gateway, host, snapshot.find(gatewaysByHost, host).filter(isBeside)))
}

function claims(own: KubeObject, host: string, others: readonly KubeObject[]): readonly HostClaim[] {
  return others
    .filter((other) => namespaceOf(other) !== namespaceOf(own))
    .sort(compareAge)
    .map((by) => ({ host, by, isOlder: compareAge(by, own) < 0 }))
}
