import type { BenchBody } from './bodies.ts'
import { load, quantile } from './load.ts'
import type { ServerUnderTest } from './server-under-test.ts'

export interface Measurement {
  readonly server: string
  readonly body: string
  /** Of one request body. */
  readonly bytes: number
  readonly perSecond: number
  /** Microseconds of processor time of the server per request. */
  readonly cpu: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Rounds before those that count: the compiler of V8 takes some seconds of load to settle. */
const WARM_UP = 3

export interface MeasureOptions {
  readonly servers: readonly ServerUnderTest[]
  readonly body: BenchBody
  readonly connections: number
  readonly rounds: number
  /** Of load on each server in each round. */
  readonly milliseconds: number
}

/**
 * Puts the same load on each server in turn, round after round, so that whatever else the machine does meets all of
 * them. Of each server the median round counts.
 */
export async function measure(options: MeasureOptions): Promise<readonly Measurement[]> {
  const { servers, body, connections, rounds, milliseconds } = options
  const all = new Map<string, Measurement[]>(servers.map(({ name }) => [name, []]))
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const server of servers) {
      const before = server.cpu()
      const { path, port } = server
      const result = await load({ port, path, body: body.review, connections, milliseconds })
      if (round < 0) continue
      all.get(server.name)?.push({
        server: server.name,
        body: body.name,
        bytes: body.review.length,
        perSecond: result.requests / result.seconds,
        cpu: ((server.cpu() - before) * 1000) / result.requests,
        p50: quantile(result.latencies, 0.5),
        p99: quantile(result.latencies, 0.99),
      })
    }
  }
  return [...all.values()].map(medianRound)
}

function medianRound(rounds: readonly Measurement[]): Measurement {
  const [first] = rounds
  if (first === undefined) throw new Error('at least one round is needed')
  const median = (pick: (round: Measurement) => number): number => {
    const sorted = rounds.map(pick).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  return {
    ...first,
    perSecond: median(({ perSecond }) => perSecond),
    cpu: median(({ cpu }) => cpu),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
  }
}
