import type { Destination } from '../http-route.ts'
import { visibleService } from '../visibility.ts'
import { INGRESS_USE_WAYPOINT, waypointForGateways } from '../waypoint-attachment.ts'
import { waypointPorts } from '../waypoint-ports.ts'
import { identityOf, type ProxyCall } from './call.ts'
import { walkDestination } from './destination.ts'
import { objectName, step, type Decider, type Walk } from './step.ts'
import { walkWaypoint } from './waypoint.ts'

/** What becomes of what a gateway sends to a destination: through its waypoint where gateways are to use it, else as from a sidecar. */
export function* walkGatewayDestination(call: ProxyCall, destination: Destination, by: Decider | undefined): Walk {
  const { snapshot, client, scope } = call
  const service = visibleService(snapshot, scope, destination.host)
  const ingress = service === undefined ? undefined : waypointForGateways(snapshot, service)
  if (service === undefined || ingress === undefined) return yield* walkDestination(call, destination, by)
  const { waypoint, askedBy } = ingress
  const served = waypointPorts(snapshot, waypoint, service).find(({ port }) => port.number === destination.port)
  if (served === undefined) return yield* walkDestination(call, destination, by)
  const field = `metadata.labels["${INGRESS_USE_WAYPOINT}"]`
  yield step('route', `through the waypoint ${objectName(waypoint)}`, { object: askedBy, field })
  const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
  const request = { ...call.request, principal: identity, ip: client.addresses[0] ?? '' }
  const delivery = { ...call, request, cause: undefined, because: '', identity, expected: [] }
  return yield* walkWaypoint(delivery, waypoint, served)
}
