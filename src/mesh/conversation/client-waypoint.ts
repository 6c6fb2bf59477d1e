import { portOf } from '../registry.ts'
import { gatewayRunBy, waypointOfService } from '../waypoint-attachment.ts'
import { waypointPorts } from '../waypoint-ports.ts'
import type { Call } from './call.ts'
import { fails, objectName, step, unknown, type Walk } from './step.ts'
import { serviceMeant, walkWaypoint } from './waypoint.ts'

/** What becomes of a request that a waypoint has got for a service behind it. */
export function* walkFromWaypoint(call: Call): Walk {
  const { snapshot, client, host, port } = call
  const waypoint = gatewayRunBy(snapshot, client)
  if (waypoint === undefined) return unknown('the Gateway that the waypoint is an instance of is not here')
  const service = serviceMeant(snapshot, client.namespace, host)
  if (service === undefined) return fails('connection reset', `the registry has no ${host}`)
  const { object } = service
  if (portOf(service, port) === undefined) {
    const ports = service.ports.map(({ number }) => number).join(', ') || 'none'
    return fails('connection reset', `${host} has no port ${port}, but ${ports}`, { object, field: 'spec.ports' })
  }
  const use = waypointOfService(snapshot, object)
  const by = { object: use.askedBy ?? object, field: 'metadata.labels["istio.io/use-waypoint"]' }
  if (use.waypoint !== waypoint) {
    const isAsked = use.gateway === waypoint && use.problem !== undefined
    const other = use.waypoint === undefined ? 'no waypoint' : objectName(use.waypoint)
    const why = isAsked ? `is not used for ${host}: ${use.problem}` : `gets nothing for ${host}, which uses ${other}`
    return fails('connection reset', `${objectName(waypoint)} ${why}`, by)
  }
  const served = waypointPorts(snapshot, waypoint, service).find((candidate) => candidate.port.number === port)
  if (served === undefined) return fails('connection reset', 'UDP passes waypoints by', { object, field: 'spec.ports' })
  yield step('route', `${objectName(waypoint)} serves ${host}:${port}`, by)
  const delivery = { ...call, cause: undefined, because: '', identity: call.request.principal ?? '', expected: [] }
  return yield* walkWaypoint(delivery, waypoint, served)
}
