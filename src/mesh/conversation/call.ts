import { meshConfigOf } from '../mesh-config.ts'
import type { Request } from '../request.ts'
import type { Scope } from '../sidecar.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import type { Workload } from '../workloads.ts'
import type { Decider } from './step.ts'

/** A request on its way. */
interface Sent {
  readonly snapshot: MeshSnapshot
  readonly client: Workload
  readonly request: Request
  /** What the caller sees where a connection breaks: a sidecar that speaks HTTP answers in the place of the server. */
  readonly brokenAs: '503' | 'connection reset'
}

/** A request to a port of a host. */
export interface Call extends Sent {
  /** As the registry has it; as it was asked for where the registry has none. */
  readonly host: string
  readonly port: number
  /** The host as the application writes it, which is what its TLS asks for. */
  readonly asked: string
}

/** One that a sidecar makes for its application, or a gateway on its routes. */
export interface ProxyCall extends Call {
  readonly scope: Scope
}

/** How a request comes to the endpoints of its destination. */
export interface Delivery extends Sent {
  /** Why its transport is what it is: what decides it, and in words that go on after it, or none. */
  readonly cause: Decider | undefined
  readonly because: string
  /** The identity that it has over mTLS, without `spiffe://`. */
  readonly identity: string
  /** The identities that the client takes from a server, with `spiffe://`; none: any. */
  readonly expected: readonly string[]
}

/** The identity of a workload, without `spiffe://`. */
export function identityOf(snapshot: MeshSnapshot, namespace: string, account: string): string {
  return `${meshConfigOf(snapshot).trustDomain}/ns/${namespace}/sa/${account}`
}

/** What a proxy takes the request for: with HTTP it answers in the place of the server. */
export function trafficOf({ brokenAs }: Sent): 'http' | 'tcp' {
  return brokenAs === '503' ? 'http' : 'tcp'
}
