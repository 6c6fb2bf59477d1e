import { concreteHost } from './aliases.ts'
import { enrolmentOf, isWaypointWorkload } from './ambient-enrolment.ts'
import { calledHost, type CalledHost } from './conversation/called-host.ts'
import { identityOf, type Call } from './conversation/call.ts'
import { walkCaptured } from './conversation/client-ambient.ts'
import { walkFromSidecar } from './conversation/client-sidecar.ts'
import { walkDirect } from './conversation/direct.ts'
import { collect, fails, objectName, step, unknown, type Ending, type Step, type Walk } from './conversation/step.ts'
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
  /** Method, path, headers and token; who asks, from where and for which host is the query's own. */
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
  const { client, host, port } = query
  const authority = port === HTTP ? host : `${host}:${port}`
  const request = { ...query.request, principal: undefined, ip: client.addresses[0] ?? '', host: authority }
  const { steps, ending } = collect(walkCall(discoveredMesh(whole), { ...query, request }))
  return { client, host, port, request, steps, verdict: ending }
}

function* walkCall(snapshot: MeshSnapshot, { client, host, port, request }: ConversationQuery): Walk {
  if (isWaypointWorkload(client)) return unknown('the client is a waypoint, which calls nobody of its own accord')
  if (runsGateway(client.object)) {
    return unknown('the client is a gateway: its Gateways and VirtualServices decide', {
      object: client.object,
      field: 'spec',
    })
  }
  const plane = planeOf(snapshot, client)
  yield step('client', PLANES[plane])
  const called = calledHost(snapshot, client.namespace, host)
  if (called.kind === 'nowhere') return nowhere(called)
  const registered = called.kind === 'registered' ? called.host : called.name
  const concrete = concreteHost(snapshot, registered)
  yield* hostSteps(snapshot, called, concrete)
  if (concrete === undefined)
    return fails('DNS failure', `the ExternalName Services behind ${registered} lead in a circle`)
  const call: Call = { snapshot, client, host: concrete, port, asked: host, request, brokenAs: 'connection reset' }
  switch (plane) {
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

type Plane = 'sidecar' | 'ambient' | 'none'

function planeOf(snapshot: MeshSnapshot, client: Workload): Plane {
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
const PLANES: Readonly<Record<Plane, string>> = {
  sidecar: 'has a sidecar',
  ambient: 'is in ambient: ztunnel carries what it sends',
  none: 'has no sidecar and is not in ambient: it sends plaintext',
}
