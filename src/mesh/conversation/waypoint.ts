import { namespaceOf, type KubeObject } from '../../kube/object.ts'
import { matchesLabels } from '../../kube/selector.ts'
import { waypointIdentities } from '../ambient-bypass.ts'
import { isCaptured } from '../ambient-enrolment.ts'
import { authorizationOf } from '../authorization.ts'
import { endpointsOf, type Endpoint } from '../endpoints.ts'
import { text } from '../fields.ts'
import type { Destination } from '../http-route.ts'
import { KINDS } from '../kinds.ts'
import { portOf, servicesWithHost, type MeshService } from '../registry.ts'
import type { Request } from '../request.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { ownPolicy } from '../traffic-policy.ts'
import { waypointPolicies } from '../waypoint-policies.ts'
import { ruleAtWaypoint, type WaypointPort } from '../waypoint-ports.ts'
import { walkArrivals, type Arrival } from './arrival.ts'
import { trafficOf, type Delivery } from './call.ts'
import { destinationText, walkDestinations } from './destinations.ts'
import { limitSteps } from './limits.ts'
import { walkPolicies } from './policies.ts'
import { walkRoutes } from './route.ts'
import { fails, step, type Decider, type Walk } from './step.ts'

/** What a waypoint makes of a request to a port that it serves: policies first, then routes. The request says who asks, as far as it is known. */
export function* walkWaypoint(delivery: Delivery, waypoint: KubeObject, served: WaypointPort): Walk {
  const { snapshot, request } = delivery
  const { service, port, traffic, rules, requestAuthentications: authentications } = served
  const gate = yield* walkPolicies({
    rules,
    allowing: authorizationOf(waypointPolicies(snapshot, KINDS.authorizationPolicy, waypoint, service)).ALLOW,
    authentications,
    request,
    who: request.principal ?? 'a client that is not here',
    port: port.number,
    address: '',
    identity: request.principal === undefined ? 'unknown' : 'known',
    refusedAs: traffic.kind === 'http' ? '403' : 'connection reset',
  })
  if (gate.outcome !== 'ok') return gate
  const deliver = (sent: Request, destination: Destination, by: Decider | undefined): Walk =>
    walkBehind(
      { ...delivery, request: sent, brokenAs: traffic.kind === 'http' ? '503' : 'connection reset' },
      waypoint,
      destination,
      by,
    )
  if (traffic.kind === 'http') {
    const routing = {
      snapshot,
      host: service.host,
      port: port.number,
      request,
      scheme: 'http' as const,
      proxy: 'the waypoint',
      rivals: [],
      deliver,
    }
    return yield* walkRoutes(routing, traffic.routes)
  }
  const { to, entry } = traffic
  if (entry === undefined) {
    yield step('route', `no VirtualService routes its connections: they go to ${service.host}:${port.number}`)
    const own = { host: service.host, port: port.number, subset: undefined, weight: undefined }
    return yield* deliver(request, own, undefined)
  }
  yield step('route', `${port.protocol} goes to ${to.map(destinationText).join(' and ')}`, entry)
  return yield* walkDestinations(entry, to, 'connections', (destination, by) => deliver(request, destination, by))
}

/** What becomes of what a waypoint sends on. */
function* walkBehind(
  delivery: Delivery,
  waypoint: KubeObject,
  { host, port: number, subset }: Destination,
  by: Decider | undefined,
): Walk {
  const { snapshot, brokenAs } = delivery
  const service = serviceMeant(snapshot, namespaceOf(waypoint), host)
  const port = service === undefined ? undefined : portOf(service, number)
  if (service === undefined || port === undefined) {
    return fails(brokenAs, `the route leads to ${host}:${number}, which the registry does not have`, by)
  }
  const rule = ruleAtWaypoint(snapshot, waypoint, service)
  const chosen = rule?.subsets.find(({ name }) => name === subset)
  if (subset !== undefined && chosen === undefined) {
    return fails(brokenAs, `subset "${subset}" is in no DestinationRule that the waypoint uses for ${host}`, by)
  }
  const all = endpointsOf(snapshot, service, port)
  const endpoints = chosen === undefined ? all : all.filter(({ labels }) => matchesLabels(chosen.labels, labels))
  if (endpoints.length === 0) {
    return fails(brokenAs, `nothing that runs here is behind ${host}`, {
      object: service.object,
      field: 'spec.selector',
    })
  }
  const policy = ownPolicy(rule, number, subset)
  yield* limitSteps(snapshot, policy, trafficOf(delivery))
  const { tls } = policy
  const cause = tls?.object === undefined ? undefined : { object: tls.object, field: `${tls.field}.mode` }
  const isOriginated = ORIGINATED.has(text(tls?.value.mode) ?? '')
  yield step('transport', isOriginated ? 'TLS of the waypoint' : 'HBONE, with the identity of the waypoint', cause)
  const [identity = ''] = waypointIdentities(snapshot, waypoint).principals
  const arrivals = isOriginated
    ? endpoints.map((endpoint): Arrival => ({ endpoint, transport: 'tls' }))
    : arrivalsByHbone(snapshot, endpoints)
  return yield* walkArrivals({ ...delivery, identity, cause }, port, arrivals)
}

/** How ztunnel and waypoints come to endpoints: over HBONE where there is something that understands it. */
export function arrivalsByHbone(snapshot: MeshSnapshot, endpoints: readonly Endpoint[]): readonly Arrival[] {
  return endpoints.map((endpoint): Arrival => {
    const { workload, hasSidecar } = endpoint
    if (workload !== undefined && hasSidecar) return { endpoint, transport: 'hbone-or-plaintext' }
    return { endpoint, transport: workload !== undefined && isCaptured(snapshot, workload) ? 'hbone' : 'plaintext' }
  })
}

/** The service behind a host for ambient, in which Sidecars and exportTo have no say: that of the namespace, else a Kubernetes Service. */
export function serviceMeant(snapshot: MeshSnapshot, namespace: string, host: string): MeshService | undefined {
  const services = servicesWithHost(snapshot, host)
  const own = services.find((service) => service.namespace === namespace)
  return own ?? services.find(({ source }) => source === 'Service') ?? services[0]
}

const ORIGINATED: ReadonlySet<string> = new Set(['SIMPLE', 'MUTUAL'])
