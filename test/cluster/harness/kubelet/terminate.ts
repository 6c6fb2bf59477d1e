import { setTimeout as delay } from 'node:timers/promises'

import type { Exit, Launched } from '../launcher.ts'

export interface TerminateOptions {
  readonly process: Launched
  /** Seconds between SIGTERM and SIGKILL, the hook included. */
  readonly grace: number
  /** The preStop hook; its failure delays nothing. */
  readonly hook: ((timeout: number) => Promise<void>) | undefined
  /** Ends all patience. */
  readonly signal: AbortSignal
}

/** What a process that used up its grace in the hook still gets. kubernetes: minimumGracePeriodInSeconds */
const leastGrace = 2000

/** Ends a container as Kubernetes does: the hook, SIGTERM to its first process, and SIGKILL when the grace is over. */
export async function terminate({ process: launched, grace, hook, signal }: TerminateOptions): Promise<Exit> {
  const started = performance.now()
  const patience = (milliseconds: number) => delay(milliseconds, undefined, { signal }).catch(() => {})
  if (hook !== undefined && grace > 0) {
    await Promise.race([hook(grace * 1000).catch(() => {}), launched.exited, patience(grace * 1000)])
  }
  const left = grace * 1000 - (performance.now() - started)
  if (grace > 0 && !signal.aborted) {
    launched.signalLeader('SIGTERM')
    await Promise.race([launched.exited, patience(Math.max(left, leastGrace))])
  }
  launched.signal('SIGKILL')
  return launched.exited
}
