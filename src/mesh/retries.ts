import { parseDuration, type Duration } from '../kube/duration.ts'
import type { JsonObject } from '../kube/json.ts'
import { number, text } from './fields.ts'

/** What a proxy retries. */
export interface Retries {
  /** Tries after the first. */
  readonly attempts: number
  readonly retryOn: readonly string[]
  readonly retriableStatusCodes: readonly number[]
  readonly perTryTimeout: Duration | undefined
  /** The base of the growing pause between tries; undefined: Envoy's 25 ms. */
  readonly backoff: Duration | undefined
  /** Does a retry avoid the endpoints that failed? */
  readonly ignorePreviousHosts: boolean
  readonly remoteLocalities: boolean
}

/**
 * The retries of an HTTPRetry, or Istio's own where there is none; undefined where they are switched off, which `attempts: 0`
 * does, written or left out. `isHashed`: the destination is chosen by a hash, so that a retry stays with it.
 * istio: networking/core/route/retry/retry.go ConvertPolicy.
 */
export function retriesOf(settings: JsonObject | undefined, isHashed: boolean): Retries | undefined {
  const standard: Retries = { ...BUILT_IN, ignorePreviousHosts: !isHashed }
  if (settings === undefined) return standard
  const attempts = number(settings.attempts) ?? 0
  if (attempts <= 0) return undefined
  const { retryIgnorePreviousHosts } = settings
  return {
    ...standard,
    ...(text(settings.retryOn) ? parseRetryOn(text(settings.retryOn) ?? '') : {}),
    attempts,
    perTryTimeout: parseDuration(settings.perTryTimeout),
    backoff: parseDuration(settings.backoff),
    ignorePreviousHosts:
      typeof retryIgnorePreviousHosts === 'boolean' ? retryIgnorePreviousHosts : standard.ignorePreviousHosts,
    remoteLocalities: settings.retryRemoteLocalities === true,
  }
}

/** Requests that may reach the destination for one of the client's. */
export function maxTries(retries: Retries | undefined, timeout: Duration | undefined): number {
  if (retries === undefined) return 1
  const tries = 1 + retries.attempts
  const { perTryTimeout } = retries
  const isCutShort =
    timeout !== undefined && perTryTimeout !== undefined && perTryTimeout > 0n && perTryTimeout < timeout
  // the timeout holds for all tries together, so the last ones may never start
  return isCutShort ? Math.min(tries, Number((timeout + perTryTimeout - 1n) / perTryTimeout)) : tries
}

/** The longest that a client may wait for an answer; undefined: without end. */
export function worstLatency(retries: Retries | undefined, timeout: Duration | undefined): Duration | undefined {
  if (timeout !== undefined && timeout > 0n) return timeout
  if (retries?.perTryTimeout === undefined || retries.perTryTimeout <= 0n) return undefined
  const { attempts, perTryTimeout } = retries
  return BigInt(1 + attempts) * perTryTimeout + worstBackoff(attempts, retries.backoff ?? BASE_BACKOFF)
}

/** Are all conditions such that the request never reached an application? Retries then cause no work there. */
export function isConnectLevel(retries: Retries): boolean {
  return retries.retriableStatusCodes.length === 0 && retries.retryOn.every((condition) => CONNECT_LEVEL.has(condition))
}

/** Envoy pauses up to (2^N − 1) times the base before retry N, but never more than ten times the base. */
function worstBackoff(attempts: number, base: Duration): Duration {
  let total = 0n
  for (let retry = 1; retry <= attempts && retry <= 4; retry++) total += base * BigInt(Math.min(2 ** retry - 1, 10))
  return total + base * 10n * BigInt(Math.max(0, attempts - 4))
}

/** Numbers among the conditions are status codes. istio: retry.go parseRetryOn. */
function parseRetryOn(list: string): Pick<Retries, 'retryOn' | 'retriableStatusCodes'> {
  const parts = list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const codes = parts.filter(isStatusCode).map(Number)
  const conditions = parts.filter((part) => !isStatusCode(part))
  const needsCondition = codes.length > 0 && !conditions.some((part) => part.includes(BY_STATUS_CODE))
  return { retryOn: needsCondition ? [...conditions, BY_STATUS_CODE] : conditions, retriableStatusCodes: codes }
}

function isStatusCode(part: string): boolean {
  return /^[+-]?\d+$/.test(part) && STATUS_CODES.has(Number(part))
}

const BY_STATUS_CODE = 'retriable-status-codes'
const BASE_BACKOFF: Duration = 25_000_000n
const BUILT_IN: Retries = {
  attempts: 2,
  retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', BY_STATUS_CODE],
  retriableStatusCodes: [],
  perTryTimeout: undefined,
  backoff: undefined,
  ignorePreviousHosts: true,
  remoteLocalities: false,
}
// without a list of codes, retriable-status-codes retries nothing
const CONNECT_LEVEL: ReadonlySet<string> = new Set([
  'connect-failure',
  'refused-stream',
  'unavailable',
  'cancelled',
  'reset-before-request',
  BY_STATUS_CODE,
])
/** The codes that Go's net/http has a text for. */
const STATUS_CODES: ReadonlySet<number> = new Set([
  ...range(100, 103),
  ...range(200, 208),
  226,
  ...range(300, 305),
  ...range(307, 308),
  ...range(400, 418),
  ...range(421, 426),
  428,
  429,
  431,
  451,
  ...range(500, 508),
  510,
  511,
])

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
