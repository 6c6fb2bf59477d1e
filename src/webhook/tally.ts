import { Counter, type Registry } from 'prom-client'

export interface TallyOptions {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly registry: Registry
}

/** Adds one to the count of these label values, in the order of `labels`. */
export type Tally = (...values: readonly string[]) => void

/**
 * A counter for the request path: adding to it costs one look-up in a map, and only a scrape pays for labels as
 * Prometheus writes them (prom-client hashes them at each increment, which is ten times dearer).
 */
export function createTally({ name, help, labels, registry }: TallyOptions): Tally {
  const counts = new Map<string, { readonly values: readonly string[]; count: number }>()
  registry.registerMetric(
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [],
      collect() {
        this.reset()
        for (const { values, count } of counts.values())
          this.inc(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])), count)
      },
    }),
  )
  return (...values) => {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
    const entry = counts.get(key)
    if (entry === undefined) counts.set(key, { values, count: 1 })
    else entry.count += 1
  }
}

/** Lets through the first `most` different values and calls the rest `other`: requests choose them, we pay the memory. */
export function capped(most: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= most) return 'other'
    known.add(value)
    return value
  }
}
