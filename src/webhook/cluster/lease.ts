import { asObject, type Json, type JsonObject } from '../../kube/json.ts'
import { createOwned, readObject, replaceObject, type Owner } from './kept-objects.ts'

/** How long others leave the lease to a leader that does not renew it; client-go's own values, as the two below. */
const DURATION = 15_000

/** How long a leader that cannot renew goes on as one; less than `DURATION`, so that there are never two. */
const RENEW_DEADLINE = 10_000

export interface LeaseOptions {
  readonly owner: Owner
  readonly namespace: string
  readonly name: string
  /** Of this replica; no two have the same. */
  readonly identity: string
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
  /** Milliseconds since the epoch, for people who read the Lease. */
  readonly now: () => number
}

/** The part of one replica in the election of a leader. */
export interface Election {
  /** True while nobody else can be the leader; turns false by itself when the lease could not be renewed in time. */
  isLeader(): boolean
  /** Takes, renews or watches the lease, once. To be called every 2 s. Rejects where the API server refuses. */
  round(): Promise<void>
  /** Gives the lease back, so that another replica takes it at its next round. */
  resign(): Promise<void>
}

/** What is known of the lease, and since when it has not changed. */
interface Observation {
  readonly version: Json | undefined
  readonly since: number
}

/**
 * Elects one leader by a Lease, as client-go's `leaderelection` does: clocks are never compared between replicas; a
 * lease has run out when a replica saw no change of it for its duration, by its own clock.
 */
export function joinElection(options: LeaseOptions): Election {
  const { owner, namespace, name, identity, monotonic } = options
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const path = `${collection}/${name}`
  let observed: Observation = { version: undefined, since: Number.NEGATIVE_INFINITY }
  let renewed = Number.NEGATIVE_INFINITY

  const round = async (): Promise<void> => {
    // Before the request: that the answer was long in coming must not lengthen the lease.
    const asked = monotonic()
    const lease = await readObject(owner.api, path)
    if (lease === undefined) {
      const made = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } }
      if (await createOwned(owner, collection, { ...made, spec: heldBy(options, {}) })) renewed = asked
      return
    }
    const { resourceVersion: version } = asObject(lease.metadata)
    if (version !== observed.version) observed = { version, since: asked }
    const spec = asObject(lease.spec)
    if (!mayTake(spec, identity, monotonic() - observed.since)) {
      renewed = Number.NEGATIVE_INFINITY
      return
    }
    if (await replaceObject(owner.api, path, { ...lease, spec: heldBy(options, spec) })) renewed = asked
  }

  return {
    isLeader: () => monotonic() - renewed < RENEW_DEADLINE,
    round,
    resign: async () => {
      if (monotonic() - renewed >= RENEW_DEADLINE) return
      renewed = Number.NEGATIVE_INFINITY
      const lease = await readObject(owner.api, path)
      const spec = asObject(lease?.spec)
      if (lease === undefined || spec.holderIdentity !== identity) return
      await replaceObject(owner.api, path, { ...lease, spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } })
    },
  }
}

/** May this replica write its name into the lease, which has not changed for `unchanged` milliseconds? */
function mayTake(spec: JsonObject, identity: string, unchanged: number): boolean {
  const { holderIdentity: holder, leaseDurationSeconds: seconds } = spec
  if (typeof holder !== 'string' || holder === '' || holder === identity) return true
  return unchanged >= (typeof seconds === 'number' ? seconds * 1000 : DURATION)
}

function heldBy({ identity, now }: LeaseOptions, before: JsonObject): JsonObject {
  const time = new Date(now()).toISOString().replace('Z', '000Z')
  const renewal = { holderIdentity: identity, leaseDurationSeconds: DURATION / 1000, renewTime: time }
  if (before.holderIdentity === identity) return { ...before, ...renewal }
  const transitions = typeof before.leaseTransitions === 'number' ? before.leaseTransitions + 1 : 0
  return { ...renewal, acquireTime: time, leaseTransitions: transitions }
}
