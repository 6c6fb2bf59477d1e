import { formatDuration } from '../../kube/duration.ts'
import { isGatewayApi } from '../gateway-api-backends.ts'
import type { AbortStatus, Destination, Fault, Forward, Redirect, Route } from '../http-route.ts'
import { shadowedMatches } from '../route-reachability.ts'
import type { Request } from '../request.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import type { VirtualService } from '../virtual-service.ts'
import { deadlineSteps, defaultDeadlineSteps } from './deadline.ts'
import { destinationText, walkDestinations } from './destinations.ts'
import { deciderIn } from './entry-field.ts'
import { rewritten, routeForRequest, type Scheme } from './route-choice.ts'
import { answered, fails, objectName, step, type Decider, type Ending, type Step, type Walk } from './step.ts'

/** A request at a proxy that chooses a route for it. */
export interface Routing {
  readonly snapshot: MeshSnapshot
  readonly host: string
  readonly port: number
  readonly request: Request
  readonly scheme: Scheme
  /** `the client's sidecar`. */
  readonly proxy: string
  /** VirtualServices that name the host as well; what they say counts only if it is among the routes. */
  readonly rivals: readonly VirtualService[]
  /** How a request goes on to a destination; `by`: where a route names it. */
  readonly deliver: (request: Request, destination: Destination, by: Decider | undefined) => Walk
}

/** What becomes of a request by the routes that a proxy has for its host. */
export function* walkRoutes(routing: Routing, routes: readonly Route[] | 'default'): Walk {
  const { snapshot, host, port, request, scheme, deliver } = routing
  if (routes === 'default') {
    yield step('route', `no VirtualService routes it: it goes to ${host}:${port}`)
    yield* defaultDeadlineSteps(snapshot)
    return yield* deliver(request, { host, port, subset: undefined, weight: undefined }, undefined)
  }
  yield* rivalSteps(routing, routes)
  const route = routeForRequest(routes, request, scheme)
  if (route === undefined) {
    const [object] = routes.map(({ virtualService }) => virtualService.object)
    const name = object === undefined ? 'its VirtualService' : objectName(object)
    const by = object === undefined ? undefined : { object, field: isGatewayApi(object) ? 'spec.rules' : 'spec.http' }
    return fails('404', `no route of ${name} takes ${request.method} ${request.path}`, by)
  }
  const called = route.name === '' ? '' : ` by route "${route.name}"`
  yield step('route', `${request.method} ${request.path} goes${called} to ${targetText(route)}`, route.entry)
  yield* shadowSteps(route)
  return yield* walkAction(routing, route)
}

function* walkAction(routing: Routing, route: Route): Walk {
  const { action, entry, fault } = route
  switch (action.kind) {
    case 'redirect': {
      const by = deciderIn(entry, 'redirect')
      return answered(`${action.redirect.code}`, `${routing.proxy} redirects it`, by)
    }
    case 'direct-response': {
      const by = deciderIn(entry, 'directResponse')
      const why = `${routing.proxy} answers it itself`
      return action.status < 400 ? answered(`${action.status}`, why, by) : fails(`${action.status}`, why, by)
    }
    case 'forward': {
      yield* deadlineSteps(routing.snapshot, route, action)
      if (fault?.delay !== undefined && fault.delay.percent > 0) yield delayStep(route, fault.delay)
      return withAbort(yield* walkForward(routing, route, action), route, routing.proxy)
    }
  }
}

function walkForward({ request, deliver }: Routing, route: Route, { to }: Forward): Walk {
  return walkDestinations(route.entry, to, 'requests', (destination, by) =>
    deliver(rewritten(request, route), destination, by),
  )
}

/** The VirtualServices that name the host as well and have no say. */
function* rivalSteps({ rivals, host }: Routing, routes: readonly Route[]): Generator<Step> {
  const used = new Set(routes.map(({ virtualService }) => virtualService.object))
  const [first] = used
  if (first === undefined) return
  for (const { object, http } of rivals) {
    if (used.has(object) || http.length === 0) continue
    const text = `ignored: it names ${host} as well, and ${objectName(first)} comes before it`
    yield step('route', text, { object, field: 'spec.hosts' })
  }
}

/** What the VirtualService itself says of the requests that this route takes, further down. */
function* shadowSteps({ entry }: Route): Generator<Step> {
  for (const { of, field, by } of shadowedMatches(entry.object)) {
    if (of !== 'entry' || (by !== entry.field && !by.startsWith(`${entry.field}.`))) continue
    yield step('route', `never reached: ${by} takes all that it would`, { object: entry.object, field })
  }
}

function delayStep({ entry }: Route, { fixedDelay, percent }: NonNullable<Fault['delay']>): Step {
  const text = `${formatDuration(fixedDelay)} later than it could be, for ${percent} % of the requests`
  return step('timeout', text, { object: entry.object, field: `${entry.field}.fault.delay` })
}

function withAbort(ending: Ending, { entry, fault }: Route, proxy: string): Ending {
  const abort = fault?.abort
  if (abort === undefined || abort.percent <= 0 || ending.outcome === 'fails') return ending
  const by = { object: entry.object, field: `${entry.field}.fault.abort` }
  const ofAll = fails(abortText(abort.status), `${proxy} aborts it on purpose`, by)
  if (abort.percent >= 100) return ofAll
  return { ...ofAll, outcome: 'partly', why: `${abort.percent} % of the requests: ${ofAll.why}` }
}

function abortText(status: AbortStatus): string {
  return 'httpStatus' in status ? `${status.httpStatus}` : `gRPC ${status.grpcStatus}`
}

function targetText({ action }: Route): string {
  switch (action.kind) {
    case 'forward':
      return action.to.map(destinationText).join(' and ') || 'no destination'
    case 'redirect':
      return redirectText(action.redirect)
    case 'direct-response':
      return `an answer ${action.status}`
  }
}

function redirectText({ code, authority, uri, prefix }: Redirect): string {
  return `a redirect ${code} to ${authority ?? 'the same host'}${uri ?? prefix ?? ''}`
}
