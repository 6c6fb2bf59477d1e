import { setTimeout as delay } from 'node:timers/promises'

/**
 * Does something again and again until told to stop, with a rest between two rounds. A round that fails, since the API
 * server is away for a moment, is one that did not happen: what it does has to work from what there is, not from what
 * has changed.
 */
export async function every(rest: number, signal: AbortSignal, round: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await round().catch(() => {})
    await delay(rest, undefined, { signal }).catch(() => {})
  }
}
