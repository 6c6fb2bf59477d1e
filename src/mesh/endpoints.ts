import { asObject, type JsonObject } from '../kube/json.ts'
import { labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { blocks, number, text, textMap, texts } from './fields.ts'
import { isAddress } from './hosts.ts'
import { endpointSlicesByService } from './indexes.ts'
import { KINDS } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import { servicesWithHost, type MeshService, type ServicePort } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { hasSidecar, resolvePort, selectWorkloads, workloadOf, type Workload } from './workloads.ts'

/** One place that a port of a service leads to. istio: model/service.go IstioEndpoint. */
export interface Endpoint {
  /** `namespace/name` of what runs in Kubernetes, else `address:port`. */
  readonly name: string
  readonly workload: Workload | undefined
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Empty for the template of something that does not run yet. */
  readonly address: string
  readonly port: number
  readonly hasSidecar: boolean
  /** The service account whose identity it has; undefined where it is not known. */
  readonly account: string | undefined
}

/**
 * The endpoints of a port that istiod sends to proxies. A service shares them with everything of the same host in its
 * namespace, so those of a ServiceEntry join those of a Service; ports meet by name.
 * istio: xds/endpoints/endpoint_builder.go BuildClusterLoadAssignment.
 */
export function endpointsOf(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  if (isResolvedByProxy(service)) return instancesOf(snapshot, service, port.number)
  const found = collect(snapshot, servicesOfSameHost(snapshot, service), (_service, own) => own.name === port.name)
  // a name would have to be resolved, which istiod does not do
  return found.filter(({ address }) => address === '' || isAddress(address))
}

/**
 * The endpoints that istiod itself counts for a port, and gives to proxies that resolve names: ports meet by number, those of a
 * Service by the name that the newest service of the host has for it. istio: model/push_context.go ServiceEndpointsByPort.
 */
export function instancesOf(snapshot: MeshSnapshot, service: MeshService, port: number): readonly Endpoint[] {
  const services = servicesOfSameHost(snapshot, service)
  const newest = services.findLast(({ ports }) => ports.some(({ number }) => number === port))
  if (newest === undefined) return []
  const names = new Set(newest.ports.flatMap((own) => (own.number === port ? [own.name] : [])))
  return collect(snapshot, services, (candidate, own) =>
    candidate.source === 'ServiceEntry' ? own.number === port : names.has(own.name),
  )
}

/** The workloads behind a service, whichever port. */
export function workloadsOf(snapshot: MeshSnapshot, service: MeshService): readonly Workload[] {
  if (service.selector === undefined) return []
  return selectWorkloads(snapshot, service.namespace, service.selector)
}

/** Does the proxy resolve the names of its endpoints by DNS? */
export function isResolvedByProxy({ resolution }: MeshService): boolean {
  return resolution === 'dns' || resolution === 'dns-round-robin'
}

/**
 * The names that a certificate of the service's endpoints may hold: their identities in every trust domain of the mesh, and what the
 * newest ServiceEntry lists. istio: model/push_context.go addServiceAccounts.
 */
export function expectedIdentities(snapshot: MeshSnapshot, service: MeshService): readonly string[] {
  const { trustDomain, trustDomainAliases } = meshConfigOf(snapshot)
  const services = servicesOfSameHost(snapshot, service)
  const names = new Set<string>()
  for (const { account, namespace } of collect(snapshot, services, () => true)) {
    if (account !== undefined) names.add(`spiffe://${trustDomain}/ns/${namespace}/sa/${account}`)
  }
  const newest = services.at(-1)
  const listed = newest?.source === 'ServiceEntry' ? texts(asObject(newest.object.spec).subjectAltNames) : []
  const known = [...names, ...listed].flatMap((name) => withAliases(name, trustDomainAliases))
  return [...new Set(known)].sort()
}

/** istio: pkg/spiffe ExpandWithTrustDomains. */
function withAliases(name: string, aliases: readonly string[]): readonly string[] {
  const identity = /^spiffe:\/\/[^/]*(\/ns\/[^/]+\/sa\/[^/]+)$/.exec(name)?.[1]
  return identity === undefined ? [name] : [name, ...aliases.map((alias) => `spiffe://${alias}${identity}`)]
}

function servicesOfSameHost(snapshot: MeshSnapshot, service: MeshService): readonly MeshService[] {
  return servicesWithHost(snapshot, service.host).filter(({ namespace }) => namespace === service.namespace)
}

function collect(
  snapshot: MeshSnapshot,
  services: readonly MeshService[],
  isWanted: (service: MeshService, port: ServicePort) => boolean,
): readonly Endpoint[] {
  const found: Endpoint[] = []
  const taken = new Set<number>()
  for (const service of services) {
    // one name at a time: Envoy has a single place for it
    const isSingle = service.resolution === 'dns-round-robin'
    for (const port of service.ports) {
      if (!isWanted(service, port) || (isSingle && taken.has(port.number))) continue
      const reached = portEndpoints(snapshot, service, port)
      found.push(...(isSingle ? reached.slice(0, 1) : reached))
      if (service.source === 'ServiceEntry' && reached.length > 0) taken.add(port.number)
    }
  }
  return found
}

function portEndpoints(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  if (service.selector === undefined) {
    return service.source === 'Service' ? slicedEndpoints(snapshot, service, port) : listedEndpoints(service, port)
  }
  return workloadsOf(snapshot, service).flatMap((workload) => {
    // istio: serviceregistry/serviceentry/conversion.go convertWorkloadInstanceToServiceInstance: by the name of the port
    const named = workload.form === 'machine' ? number(asObject(workload.spec.ports)[port.name]) : undefined
    const target = named || resolvePort(workload, port.target)
    return target === undefined ? [] : [workloadEndpoint(snapshot, workload, target)]
  })
}

function workloadEndpoint(snapshot: MeshSnapshot, workload: Workload, port: number): Endpoint {
  const [address = ''] = workload.addresses
  return {
    name: workload.form === 'machine' ? `${address}:${port}` : `${workload.namespace}/${workload.name}`,
    workload,
    namespace: workload.namespace,
    labels: workload.labels,
    address,
    port,
    hasSidecar: hasSidecar(snapshot, workload),
    account: workload.form === 'machine' ? text(workload.spec.serviceAccount) : workload.serviceAccount,
  }
}

/** istio: serviceregistry/serviceentry/conversion.go convertServiceEntryToInstances. */
function listedEndpoints(service: MeshService, port: ServicePort): readonly Endpoint[] {
  const { namespace } = service
  const listed = blocks(asObject(service.object.spec).endpoints)
  if (listed.length === 0 && isResolvedByProxy(service)) {
    return [outsideEndpoint({ namespace, address: service.host, port: Number(port.target) }, {})]
  }
  return listed.map((entry) => {
    const target = number(asObject(entry.ports)[port.name]) || Number(port.target)
    return outsideEndpoint({ namespace, address: text(entry.address) ?? '', port: target }, entry)
  })
}

/** An endpoint that is no object of its own; `entry` holds the labels and the account that are written for it. */
function outsideEndpoint(place: Pick<Endpoint, 'namespace' | 'address' | 'port'>, entry: JsonObject): Endpoint {
  const labels = textMap(entry.labels)
  const mode = labelValue(labels, 'security.istio.io/tlsMode')
  const account = text(entry.serviceAccount) || undefined
  return {
    ...place,
    name: `${place.address}:${place.port}`,
    workload: undefined,
    labels,
    hasSidecar: mode === undefined ? account !== undefined : mode === 'istio',
    account,
  }
}

/** Endpoints of a Service without a selector, which somebody else keeps. */
function slicedEndpoints(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  const slices = snapshot.find(endpointSlicesByService, `${service.namespace}/${nameOf(service.object)}`)
  return slices.flatMap((slice) => {
    const target = blocks(slice.ports).find((candidate) => (text(candidate.name) ?? '') === port.name)
    const value = number(target?.port)
    if (value === undefined) return []
    return blocks(slice.endpoints).flatMap((entry) => sliceEndpoint(snapshot, slice, entry, value))
  })
}

function sliceEndpoint(
  snapshot: MeshSnapshot,
  slice: KubeObject,
  entry: JsonObject,
  port: number,
): readonly Endpoint[] {
  const namespace = namespaceOf(slice)
  const reference = asObject(entry.targetRef)
  const pod = reference.kind === 'Pod' ? snapshot.get(KINDS.pod, namespace, text(reference.name) ?? '') : undefined
  const workload = pod === undefined ? undefined : workloadOf(pod)
  if (workload !== undefined) return [workloadEndpoint(snapshot, workload, port)]
  const [address] = texts(entry.addresses)
  return address === undefined ? [] : [outsideEndpoint({ namespace, address, port }, {})]
}
