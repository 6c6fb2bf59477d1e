import { formatDuration, type Duration } from '../../kube/duration.ts'
import { endpointsOf, workloadsOf, type Endpoint } from '../endpoints.ts'
import { portOf, servicesWithHost, type MeshService, type ServicePort } from '../registry.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { hasSidecar } from '../workloads.ts'
import { walkArrivals } from './arrival.ts'
import type { Delivery } from './call.ts'
import { answered, fails, unknown, type Decider, type Walk } from './step.ts'

/** Where a connection goes. */
export interface Direction {
  readonly host: string
  readonly port: number
  /** How long a proxy tries to connect; undefined: there is none. */
  readonly patience: Duration | undefined
}

/**
 * What becomes of a connection in plaintext to the address that DNS has for a host: what kube-proxy makes of a Service, and nothing that is
 * known of any other address.
 */
export function* walkDirect(delivery: Delivery, { host, port, patience }: Direction): Walk {
  const service = servicesWithHost(delivery.snapshot, host).find(({ source }) => source === 'Service')
  if (service === undefined || service.resolution === 'alias') {
    return answered('an answer', 'it leaves the mesh as the application sends it')
  }
  const servicePort = portOf(service, port) ?? (service.resolution === 'none' ? podPort(port) : undefined)
  if (servicePort === undefined) {
    const ports = service.ports.map(({ number }) => number).join(', ') || 'none'
    const sees = patience === undefined ? 'timeout' : `${delivery.brokenAs} after ${formatDuration(patience)}`
    const by: Decider = { object: service.object, field: 'spec.ports' }
    return fails(sees, `${host} has no port ${port}, but ${ports}: nobody answers there`, by)
  }
  const endpoints = endpointsAt(delivery.snapshot, service, servicePort)
  if (endpoints.length > 0) {
    return yield* walkArrivals(
      delivery,
      servicePort,
      endpoints.map((endpoint) => ({ endpoint, transport: 'plaintext' })),
    )
  }
  const selector: Decider = { object: service.object, field: 'spec.selector' }
  if (service.selector === undefined)
    return unknown(`${host} has no selector, and its EndpointSlices are not here`, selector)
  return fails(delivery.brokenAs, `nothing that runs here is behind ${host}`, selector)
}

/** A Service without an address of its own: the connection goes to a pod, on whatever port. */
function podPort(number: number): ServicePort {
  return { number, name: '', protocol: 'unsupported', target: number }
}

function endpointsAt(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  if (service.ports.includes(port)) return endpointsOf(snapshot, service, port)
  return workloadsOf(snapshot, service).map((workload) => ({
    name: `${workload.namespace}/${workload.name}`,
    workload,
    namespace: workload.namespace,
    labels: workload.labels,
    address: workload.addresses[0] ?? '',
    port: port.number,
    hasSidecar: hasSidecar(snapshot, workload),
    account: workload.serviceAccount,
  }))
}
