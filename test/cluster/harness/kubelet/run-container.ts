import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

import type { V1Container } from '@kubernetes/client-node'

import type { Exit, Launched } from '../launcher.ts'
import { reasonOf } from './api-error.ts'
import { untouched, type ContainerReport, type Termination } from './container-report.ts'
import { perform, type ProbeTarget } from './probe.ts'
import { terminate } from './terminate.ts'
import { watchHealth } from './watch-health.ts'

export interface RunContainerOptions {
  readonly container: V1Container
  readonly restart: 'Always' | 'OnFailure' | 'Never'
  /** Seconds that it gets to end after a failed probe. */
  readonly grace: number
  readonly backoff: Backoff
  /** Starts the process. Rejects while that is impossible, with what a person should read. */
  readonly launch: () => Promise<StartedContainer>
  /** Called when the report is another one. */
  readonly onChange: () => void
}

export interface StartedContainer {
  readonly process: Launched
  readonly target: ProbeTarget
}

/** Seconds between two starts of a container that keeps ending: doubled each time, and forgotten after a long run. */
export interface Backoff {
  readonly first: number
  readonly most: number
}

/** One container over all its restarts. */
export interface RunningContainer {
  readonly report: () => ContainerReport
  /** Resolves with the last exit code (undefined: never ran) when the container will not run again. */
  readonly finished: Promise<number | undefined>
  /** Ends it for good: preStop hook, SIGTERM, `grace` seconds, SIGKILL. */
  readonly stop: (grace: number) => void
  /** Ends it at once, whatever it is doing. */
  readonly kill: () => void
}

/** What a start that cannot succeed yet waits before the next try. */
const retry = 500

/** Runs a container, and again as its restart policy says, until it is done or stopped. */
export function runContainer(options: RunContainerOptions): RunningContainer {
  const { container, restart, backoff, launch, onChange } = options
  const stopping = new AbortController()
  const impatient = new AbortController()
  let grace = options.grace
  let report = untouched
  const change = (next: Partial<ContainerReport>): void => {
    report = { ...report, ...next }
    onChange()
  }

  const startOnce = async (): Promise<StartedContainer | undefined> => {
    while (!stopping.signal.aborted) {
      try {
        return await launch()
      } catch (error) {
        const message = reasonOf(error)
        change({ state: { phase: 'waiting', reason: 'CreateContainerConfigError', message } })
        await pause(retry)
      }
    }
    return undefined
  }

  const pause = (milliseconds: number): Promise<void> =>
    delay(milliseconds, undefined, { signal: stopping.signal }).catch(() => {})

  const runOnce = async ({ process, target }: StartedContainer, restarts: number): Promise<Termination> => {
    const startedAt = new Date()
    // In one step, so that a container that waits is never seen with the count of the start that it waits for.
    change({ state: { phase: 'running', pid: process.pid, since: startedAt }, restarts })
    const ended = new AbortController()
    const unhealthy = new AbortController()
    const signal = ended.signal
    const probing = watchHealth({ container, target, signal, change, onUnhealthy: () => unhealthy.abort() })
    const postStart = container.lifecycle?.postStart
    if (postStart !== undefined) perform(postStart, target, 30_000).catch(() => unhealthy.abort())
    const byItself = process.exited.then(() => true)
    const told = Promise.race([aborted(stopping.signal), aborted(unhealthy.signal)]).then(() => false)
    const exit = (await Promise.race([byItself, told]))
      ? await process.exited
      : await terminate({ process, grace, hook: preStop(container, target), signal: impatient.signal })
    ended.abort()
    await probing
    const exitCode = exitCodeOf(exit)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    return { exitCode, reason, pid: process.pid, startedAt, finishedAt: new Date() }
  }

  const run = async (): Promise<number | undefined> => {
    for (let wait = 0, restarts = 0; ; restarts++) {
      const startedContainer = await startOnce()
      if (startedContainer === undefined) return report.lastTermination?.exitCode
      const termination = await runOnce(startedContainer, restarts)
      const { exitCode } = termination
      change({ state: { phase: 'terminated', termination }, started: false, ready: false })
      if (stopping.signal.aborted || restart === 'Never' || (restart === 'OnFailure' && exitCode === 0)) return exitCode
      const ranLong = termination.finishedAt.getTime() - termination.startedAt.getTime() > backoff.most * 2000
      // The first restart comes at once.
      if (ranLong) wait = 0
      if (wait > 0) change({ state: { phase: 'waiting', reason: 'CrashLoopBackOff' }, lastTermination: termination })
      await pause(wait * 1000)
      if (stopping.signal.aborted) return exitCode
      wait = Math.min(wait === 0 ? backoff.first : wait * 2, backoff.most)
      change({ lastTermination: termination })
    }
  }

  return {
    report: () => report,
    finished: run(),
    stop: (seconds) => {
      if (!stopping.signal.aborted) grace = seconds
      stopping.abort()
    },
    kill: () => {
      impatient.abort()
      stopping.abort()
    },
  }
}

function preStop({ lifecycle }: V1Container, target: ProbeTarget): ((timeout: number) => Promise<void>) | undefined {
  const hook = lifecycle?.preStop
  if (hook === undefined) return undefined
  const { sleep } = hook
  if (sleep !== undefined) return () => delay(sleep.seconds * 1000)
  return (timeout) => perform(hook, target, timeout)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A process that a signal ended has 128 more than the signal's number. */
function exitCodeOf({ code, signal }: Exit): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}
