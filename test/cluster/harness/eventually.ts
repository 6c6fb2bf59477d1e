import { setTimeout as delay } from 'node:timers/promises'

export interface EventuallyOptions {
  /** What is awaited, for the message of a timeout. */
  readonly what: string
  /** Milliseconds until the wait is given up. */
  readonly within: number
  /** Milliseconds between two tries. */
  readonly every?: number
  /** Ends the wait early: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Calls `probe` until it returns something other than undefined, and returns that. A probe that throws counts as not yet;
 * past the time limit the promise is rejected with the last reason.
 */
export async function eventually<T>(
  { what, within, every = 50, signal }: EventuallyOptions,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + within
  let cause: unknown
  do {
    signal?.throwIfAborted()
    try {
      const value = await probe()
      if (value !== undefined) return value
    } catch (error) {
      cause = error
    }
    await delay(every)
  } while (performance.now() < deadline)
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  throw new Error(`${what} did not happen within ${within / 1000} s${reason}`, { cause })
}
