import { isCaptured } from '../ambient-enrolment.ts'
import type { Endpoint } from '../endpoints.ts'
import { runsGateway } from '../gateway-pod.ts'
import type { ServicePort } from '../registry.ts'
import { identityOf, type Delivery } from './call.ts'
import { walkOutside } from './outside.ts'
import { walkSidecar } from './server-sidecar.ts'
import {
  answered,
  collect,
  fails,
  objectName,
  step,
  unknown,
  walkParts,
  type Ending,
  type Part,
  type Step,
  type Walk,
  type Walked,
} from './step.ts'
import { walkZtunnel } from './server-ztunnel.ts'

/** What the client speaks to an endpoint: `mtls` that of sidecars, `hbone` that of ambient, `tls` anything without an identity of the mesh. */
export type Transport = 'mtls' | 'hbone' | 'tls' | 'plaintext'

/** An endpoint, and what is spoken to it. */
export interface Reached {
  readonly endpoint: Endpoint
  readonly transport: Transport
}

/** One place that a request may come to. */
export interface Arrival extends Omit<Reached, 'transport'> {
  /** Whether a sidecar and ztunnel speak HBONE to each other depends on the installation. */
  readonly transport: Transport | 'hbone-or-plaintext'
}

/** What the endpoints of a destination make of a request; those that do the same are told once. */
export function walkArrivals(delivery: Delivery, port: ServicePort, arrivals: readonly Arrival[]): Walk {
  const told = arrivals.map((arrival) => ({ arrival, ...collect(walkArrival(delivery, port, arrival)) }))
  const groups = Map.groupBy(told, ({ arrival, steps, ending }) =>
    JSON.stringify([arrival.transport, steps.map(keyOf), keyOf(ending)]),
  )
  const parts = [...groups.values()].flatMap((members): readonly Part[] => {
    const [first] = members
    if (first === undefined) return []
    const name = namesText(members.map(({ arrival }) => arrival.endpoint))
    return [{ name, share: members.length, walk: () => replay(name, REACHED[first.arrival.transport], first) }]
  })
  return walkParts(parts, 'endpoints')
}

function* walkArrival(delivery: Delivery, port: ServicePort, { endpoint, transport }: Arrival): Walk {
  if (transport !== 'hbone-or-plaintext') return yield* walkReached(delivery, port, { endpoint, transport })
  const withHbone = collect(walkReached(delivery, port, { endpoint, transport: 'hbone' }))
  const without = collect(walkReached(delivery, port, { endpoint, transport: 'plaintext' })).ending
  yield* withHbone.steps
  const { outcome, sees, by } = withHbone.ending
  if (outcome === without.outcome && sees === without.sees) return withHbone.ending
  const cases = `with it ${sees}, without it ${without.sees}: ${without.why}`
  return unknown(
    `whether sidecars and ztunnel speak HBONE to each other is up to the installation: ${cases}`,
    without.by ?? by,
  )
}

function* walkReached(delivery: Delivery, port: ServicePort, reached: Reached): Walk {
  const { endpoint, transport } = reached
  const { workload } = endpoint
  if (workload === undefined) return yield* walkOutside(delivery, port, reached)
  const { object } = workload
  if (runsGateway(object))
    return unknown('a gateway: its Gateways and VirtualServices decide', { object, field: 'spec' })
  if (transport === 'mtls' && isImpostor(delivery, endpoint)) {
    const why = `the certificate is of service account ${endpoint.account ?? ''}, which is none of subjectAltNames`
    return fails(delivery.brokenAs, why, delivery.cause)
  }
  if (endpoint.hasSidecar) return yield* walkSidecar(delivery, workload, reached)
  if (isCaptured(delivery.snapshot, workload)) return yield* walkZtunnel(delivery, workload, reached)
  yield step('server', `no sidecar and no ztunnel: port ${endpoint.port} is the application's own`)
  switch (transport) {
    case 'mtls':
    case 'hbone':
      return fails(delivery.brokenAs, 'the client speaks mTLS to pods that have no sidecar', delivery.cause)
    case 'tls':
      return unknown('it takes an application that serves TLS itself on that port', delivery.cause)
    case 'plaintext':
      return answered('an answer', 'nothing of the mesh is before the application')
  }
}

/** Does the client not take the identity of the server for one that it expects? */
function isImpostor({ snapshot, expected }: Delivery, { hasSidecar, namespace, account }: Endpoint): boolean {
  if (expected.length === 0 || !hasSidecar || account === undefined) return false
  return !expected.includes(`spiffe://${identityOf(snapshot, namespace, account)}`)
}

function* replay(name: string, how: string, { steps, ending }: Walked): Walk {
  yield step('server', `${name}, reached ${how}`)
  yield* steps
  return ending.outcome === 'ok' ? { ...ending, why: `it gets through to ${name}: ${ending.why}` } : ending
}

function keyOf({ by, ...rest }: Step | Ending): unknown {
  return [rest, by === undefined ? '' : `${objectName(by.object)} ${by.field}`]
}

function namesText(endpoints: readonly Endpoint[]): string {
  const names = [...new Set(endpoints.map(({ name }) => name))]
  const more = names.length - MOST_NAMES
  return more <= 0 ? names.join(', ') : `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more`
}

const MOST_NAMES = 2
const REACHED: Readonly<Record<Arrival['transport'], string>> = {
  mtls: 'in mTLS',
  hbone: 'over HBONE',
  'hbone-or-plaintext': 'over HBONE or in plaintext',
  tls: 'in TLS',
  plaintext: 'in plaintext',
}
