import { markdown } from '../webhook/table.ts'

/** Of some times, in milliseconds: what is usual, and what one in a hundred takes. */
export interface Row {
  readonly usual: number
  readonly p99: number
}

/** The median on the clock, which short work seldom shares with others, and the p99 of processor time. */
export function summarize(works: readonly (() => unknown)[]): Row {
  const times: number[] = []
  const ticks = works.map((work) => worked(() => times.push(clocked(work))))
  return { usual: quantile(times, 0.5), p99: quantile(ticks, 0.99) }
}

/** By the mean, for times that are counted in ticks. */
export function summarizeTicks(times: readonly number[]): Row {
  return { usual: times.reduce((sum, time) => sum + time, 0) / times.length, p99: quantile(times, 0.99) }
}

function quantile(times: readonly number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN
}

/** Milliseconds on the clock. */
function clocked(work: () => unknown): number {
  const before = performance.now()
  work()
  return performance.now() - before
}

/**
 * Milliseconds of processor time of this thread, in ticks of up to one: on a machine that does other things as well, the clock measures
 * them too.
 */
export function worked(work: () => unknown): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
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
