import type { ReadinessCheck } from './health.ts'

/** Where a server stands between its start and its end. */
export interface Lifecycle {
  isDraining(): boolean
  /** From now on `/readyz` says no and each answer asks its client to close the connection. */
  startDraining(): void
}

export function createLifecycle(): Lifecycle {
  let draining = false
  return {
    isDraining: () => draining,
    startDraining: () => {
      draining = true
    },
  }
}

/** Not ready while draining: no new connections, please. */
export function drainingCheck(lifecycle: Lifecycle): ReadinessCheck {
  return { name: 'shutdown', reason: () => (lifecycle.isDraining() ? 'this server is shutting down' : undefined) }
}
