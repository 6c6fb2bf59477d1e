import type { Source } from '../sources/source.ts'

/** One condition of readiness; `ok` or why not. */
export interface ReadinessCheck {
  readonly name: string
  readonly reason: () => string | undefined
}

export interface Readiness {
  readonly ready: boolean
  /** One line per check, as Kubernetes components write them: `[+]policies ok`. */
  readonly text: string
}

/** Is everything there that a right answer needs? */
export function readiness(checks: readonly ReadinessCheck[]): Readiness {
  const results = checks.map(({ name, reason }) => ({ name, reason: reason() }))
  const lines = results.map(({ name, reason }) => (reason === undefined ? `[+]${name} ok` : `[-]${name}: ${reason}`))
  return { ready: results.every(({ reason }) => reason === undefined), text: `${lines.join('\n')}\n` }
}

/** Ready once the source knows its first complete value; a source that falls behind later stays ready. */
export function syncedCheck(name: string, source: Source<unknown>): ReadinessCheck {
  return { name, reason: () => (source.hasSynced() ? undefined : 'not loaded yet') }
}
