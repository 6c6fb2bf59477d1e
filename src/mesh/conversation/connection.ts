import {
  addressOfService,
  connectionRoutes,
  isTls,
  routeForConnection,
  type SidecarConnectionRoute,
} from '../connection-routes.ts'
import { isAddress } from '../hosts.ts'
import type { MeshService, ServicePort } from '../registry.ts'
import type { ProxyCall } from './call.ts'
import { walkDestination } from './destination.ts'
import { destinationText, walkDestinations } from './destinations.ts'
import { walkPassthrough } from './passthrough.ts'
import { answered, objectName, step, unknown, type Walk } from './step.ts'

/** Where a connection goes that is not HTTP. */
interface Target {
  readonly service: MeshService
  readonly port: ServicePort
}

/** What becomes of a connection that is not HTTP: it goes where a `tls` or `tcp` of a VirtualService sends it, else to the host itself. */
export function* walkConnection(call: ProxyCall, target: Target): Walk {
  const { service, port } = target
  if (port.protocol === 'udp') return answered('an answer', 'UDP passes the sidecars by')
  const routes = connectionRoutes(call.snapshot, { ...call, service, port })
  const [first] = routes
  if (first === undefined) return yield* walkUnrouted(call, `${port.protocol}, so routes for HTTP have no say`)
  const address = isAddress(call.asked) ? call.asked : addressOfService(service)
  const ranged = routes.find(({ subnets }) => subnets.length > 0)
  if (ranged !== undefined && address === '') {
    return unknown('its routes ask for the address that the client connects to, which is not here', ranged.entry)
  }
  const name = isAddress(call.asked) ? undefined : call.asked
  const route = routeForConnection(routes, address, isTls(port.protocol) ? name : undefined)
  if (route !== undefined) return yield* walkRoute(call, port, route)
  if (!isTls(port.protocol)) return yield* walkUnrouted(call, `no route is for ${address}`)
  const asked = name === undefined ? 'asks for no name' : `asks for "${name}"`
  const text = `no route of ${objectName(first.entry.object)} is for TLS that ${asked}`
  return yield* walkPassthrough(call, 'route', { text, by: { object: first.entry.object, field: 'spec.tls' } })
}

function* walkUnrouted(call: ProxyCall, why: string): Walk {
  const { host, port } = call
  yield step('route', `${why}: it goes to ${host}:${port}`)
  return yield* walkDestination(call, { host, port, subset: undefined, weight: undefined }, undefined)
}

function* walkRoute(call: ProxyCall, { protocol }: ServicePort, route: SidecarConnectionRoute): Walk {
  const { entry, sni, to, subnets } = route
  const kind = sni === undefined ? protocol : `TLS for ${sni.join(', ')}`
  const where = subnets.length === 0 ? '' : ` to ${subnets.join(', ')}`
  yield step('route', `${kind}${where} goes to ${to.map(destinationText).join(' and ')}`, entry)
  return yield* walkDestinations(entry, to, 'connections', (destination, by) => walkDestination(call, destination, by))
}
