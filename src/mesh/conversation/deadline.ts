import { formatDuration, type Duration } from '../../kube/duration.ts'
import { block } from '../fields.ts'
import type { Forward, Route } from '../http-route.ts'
import { meshConfigOf } from '../mesh-config.ts'
import { isConnectLevel, maxTries, retriesOf, worstLatency, type Retries } from '../retries.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { deciderIn } from './entry-field.ts'
import { step, type Decider, type Step } from './step.ts'
import { meshDecider } from './unseen.ts'

/** How often a request is tried on a route, and which deadline ends it. */
export function deadlineSteps(snapshot: MeshSnapshot, { entry }: Route, forward: Forward): readonly Step[] {
  const at = (name: 'retries' | 'timeout'): Decider | undefined =>
    block(entry.spec[name]) === undefined && typeof entry.spec[name] !== 'string' ? undefined : deciderIn(entry, name)
  const { retries, timeout } = forward
  return [
    step('retries', retriesText(retries, timeout), at('retries') ?? meshDecider(snapshot, 'defaultHttpRetryPolicy')),
    step('timeout', deadlineText(retries, timeout), at('timeout') ?? (isTimed(retries) ? at('retries') : undefined)),
  ]
}

/** The same for the route that a host has where no VirtualService routes it. */
export function defaultDeadlineSteps(snapshot: MeshSnapshot): readonly Step[] {
  const retries = retriesOf(meshConfigOf(snapshot).defaultHttpRetryPolicy, false)
  const by = meshDecider(snapshot, 'defaultHttpRetryPolicy')
  return [
    step('retries', retriesText(retries, undefined), by),
    step('timeout', deadlineText(retries, undefined), isTimed(retries) ? by : undefined),
  ]
}

function retriesText(retries: Retries | undefined, timeout: Duration | undefined): string {
  if (retries === undefined) return 'tried once: retries are switched off'
  const tries = maxTries(retries, timeout)
  const each = isTimed(retries) ? `, each for at most ${formatDuration(retries.perTryTimeout ?? 0n)}` : ''
  const when = isConnectLevel(retries)
    ? 'where the request did not reach the server'
    : `on ${[...retries.retryOn, ...retries.retriableStatusCodes].join(',')}`
  return `tried up to ${tries} times${each}; again ${when}`
}

/** Which of the deadlines is the first that a slow answer meets. */
function deadlineText(retries: Retries | undefined, timeout: Duration | undefined): string {
  const longest = worstLatency(retries, undefined)
  const each = retries?.perTryTimeout
  if (timeout === undefined) {
    if (longest === undefined) return 'none: the client waits as long as the server takes'
    return `no timeout for the route; its tries end after ${formatDuration(longest)} at the latest`
  }
  const whole = `${formatDuration(timeout)} for all tries together`
  if (longest === undefined || each === undefined) return whole
  if (each >= timeout) return `${whole}, which ends the first try before its own ${formatDuration(each)} are over`
  if (longest > timeout) return `${whole}, which cuts tries short that might take ${formatDuration(longest)}`
  return `${whole}; the tries are over sooner, after ${formatDuration(longest)}`
}

function isTimed(retries: Retries | undefined): boolean {
  return retries?.perTryTimeout !== undefined && retries.perTryTimeout > 0n
}
