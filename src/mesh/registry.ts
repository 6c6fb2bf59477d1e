import { asObject, type Json, type JsonObject } from '../kube/json.ts'
import { annotationsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareText, creationOf } from './age.ts'
import { exportsOf, isExportedTo, type Exports } from './exports.ts'
import { block, blocks, number, text, textMap, texts, wordIn } from './fields.ts'
import { coveringPatterns, CLUSTER_DOMAIN, isWildcard, serviceHost } from './hosts.ts'
import { serviceEntriesByHost } from './indexes.ts'
import { KINDS, kindNameOf } from './kinds.ts'
import { memo, memoByKey } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { parseProtocol, servicePortProtocol, type Protocol } from './protocol.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A host that Istio knows: a Kubernetes Service, or one host of a ServiceEntry. istio: model/service.go Service. */
export interface MeshService {
  readonly host: string
  readonly namespace: string
  readonly source: 'Service' | 'ServiceEntry'
  readonly object: KubeObject
  readonly resolution: Resolution
  /** Outside of the mesh: no mTLS unless a DestinationRule asks for it. */
  readonly external: boolean
  readonly ports: readonly ServicePort[]
  /** As written; empty where the mesh's default holds. */
  readonly exportTo: readonly string[]
  /** The labels of its workloads; undefined for a host without a selector. */
  readonly selector: Readonly<Record<string, string>> | undefined
}

/** How a proxy finds the endpoints. `none`: it connects to the address that the application chose. `alias`: an ExternalName. */
export type Resolution = 'static' | 'dns' | 'dns-round-robin' | 'dynamic-dns' | 'none' | 'alias'

export interface ServicePort {
  readonly number: number
  readonly name: string
  readonly protocol: Protocol
  /** Of the endpoint; a name is resolved by each pod. The service port where it is left out. */
  readonly target: number | string
}

/** The hosts of one Service or ServiceEntry; none for any other object. Never throws. */
export const servicesOf: (object: KubeObject) => readonly MeshService[] = memo((object) => {
  switch (kindNameOf(object)) {
    case KINDS.service:
      return [kubernetesService(object)]
    case KINDS.serviceEntry:
      return serviceEntryHosts(object)
    default:
      return []
  }
})

/** Every host that Istio knows, in no particular order. A host may be there several times. */
export function allServices(snapshot: MeshSnapshot): readonly MeshService[] {
  return [...snapshot.all(KINDS.service), ...snapshot.all(KINDS.serviceEntry)].flatMap((object) => servicesOf(object))
}

/**
 * The services with exactly this host, oldest first, whether exported or not.
 * istio: model/push_context.go SortServicesByCreationTime.
 */
export function servicesWithHost(snapshot: MeshSnapshot, host: string): readonly MeshService[] {
  return servicesByHost(snapshot)(host)
}

/** Kept, as an object of many hosts has many rules that each look them up. */
const servicesByHost = memo((snapshot: MeshSnapshot) =>
  memoByKey(String, (host: string) => findServices(snapshot, host)),
)

function findServices(snapshot: MeshSnapshot, host: string): readonly MeshService[] {
  const entries = snapshot.find(serviceEntriesByHost, host)
  const found = [...kubernetesServiceWithHost(snapshot, host), ...entries.flatMap((entry) => servicesOf(entry))]
  return found.filter((service) => service.host === host).sort(compareServices)
}

/** The Service object behind `name.namespace.svc.cluster.local`. */
export function kubernetesServiceOf(snapshot: MeshSnapshot, host: string): KubeObject | undefined {
  if (!host.endsWith(SERVICE_SUFFIX)) return undefined
  const [name, namespace, ...rest] = host.slice(0, -SERVICE_SUFFIX.length).split('.')
  if (name === undefined || namespace === undefined || rest.length > 0) return undefined
  return snapshot.get(KINDS.service, namespace, name)
}

/** Where a service can be seen. istio: model/push_context.go serviceExportTo. */
export function serviceExports(snapshot: MeshSnapshot, service: MeshService): Exports {
  return exportsOf(service.exportTo, service.namespace, meshConfigOf(snapshot).defaultServiceExportTo)
}

