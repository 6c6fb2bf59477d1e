/** A length of time in nanoseconds, as Go counts it. */
export type Duration = bigint

const MILLISECOND: Duration = 1_000_000n
export const SECOND: Duration = 1_000_000_000n

/**
 * Reads a duration as Go's `time.ParseDuration` does, exact to the nanosecond: `1.5h`, `-90ms`, `1m30s`, `0`.
 * Undefined for anything else (`15` has no unit, `1d` an unknown one) and for what an int64 cannot hold. Fractions
 * of a nanosecond are cut off. Never throws.
 */
export function parseDuration(text: unknown): Duration | undefined {
  if (typeof text !== 'string') return undefined
  const negative = text.startsWith('-')
  const body = negative || text.startsWith('+') ? text.slice(1) : text
  if (body === '0') return 0n
  if (!WHOLE.test(body)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(PART)) {
    const size = UNITS[unit]
    if (size === undefined) return undefined
    const digits = fraction.slice(0, MOST_DIGITS)
    total += BigInt(whole || '0') * size + (BigInt(digits || '0') * size) / 10n ** BigInt(digits.length)
    if (total > (negative ? LIMIT + 1n : LIMIT)) return undefined
  }
  return negative ? -total : total
}

/** The duration as Go's `Duration.String` prints it: `0s`, `1.5ms`, `2m30.5s`, `100h0m0s`. */
export function formatDuration(duration: Duration): string {
  if (duration === 0n) return '0s'
  const sign = duration < 0n ? '-' : ''
  const size = duration < 0n ? -duration : duration
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < MILLISECOND) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < SECOND) return `${sign}${decimal(size, MILLISECOND)}ms`
  const minutes = size / MINUTE
  const seconds = `${decimal(size % MINUTE, SECOND)}s`
  if (minutes === 0n) return sign + seconds
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(value: bigint, unit: bigint): string {
  const rest = value % unit
  if (rest === 0n) return String(value / unit)
  const digits = String(rest).padStart(String(unit).length - 1, '0')
  return `${value / unit}.${digits.replace(/0+$/, '')}`
}

const MINUTE: Duration = 60n * SECOND
const LIMIT = 2n ** 63n - 1n
// an int64 of nanoseconds has 19 digits; Go, too, stops reading a fraction where more can't matter
const MOST_DIGITS = 18
const WHOLE = /^(?:(?:\d{1,19}(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g
const UNITS: Readonly<Record<string, Duration>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: 60n * MINUTE,
}
