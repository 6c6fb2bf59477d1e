import type { V1Container } from '@kubernetes/client-node'

import type { ContainerReport } from './container-report.ts'
import { runProbe } from './probe-loop.ts'
import type { ProbeTarget } from './probe.ts'

export interface WatchHealthOptions {
  readonly container: V1Container
  readonly target: ProbeTarget
  readonly signal: AbortSignal
  readonly change: (report: Partial<ContainerReport>) => void
  readonly onUnhealthy: () => void
}

/** Probes a container until told to stop: startup first, then liveness and readiness. Never rejects. */
export async function watchHealth({
  container,
  target,
  signal,
  change,
  onUnhealthy,
}: WatchHealthOptions): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = container
  if (startupProbe !== undefined) {
    const settled = new AbortController()
    await runProbe({
      probe: startupProbe,
      target,
      signal: AbortSignal.any([signal, settled.signal]),
      onResult: ({ ok }) => {
        if (!ok) onUnhealthy()
        settled.abort()
      },
    })
    if (signal.aborted) return
  }
  change({ started: true, ready: readinessProbe === undefined })
  const onReadiness = ({ ok }: { readonly ok: boolean }): void => change({ ready: ok })
  const onLiveness = ({ ok }: { readonly ok: boolean }): void => void (ok || onUnhealthy())
  await Promise.all([
    ...(readinessProbe === undefined
      ? []
      : [runProbe({ probe: readinessProbe, target, signal, onResult: onReadiness })]),
    ...(livenessProbe === undefined ? [] : [runProbe({ probe: livenessProbe, target, signal, onResult: onLiveness })]),
  ])
}
