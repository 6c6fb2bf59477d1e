import { setTimeout as delay } from 'node:timers/promises'

import type { V1Probe } from '@kubernetes/client-node'

import { reasonOf } from './api-error.ts'
import { perform, type ProbeTarget } from './probe.ts'

export interface ProbeLoopOptions {
  readonly probe: V1Probe
  readonly target: ProbeTarget
  /** Ends the loop. */
  readonly signal: AbortSignal
  /** Called each time that a threshold is reached, with the last reason of a failure. */
  readonly onResult: (result: ProbeResult) => void
}

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly message: string }

/** Probes again and again until told to stop. Resolves then; never rejects. */
export async function runProbe({ probe, target, signal, onResult }: ProbeLoopOptions): Promise<void> {
  // The API server fills these defaults; a pod that it gave us has them.
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1 } = probe
  const { successThreshold = 1, failureThreshold = 3 } = probe
  const rest = (seconds: number) => delay(seconds * 1000, undefined, { signal }).catch(() => {})
  let last: ProbeResult['ok'] | undefined
  let inARow = 0
  await rest(initialDelaySeconds)
  while (!signal.aborted) {
    const result = await perform(probe, target, timeoutSeconds * 1000).then(
      (): ProbeResult => ({ ok: true }),
      (error: unknown): ProbeResult => ({ ok: false, message: reasonOf(error) }),
    )
    inARow = result.ok === last ? inARow + 1 : 1
    last = result.ok
    if (!signal.aborted && inARow >= (result.ok ? successThreshold : failureThreshold)) onResult(result)
    await rest(periodSeconds)
  }
}
