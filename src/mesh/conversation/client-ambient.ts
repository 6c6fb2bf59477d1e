import { waypointOfService } from '../waypoint-attachment.ts'
import { waypointPorts } from '../waypoint-ports.ts'
import { endpointsOf } from '../endpoints.ts'
import { portOf } from '../registry.ts'
import { walkArrivals } from './arrival.ts'
import { identityOf, type Call, type Delivery } from './call.ts'
import { walkDirect } from './direct.ts'
import { objectName, step, type Decider, type Walk } from './step.ts'
import { arrivalsByHbone, serviceMeant, walkWaypoint } from './waypoint.ts'

/** What becomes of a request of a pod in ambient: through the waypoint of the service, if it has one, else from ztunnel to ztunnel. */
export function* walkCaptured(call: Call): Walk {
  const { snapshot, client, host, port: number } = call
  const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
  const delivery: Delivery = { ...call, cause: undefined, because: '', identity, expected: [] }
  const service = serviceMeant(snapshot, client.namespace, host)
  const port = service === undefined ? undefined : portOf(service, number)
  if (service === undefined || port === undefined)
    return yield* walkDirect(delivery, { host, port: number, patience: undefined })
  const { waypoint, problem, reference, askedBy } = waypointOfService(snapshot, service.object)
  const by: Decider | undefined =
    askedBy === undefined ? undefined : { object: askedBy, field: 'metadata.labels["istio.io/use-waypoint"]' }
  if (problem !== undefined) {
    const name = `${reference?.namespace ?? ''}/${reference?.name ?? ''}`
    yield step('route', `past the waypoint ${name}, which is not used: ${problem}`, by)
  }
  const ports = waypoint === undefined ? [] : waypointPorts(snapshot, waypoint, service)
  const served = ports.find((candidate) => candidate.port.number === number)
  if (waypoint !== undefined && served !== undefined) {
    yield step('route', `through the waypoint ${objectName(waypoint)}`, by)
    const request = { ...delivery.request, principal: identity }
    return yield* walkWaypoint({ ...delivery, request }, waypoint, served)
  }
  yield step('transport', 'HBONE to pods in ambient, with the identity of the client')
  return yield* walkArrivals(delivery, port, arrivalsByHbone(snapshot, endpointsOf(snapshot, service, port)))
}
