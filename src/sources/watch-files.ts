import { setTimeout as sleep } from 'node:timers/promises'

export interface WatchOptions {
  /** Everything that is watched, as bytes. May reject, as a file may be missing for a moment. */
  readonly read: () => Promise<readonly Buffer[]>
  /** Milliseconds between two looks. */
  readonly interval: number
  /** The next look waits for it. */
  readonly changed: (contents: readonly Buffer[]) => void | Promise<void>
  /** Called once for each new reason why the files cannot be read. */
  readonly failed: (reason: string) => void
}

/**
 * Calls `changed` whenever the bytes differ from those of the look before, beginning with `known`. Looks and compares,
 * since mounted Secrets and ConfigMaps change by a swap of symlinks that `fs.watch` does not see. Returns what ends it.
 */
export function watchFiles(known: readonly Buffer[], options: WatchOptions): () => void {
  const stopped = new AbortController()
  void look(known, options, stopped.signal)
  return () => stopped.abort()
}

async function look(known: readonly Buffer[], options: WatchOptions, signal: AbortSignal): Promise<void> {
  let last = known
  let reason = ''
  for (;;) {
    await sleep(options.interval, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    try {
      const contents = await options.read()
      reason = ''
      if (sameBytes(contents, last)) continue
      last = contents
      await options.changed(contents)
    } catch (error) {
      const now = error instanceof Error ? error.message : String(error)
      if (now !== reason) options.failed(now)
      reason = now
    }
  }
}

function sameBytes(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((bytes, index) => b[index]?.equals(bytes))
}
