import { kubernetesGatewayProxy } from '../gateway-api-routes.ts'
import { gatewayListeners } from '../gateway-listeners.ts'
import { targetPorts } from '../gateway-merge.ts'
import { gatewayProxy, type GatewayProxy } from '../gateway-routes.ts'
import { coveringPatterns, hostOfEntry } from '../hosts.ts'
import type { Destination, Route } from '../http-route.ts'
import { scopeOf } from '../sidecar.ts'
import type { RouteEntry } from '../virtual-service.ts'
import { gatewayRunBy } from '../waypoint-attachment.ts'
import type { Call, ProxyCall } from './call.ts'
import { deadlineSteps } from './deadline.ts'
import { destinationsOf, destinationText } from './destinations.ts'
import { walkGatewayDestination } from './gateway-destination.ts'
import { walkFront } from './gateway-front.ts'
import { objectName, step, walkParts, type Decider, type Part, type Walk } from './step.ts'

/**
 * What becomes of a request at a gateway. For a host that it serves on the port, as of somebody outside who asks the gateway for it; for any
 * other, as the gateway itself calls it on the routes that lead there.
 */
export function* walkFromGateway(plain: Call): Walk {
  const { snapshot, client, host, port } = plain
  const call: ProxyCall = { ...plain, scope: scopeOf(client.namespace, undefined), brokenAs: '503' }
  const gateway = gatewayRunBy(snapshot, client)
  const proxy =
    gateway === undefined ? gatewayProxy(snapshot, client) : kubernetesGatewayProxy(snapshot, client, gateway)
  const leading = routesLeadingTo(proxy, host, port)
  if (leading.length === 0 || serves(proxy, call)) return yield* walkFront(proxy, call)
  const parts = leading.map((leading): Part => {
    const { object, field } = leading.entry
    return { name: `${objectName(object)} ${field}`, share: 1, walk: () => walkLeading(call, leading) }
  })
  return yield* walkParts(parts, 'routes')
}

/** A place of a route of the gateway that names a host and port. */
interface Leading {
  readonly entry: RouteEntry
  /** Undefined: a route for connections. */
  readonly route: Route | undefined
  readonly destination: Destination
  readonly by: Decider
}

/** Has a server of the gateway the name, and not only every name? */
function serves({ snapshot, merged: { pod, placements } }: GatewayProxy, { asked, port }: ProxyCall): boolean {
  const podPort = targetPorts(snapshot, pod).get(port) ?? port
  const names = new Set([...coveringPatterns(asked)].filter((pattern) => pattern !== '*'))
  return placements.some(
    ({ server, port, conflict }) =>
      conflict === undefined && port === podPort && server.hosts.some((host) => names.has(hostOfEntry(host))),
  )
}

function routesLeadingTo(proxy: GatewayProxy, host: string, port: number): readonly Leading[] {
  const found = new Map<string, Leading>()
  const add = (entry: RouteEntry, route: Route | undefined, to: readonly Destination[]): void => {
    for (const { destination, by } of destinationsOf(entry, to)) {
      if (destination.host !== host || destination.port !== port) continue
      const key = `${objectName(by.object)} ${by.field}`
      if (!found.has(key)) found.set(key, { entry, route, destination, by })
    }
  }
  for (const { chains } of gatewayListeners(proxy)) {
    for (const { traffic } of chains) {
      if (traffic.kind === 'tcp') add(traffic.route.entry, undefined, traffic.route.to)
      if (traffic.kind !== 'http') continue
      for (const route of traffic.hosts.flatMap(({ routes }) => routes)) {
        if (route.action.kind === 'forward') add(route.entry, route, route.action.to)
      }
    }
  }
  return [...found.values()]
}

function* walkLeading(call: ProxyCall, { entry, route, destination, by }: Leading): Walk {
  yield step('route', `what it takes goes to ${destinationText(destination)}`, entry)
  if (route?.action.kind !== 'forward') {
    return yield* walkGatewayDestination({ ...call, brokenAs: 'connection reset' }, destination, by)
  }
  yield* deadlineSteps(call.snapshot, route, route.action)
  return yield* walkGatewayDestination(call, destination, by)
}
