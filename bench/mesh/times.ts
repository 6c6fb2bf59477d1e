import { markdown } from '../webhook/table.ts'

/** Of some times, in milliseconds: what is usual, and what no more than one in a hundred exceeds. */
export interface Row {
  readonly usual: number
  readonly p99: number
}

/** One piece of work, in milliseconds. */
export interface Time {
  /** With everything else that the machine did meanwhile. */
  readonly clock: number
  /** Of this thread, counted in ticks of one to four. */
  readonly processor: number
}

/** By the median on the clock, which short work seldom shares with others. */
export function summarizeShort(times: readonly Time[]): Row {
  const clocks = times.map(({ clock }) => clock)
  return { usual: quantile(clocks, 0.5), p99: highest(times) }
}

/** By the mean of processor time, in which ticks even out. */
export function summarizeLong(times: readonly Time[]): Row {
  return { usual: times.reduce((sum, { processor }) => sum + processor, 0) / times.length, p99: highest(times) }
}

/**
 * The p99 of the smaller of the two times of each piece of work: one that waited for a processor counts no more than its ticks, and one
 * that met a tick no more than it took. Work of which fewer than one in a hundred meets a tick, some hundredths of a millisecond, shows
 * as 0.
 */
function highest(times: readonly Time[]): number {
  return quantile(
    times.map(({ clock, processor }) => Math.min(clock, processor)),
    0.99,
  )
}

function quantile(times: readonly number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN
}

/** What a piece of work takes. */
export function timed(work: () => unknown): Time {
  const ticks = process.threadCpuUsage()
  const before = performance.now()
  work()
  const clock = performance.now() - before
  const { user, system } = process.threadCpuUsage(ticks)
  return { clock, processor: (user + system) / 1000 }
}

/** Rows of the large mesh beside those of a tenth of it, as a table in Markdown. */
export function compareRows(what: string, large: ReadonlyMap<string, Row>, tenth: ReadonlyMap<string, Row>): string {
  const rows = [...large].map(([name, row]) => {
    const small = tenth.get(name) ?? { usual: Number.NaN, p99: Number.NaN }
    const cells = [row.usual, row.p99, small.usual, small.p99].map((value) => value.toFixed(3))
    return [name, ...cells, (row.usual / small.usual).toFixed(1)]
  })
  return markdown([what, 'large mesh', 'p99', 'a tenth', 'p99', 'large / tenth'], rows)
}
