import { markdown } from '../webhook/table.ts'

/** Of some times, in milliseconds. */
export interface Row {
  readonly median: number
  readonly p99: number
}

export function summarize(times: readonly number[]): Row {
  const sorted = times.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
}

/**
 * Milliseconds of processor time that some work takes of this thread: on a machine that does other things as well, the clock
 * measures them too.
 */
export function timed(work: () => unknown): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** Rows of the large mesh beside those of a tenth of it, as a table in Markdown. */
export function compareRows(title: string, large: ReadonlyMap<string, Row>, tenth: ReadonlyMap<string, Row>): string {
  const rows = [...large].map(([name, row]) => {
    const small = tenth.get(name) ?? { median: Number.NaN, p99: Number.NaN }
    const cells = [row.median, row.p99, small.median, small.p99].map((value) => value.toFixed(3))
    return [name, ...cells, (row.median / small.median).toFixed(1)]
  })
  return markdown([title, 'median', 'p99', 'a tenth: median', 'p99', 'median / tenth'], rows)
}
