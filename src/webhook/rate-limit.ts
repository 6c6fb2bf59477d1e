export interface RateLimitOptions {
  /** How many at once, after a long pause. */
  readonly burst: number
  /** How many a second, on and on. */
  readonly perSecond: number
  /** Keys that are known at a time; who was not seen for longest is forgotten first. */
  readonly keys: number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
}

/** Counts one for a key; false where that is too many. A token bucket per key, bounded in memory. */
export type RateLimit = (key: string) => boolean

export function createRateLimit({ burst, perSecond, keys, monotonic }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>()
  return (key) => {
    const now = monotonic()
    const { tokens, at } = buckets.get(key) ?? { tokens: burst, at: now }
    const available = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
    const passes = available >= 1
    // Written anew, so that the order of the map is that of the last visit.
    buckets.delete(key)
    buckets.set(key, { tokens: passes ? available - 1 : available, at: now })
    const [oldest] = buckets.keys()
    if (buckets.size > keys && oldest !== undefined) buckets.delete(oldest)
    return passes
  }
}
