import { asObject, type JsonObject } from '../kube/json.ts'
import { labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { blocks, number, text, textMap, texts } from './fields.ts'
import { isAddress } from './hosts.ts'
import { endpointSlicesByService } from './indexes.ts'
import { KINDS } from './kinds.ts'
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
}

/**
 * The endpoints of a port of a service. A service shares them with everything of the same host in its namespace, so those of a
 * ServiceEntry join those of a Service. Ports meet by name or, where the proxy itself resolves names, by number.
 * istio: xds/endpoints/endpoint_builder.go BuildClusterLoadAssignment, FromServiceEndpoints.
 */
export function endpointsOf(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  const isResolvedByProxy = service.resolution === 'dns' || service.resolution === 'dns-round-robin'
  const found: Endpoint[] = []
  for (const candidate of servicesOfSameHost(snapshot, service)) {
    for (const own of candidate.ports) {
      const isSamePort =
        isResolvedByProxy && candidate.source === 'ServiceEntry' ? own.number === port.number : own.name === port.name
      if (!isSamePort) continue
      const reached = portEndpoints(snapshot, candidate, own)
      if (candidate.resolution === 'dns-round-robin' && found.length > 0) continue
      found.push(...(candidate.resolution === 'dns-round-robin' ? reached.slice(0, 1) : reached))
    }
  }
  if (isResolvedByProxy) return found
  // an endpoint that istiod sends has an address; a name would have to be resolved
  return found.filter(({ address }) => address === '' || isAddress(address))
}

/** The workloads behind a service, whichever port. */
export function workloadsOf(snapshot: MeshSnapshot, service: MeshService): readonly Workload[] {
  if (service.selector === undefined) return []
  return selectWorkloads(snapshot, service.namespace, service.selector)
}

function servicesOfSameHost(snapshot: MeshSnapshot, service: MeshService): readonly MeshService[] {
  return servicesWithHost(snapshot, service.host).filter(({ namespace }) => namespace === service.namespace)
}

function portEndpoints(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  if (service.source === 'ServiceEntry' && service.selector === undefined) return listedEndpoints(service, port)
  if (service.selector === undefined) return slicedEndpoints(snapshot, service, port)
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
  }
}

/** istio: serviceregistry/serviceentry/conversion.go convertServiceEntryToInstances. */
function listedEndpoints(service: MeshService, port: ServicePort): readonly Endpoint[] {
  const listed = blocks(asObject(service.object.spec).endpoints)
  const isResolvedByProxy = service.resolution === 'dns' || service.resolution === 'dns-round-robin'
  if (listed.length === 0 && isResolvedByProxy)
    return [outsideEndpoint(service, service.host, Number(port.target), {}, false)]
  return listed.map((entry) => {
    const labels = textMap(entry.labels)
    const mode = labelValue(labels, 'security.istio.io/tlsMode')
    const isMesh = mode === undefined ? Boolean(text(entry.serviceAccount)) : mode === 'istio'
    const target = number(asObject(entry.ports)[port.name]) || Number(port.target)
    return outsideEndpoint(service, text(entry.address) ?? '', target, labels, isMesh)
  })
}

function outsideEndpoint(
  service: MeshService,
  address: string,
  port: number,
  labels: Readonly<Record<string, string>>,
  isMesh: boolean,
): Endpoint {
  const { namespace } = service
  return { name: `${address}:${port}`, workload: undefined, namespace, labels, address, port, hasSidecar: isMesh }
}

/** Endpoints of a Service without a selector, which somebody else keeps. */
function slicedEndpoints(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  const slices = snapshot.find(endpointSlicesByService, `${service.namespace}/${nameOf(service.object)}`)
  return slices.flatMap((slice) => {
    const target = blocks(slice.ports).find((candidate) => (text(candidate.name) ?? '') === port.name)
    const value = number(target?.port)
    if (value === undefined) return []
    return blocks(slice.endpoints).flatMap((entry) => sliceEndpoints(snapshot, slice, entry, value))
  })
}

function sliceEndpoints(
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
  if (address === undefined) return []
  return [{ name: `${address}:${port}`, workload: undefined, namespace, labels: {}, address, port, hasSidecar: false }]
}
