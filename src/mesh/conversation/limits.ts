import { formatDuration } from '../../kube/duration.ts'
import { meshConfigOf } from '../mesh-config.ts'
import { connectTimeoutOf, limitsOf, retryBudgetOf } from '../resilience.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import type { PlacedBlock, TrafficPolicy } from '../traffic-policy.ts'
import { step, type Decider, type Step } from './step.ts'
import { meshDecider } from './unseen.ts'

/** How many retries towards a destination may be under way at once, and how long a connection to it may take. */
export function* limitSteps(snapshot: MeshSnapshot, policy: TrafficPolicy, traffic: 'http' | 'tcp'): Generator<Step> {
  if (traffic === 'http') yield* retrySteps(snapshot, policy)
  const own = connectTimeoutOf(policy)
  const by =
    own === undefined
      ? meshDecider(snapshot, 'connectTimeout')
      : deciderIn(snapshot, policy.connectionPool, 'tcp.connectTimeout')
  yield step('timeout', `${formatDuration(own ?? meshConfigOf(snapshot).connectTimeout)} to connect`, by)
}

function* retrySteps(snapshot: MeshSnapshot, policy: TrafficPolicy): Generator<Step> {
  const budget = retryBudgetOf(policy)
  if (budget !== undefined) {
    const text = `at once for at most ${budget.percent} % of the requests under way, and for ${budget.minRetryConcurrency} in any case`
    yield step('retries', text, deciderIn(snapshot, policy.retryBudget))
  }
  const { maxRetries } = limitsOf(policy)
  if (maxRetries === undefined) return
  const text = `at once for at most ${maxRetries} requests`
  const by = deciderIn(snapshot, policy.connectionPool, 'http.maxRetries')
  yield step('retries', budget === undefined ? text : `not ${text}: the budget takes its place`, by)
}

function deciderIn(snapshot: MeshSnapshot, block: PlacedBlock | undefined, within?: string): Decider | undefined {
  if (block === undefined) return undefined
  const { object, field } = block
  if (object === undefined) return meshDecider(snapshot, 'defaultTrafficPolicy')
  return { object, field: within === undefined ? field : `${field}.${within}` }
}
