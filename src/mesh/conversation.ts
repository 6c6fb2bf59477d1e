import { concreteHost } from './aliases.ts'
import { enrolmentOf, isWaypointWorkload } from './ambient-enrolment.ts'
import { calledHost, type CalledHost } from './conversation/called-host.ts'
import { identityOf, type Call } from './conversation/call.ts'
import { walkCaptured } from './conversation/client-ambient.ts'
import { walkFromGateway } from './conversation/client-gateway.ts'
import { walkFromSidecar } from './conversation/client-sidecar.ts'
import { walkFromWaypoint } from './conversation/client-waypoint.ts'
import { walkDirect } from './conversation/direct.ts'
import { collect, fails, objectName, step, type Ending, type Step, type Walk } from './conversation/step.ts'
import { discoveredMesh } from './discovery.ts'
import { runsGateway } from './gateway-pod.ts'
import { servicesWithHost } from './registry.ts'
import type { Request } from './request.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { hasSidecar, type Workload } from './workloads.ts'

/** A request that a workload makes: to a name as its application writes it, and a port. */
export interface ConversationQuery {
  readonly client: Workload
  readonly host: string
  readonly port: number
  /**
   * Method, path, headers and token; for which host is the query's own. Who asks and from where is the client's own too, unless the client
   * is a gateway or a waypoint, which asks for others.
   */
  readonly request: Request
}

/** The whole story of a request, from the name that is called to the policies of who answers. */
export interface Conversation extends ConversationQuery {
  /** In the order in which they happen, each with what decides it. */
  readonly steps: readonly Step[]
  readonly verdict: Ending
}

/**
 * What becomes of a request of a workload, step by step, and what the caller gets to see. As in a mesh whose endpoints are all up and whose
 * applications answer; what the model does not know makes the verdict `unknown`. Never throws.
 */
export function conversationOf(whole: MeshSnapshot, query: ConversationQuery): Conversation {
  const snapshot = discoveredMesh(whole)
  const plane = planeOf(snapshot, query.client)
  const asked = { ...query, request: requestOf(query, plane) }
  const { steps, ending } = collect(walkCall(snapshot, asked, plane))
  return { ...asked, steps, verdict: ending }
}

function requestOf({ client, host, port, request }: ConversationQuery, plane: Plane): Request {
  switch (plane) {
    case 'gateway':
    case 'waypoint':
      return { ...request, host: port === HTTP || port === HTTPS ? host : `${host}:${port}` }
    case 'sidecar':
    case 'ambient':
    case 'none': {
      const [ip = ''] = client.addresses
      return { ...request, principal: undefined, ip, host: port === HTTP ? host : `${host}:${port}` }
    }
  }
}

function* walkCall(snapshot: MeshSnapshot, query: ConversationQuery, plane: Plane): Walk {
  const { client, host, port, request } = query
  yield step('client', PLANES[plane])
  const called = calledHost(snapshot, client.namespace, host)
  if (called.kind === 'nowhere' && plane !== 'gateway') return nowhere(called)
  const registered = called.kind === 'registered' ? called.host : called.name
  const concrete = concreteHost(snapshot, registered)
  if (called.kind === 'registered' || plane !== 'gateway') yield* hostSteps(snapshot, called, concrete)
  if (concrete === undefined)
    return fails('DNS failure', `the ExternalName Services behind ${registered} lead in a circle`)
  const asked = host.toLowerCase().replace(/\.$/, '')
  const call: Call = { snapshot, client, host: concrete, port, asked, request, brokenAs: 'connection reset' }
  switch (plane) {
    case 'gateway':
      return yield* walkFromGateway(call)
    case 'waypoint':
      return yield* walkFromWaypoint(call)
    case 'sidecar':
      return yield* walkFromSidecar({ ...call, brokenAs: '503' }, called.name)
    case 'ambient':
      return yield* walkCaptured(call)
    case 'none': {
      const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
      const delivery = { ...call, cause: undefined, because: ', having no sidecar', identity, expected: [] }
      return yield* walkDirect(delivery, { host: concrete, port, patience: undefined })
    }
  }
}

type Plane = 'sidecar' | 'ambient' | 'none' | 'gateway' | 'waypoint'

function planeOf(snapshot: MeshSnapshot, client: Workload): Plane {
  if (isWaypointWorkload(client)) return 'waypoint'
  if (runsGateway(client.object)) return 'gateway'
  if (hasSidecar(snapshot, client)) return 'sidecar'
  return enrolmentOf(snapshot, client).mode === 'ambient' ? 'ambient' : 'none'
}

function* hostSteps(snapshot: MeshSnapshot, called: CalledHost, concrete: string | undefined): Generator<Step> {
  if (called.kind !== 'registered') {
    yield step('host', `${called.name} is no host of the registry`)
    return
  }
  const [service] = servicesWithHost(snapshot, called.host)
  if (service === undefined) return
  const { object, source } = service
  const field = source === 'Service' ? 'metadata.name' : 'spec.hosts'
  yield step('host', `${called.name}, a host of ${objectName(object)}`, { object, field })
  if (concrete === undefined || concrete === called.host) return
  yield step('host', `stands for ${concrete}`, { object, field: 'spec.externalName' })
}

function nowhere({ name, nearest }: { readonly name: string; readonly nearest: string | undefined }): Ending {
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  return fails('DNS failure', `there is no Service for "${name}"${hint}`)
}

const HTTP = 80
const HTTPS = 443
const PLANES: Readonly<Record<Plane, string>> = {
  sidecar: 'has a sidecar',
  ambient: 'is in ambient: ztunnel carries what it sends',
  gateway: 'is a gateway: what it takes from others goes where its routes lead',
  waypoint: 'is a waypoint: it passes on what others send to the services behind it',
  none: 'has no sidecar and is not in ambient: it sends plaintext',
}
