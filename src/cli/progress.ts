import { SingleBar } from 'cli-progress'
import type { Writable } from 'node:stream'

/** Fewer steps than these are over before anybody could read a bar. */
const WORTH_A_BAR = 50

/** Something that takes many steps. */
export interface Progress {
  readonly step: () => void
  readonly done: () => void
}

/** Draws a bar on a terminal while something takes many steps; draws nothing where there is no terminal, or few steps. */
export function trackProgress(stream: Writable | undefined, what: string, total: number): Progress {
  if (stream === undefined || total < WORTH_A_BAR) return { step: nothing, done: nothing }
  const bar = new SingleBar({
    stream,
    format: `${what} [{bar}] {value}/{total}`,
    clearOnComplete: true,
    hideCursor: true,
  })
  bar.start(total, 0)
  return { step: () => bar.increment(), done: () => bar.stop() }
}

function nothing(): void {}