/**
 * Does the registry have the host, as a name of its own or under a wildcard of a ServiceEntry, exported to the namespace? What a
 * Sidecar imports does not matter here.
 */
export function hostExists(snapshot: MeshSnapshot, host: string, namespace: string): boolean {
  const isSeen = (service: MeshService): boolean => isExportedTo(serviceExports(snapshot, service), namespace)
  for (const pattern of coveringPatterns(host)) {
    if (pattern !== host && !isWildcard(pattern)) continue
    if (servicesWithHost(snapshot, pattern).some(isSeen)) return true
  }
  return false
}

/** The port of a service with that number. */
export function portOf(service: MeshService, port: number): ServicePort | undefined {
  return service.ports.find((candidate) => candidate.number === port)
}

function kubernetesServiceWithHost(snapshot: MeshSnapshot, host: string): readonly MeshService[] {
  const object = kubernetesServiceOf(snapshot, host)
  return object === undefined ? [] : servicesOf(object)
}

/** istio: serviceregistry/kube/conversion.go ConvertService. */
function kubernetesService(object: KubeObject): MeshService {
  const spec = asObject(object.spec)
  const isExternalName = spec.type === 'ExternalName' && typeof spec.externalName === 'string'
  const exportTo = labelValue(annotationsOf(object), 'networking.istio.io/exportTo') ?? ''
  return {
    host: serviceHost(nameOf(object), namespaceOf(object)).toLowerCase(),
    namespace: namespaceOf(object),
    source: 'Service',
    object,
    resolution: spec.clusterIP === 'None' ? 'none' : isExternalName ? 'alias' : 'static',
    external: isExternalName,
    ports: blocks(spec.ports).flatMap((port) => kubernetesPort(port)),
    exportTo: exportTo === '' ? [] : exportTo.split(',').map((entry) => entry.trim()),
    selector: selectorOf(spec.selector),
  }
}

function kubernetesPort(port: JsonObject): readonly ServicePort[] {
  const value = number(port.port)
  if (value === undefined) return []
  const name = text(port.name) ?? ''
  const protocol = servicePortProtocol({
    name,
    number: value,
    protocol: text(port.protocol) ?? 'TCP',
    appProtocol: text(port.appProtocol),
  })
  return [{ number: value, name, protocol, target: text(port.targetPort) || number(port.targetPort) || value }]
}

/** istio: serviceregistry/serviceentry/conversion.go convertServices. */
function serviceEntryHosts(object: KubeObject): readonly MeshService[] {
  const spec = asObject(object.spec)
  const ports = blocks(spec.ports).flatMap((port): readonly ServicePort[] => {
    const value = number(port.number)
    if (value === undefined) return []
    const protocol = parseProtocol(text(port.protocol))
    return [{ number: value, name: text(port.name) ?? '', protocol, target: number(port.targetPort) || value }]
  })
  const workloads = block(spec.workloadSelector)
  return texts(spec.hosts).map((host) => ({
    host: host.toLowerCase(),
    namespace: namespaceOf(object),
    source: 'ServiceEntry',
    object,
    resolution: wordIn(RESOLUTIONS, spec.resolution) ?? 'none',
    external: spec.location !== 'MESH_INTERNAL',
    ports,
    exportTo: texts(spec.exportTo),
    selector: workloads === undefined ? undefined : textMap(workloads.labels),
  }))
}

function selectorOf(value: Json | undefined): Readonly<Record<string, string>> | undefined {
  const selector = textMap(value)
  return Object.keys(selector).length === 0 ? undefined : selector
}

function compareServices(a: MeshService, b: MeshService): number {
  return (
    compareText(creationOf(a.object), creationOf(b.object)) ||
    compareText(registryName(a), registryName(b)) ||
    compareText(a.namespace, b.namespace)
  )
}

function registryName(service: MeshService): string {
  return service.source === 'Service' ? nameOf(service.object) : service.host
}

const SERVICE_SUFFIX = `.svc.${CLUSTER_DOMAIN}`
const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  NONE: 'none',
  STATIC: 'static',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  DYNAMIC_DNS: 'dynamic-dns',
}
