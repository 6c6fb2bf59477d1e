import { setTimeout as sleep } from 'node:timers/promises'

/** Something that is brought a step nearer to how it should be, again and again. */
export interface Duty {
  readonly name: string
  /** Rejects where it could not be done now. */
  readonly run: () => Promise<void>
}

export interface ControlLoopOptions {
  /** In the order of their running. */
  readonly duties: readonly Duty[]
  /** Milliseconds between two rounds. */
  readonly interval: number
  /** Told of each new reason why a duty could not be done, and with an empty one when it can again. */
  readonly trouble: (duty: string, reason: string) => void
}

/**
 * Runs duties one after the other, round after round; one that fails keeps no other from its turn. Each looks at what
 * is there rather than at what happened, so that nothing is lost by a failure or a restart. Returns what ends it, after
 * the duty that is running.
 */
export function startControlLoop({ duties, interval, trouble }: ControlLoopOptions): () => Promise<void> {
  const stopped = new AbortController()
  const { signal } = stopped
  const reasons = new Map<string, string>()
  const attempt = async ({ name, run }: Duty): Promise<void> => {
    let reason = ''
    try {
      await run()
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    if (reason !== (reasons.get(name) ?? '')) trouble(name, reason)
    reasons.set(name, reason)
  }
  const rounds = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const duty of duties) if (!signal.aborted) await attempt(duty)
      await sleep(interval, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  const running = rounds()
  return async () => {
    stopped.abort()
    await running
  }
}
