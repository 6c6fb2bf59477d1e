/** How often waiting requests are looked at, in milliseconds: an answer may come this much too late. */
const LOOK = 50

/** Waits for many things at once, nearly all of which come long before their time is over. */
export interface Deadlines {
  /** Calls `late` once, some time after so many milliseconds, unless what is returned is called before. */
  within(milliseconds: number, late: () => void): () => void
}

/**
 * One timer for all requests instead of one for each, which took a microsecond of every request to set and to clear.
 * It runs only while somebody waits, and keeps no process alive.
 */
export function createDeadlines(): Deadlines {
  const waiting = new Map<() => void, number>()
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const now = performance.now()
    for (const [late, at] of waiting) {
      if (at > now) continue
      waiting.delete(late)
      late()
    }
    if (waiting.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    within(milliseconds, late) {
      waiting.set(late, performance.now() + milliseconds)
      timer ??= setInterval(look, LOOK).unref()
      return () => void waiting.delete(late)
    },
  }
}
