import { asObject } from '../../kube/json.ts'
import { nearestName } from '../../kube/nearest-name.ts'
import { nameOf, namespaceOf } from '../../kube/object.ts'
import { texts } from '../fields.ts'
import { CLUSTER_DOMAIN, coveringPatterns, isAddress, isWildcard } from '../hosts.ts'
import { KINDS } from '../kinds.ts'
import { servicesOf, servicesWithHost } from '../registry.ts'
import type { MeshSnapshot } from '../snapshot.ts'

/** What a name that an application calls stands for. */
export type CalledHost =
  /** A host of the registry: that name, or the wildcard that covers it. */
  | { readonly kind: 'registered'; readonly name: string; readonly host: string }
  /** A name of the cluster for which there is no Service, so that DNS has no answer. */
  | { readonly kind: 'nowhere'; readonly name: string; readonly nearest: string | undefined }
  /** A name or address that the mesh does not know. */
  | { readonly kind: 'outside'; readonly name: string }

/**
 * The host that a pod of a namespace reaches by a name, as the search list of its resolver has it: beside itself first, then in the namespace that
 * the name ends with, then as it is written. An address is that of a Service or ServiceEntry, if it is one's.
 */
export function calledHost(snapshot: MeshSnapshot, namespace: string, asked: string): CalledHost {
  const name = asked.toLowerCase().replace(/\.$/, '')
  if (isAddress(name)) return hostOfAddress(snapshot, name)
  const known = candidates(name, namespace).find((candidate) => servicesWithHost(snapshot, candidate).length > 0)
  if (known !== undefined) return { kind: 'registered', name: known, host: known }
  const covering = [...coveringPatterns(name)].filter(isWildcard)
  const pattern = covering.find((candidate) => servicesWithHost(snapshot, candidate).length > 0)
  if (pattern !== undefined) return { kind: 'registered', name, host: pattern }
  const inCluster = clusterName(snapshot, namespace, name)
  if (inCluster === undefined) return { kind: 'outside', name }
  return { kind: 'nowhere', name, nearest: nearestService(snapshot, inCluster) }
}

function candidates(name: string, namespace: string): readonly string[] {
  if (name.endsWith(`.svc.${CLUSTER_DOMAIN}`)) return [name]
  return [
    `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`,
    `${name}.svc.${CLUSTER_DOMAIN}`,
    `${name}.${CLUSTER_DOMAIN}`,
    name,
  ]
}

function hostOfAddress(snapshot: MeshSnapshot, address: string): CalledHost {
  for (const kind of [KINDS.service, KINDS.serviceEntry]) {
    const owner = snapshot.all(kind).find((object) => {
      const { clusterIP, clusterIPs, addresses } = asObject(object.spec)
      return clusterIP === address || texts(clusterIPs).includes(address) || texts(addresses).includes(address)
    })
    const [service] = owner === undefined ? [] : servicesOf(owner)
    if (service !== undefined) return { kind: 'registered', name: service.host, host: service.host }
  }
  return { kind: 'outside', name: address }
}

interface ClusterName {
  readonly service: string
  readonly namespace: string
}

/** The Service that a name would have to be; undefined for a name that may as well be somebody's on the internet. */
function clusterName(snapshot: MeshSnapshot, own: string, name: string): ClusterName | undefined {
  const suffix = [`.svc.${CLUSTER_DOMAIN}`, '.svc'].find((candidate) => name.endsWith(candidate))
  const [service = '', namespace = own, ...rest] = name.slice(0, name.length - (suffix?.length ?? 0)).split('.')
  if (suffix !== undefined || !name.includes('.')) return { service, namespace }
  return rest.length === 0 && isNamespace(snapshot, namespace) ? { service, namespace } : undefined
}

function isNamespace(snapshot: MeshSnapshot, name: string): boolean {
  return snapshot.namespace(name) !== undefined || snapshot.inNamespace(KINDS.service, name).length > 0
}

/** The Service of another namespace with that name, else the one of that namespace that is spelt most alike; as both can be called. */
function nearestService(snapshot: MeshSnapshot, { service, namespace }: ClusterName): string | undefined {
  const elsewhere = snapshot.all(KINDS.service).find((object) => nameOf(object) === service)
  if (elsewhere !== undefined) return `${service}.${namespaceOf(elsewhere)}`
  const beside = nearestName(service, snapshot.inNamespace(KINDS.service, namespace).map(nameOf))
  return beside === undefined ? undefined : `${beside}.${namespace}`
}
