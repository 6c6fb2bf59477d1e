import { Duration, type UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { remembering } from '../recent.ts'
import { compareValues } from '../value-order.ts'
import { FunctionError, type Library } from './library.ts'

/**
 * Conversions that the engine lacks, and durations as Go parses and prints them. A duration is kept with nanoseconds
 * that are never negative, which the engine's arithmetic needs.
 * Source: cel-go `common/stdlib`, `common/types/{int,duration,timestamp}.go`.
 */
export const conversionsLibrary: Library = {
  replaces: { duration: 'dur_duration' },
  register(environment) {
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    define('int(uint): int', (value: UnsignedInt) => {
      if (value.value > 9_223_372_036_854_775_807n) throw new FunctionError('integer overflow')
      return value.value
    })
    define('int(google.protobuf.Timestamp): int', (time: { getTime(): number }) =>
      BigInt(Math.floor(time.getTime() / 1000)),
    )
    define('string(google.protobuf.Duration): string', (duration: Duration) => formatSeconds(duration))
    define('string(google.protobuf.Timestamp): string', (time: { toISOString(): string }) =>
      time.toISOString().replace(/\.(\d*?)0+Z$/, (_, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`)),
    )
    for (const [operator, test] of ORDER) {
      environment.registerOperator(`bytes ${operator} bytes: bool`, (a: unknown, b: unknown) =>
        test(compareValues(a, b)),
      )
    }
    // Durations are values: one object may stand for all of a text.
    define('dur_duration(string): google.protobuf.Duration', remembering(parseDuration))
    define('dur_duration(google.protobuf.Duration): google.protobuf.Duration', (duration: Duration) => duration)
  },
}

const ORDER: readonly (readonly [string, (order: number) => boolean])[] = [
  ['<', (order) => order < 0],
  ['<=', (order) => order <= 0],
  ['>', (order) => order > 0],
  ['>=', (order) => order >= 0],
]

const BILLION = 1_000_000_000n

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: BILLION,
  m: 60n * BILLION,
  h: 3600n * BILLION,
}

/** Go's time.ParseDuration; a 64-bit number of nanoseconds is the limit. */
function parseDuration(text: string): Duration {
  const match = /^([-+])?(?:0|((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+))$/.exec(text)
  if (match === null) throw new FunctionError(`"${text}" is not a duration; write a number and its unit, such as 15s`)
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of (match[2] ?? '').matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = NANOSECONDS[unit] ?? 0n
    const digits = fraction.slice(0, 18)
    total += BigInt(whole || '0') * scale + (BigInt(digits || '0') * scale) / 10n ** BigInt(digits.length)
  }
  if (BigInt.asIntN(64, total) !== total) throw new FunctionError(`"${text}" is longer than a duration can be`)
  return fromNanoseconds(match[1] === '-' ? -total : total)
}

function fromNanoseconds(total: bigint): Duration {
  const rest = ((total % BILLION) + BILLION) % BILLION
  return new Duration((total - rest) / BILLION, Number(rest))
}

/** Seconds with as many decimals as it takes, as Kubernetes' CEL prints them. */
function formatSeconds(duration: Duration): string {
  const total = duration.seconds * BILLION + BigInt(duration.nanos)
  const positive = total < 0n ? -total : total
  const fraction = String(positive % BILLION)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${total < 0n ? '-' : ''}${positive / BILLION}${fraction === '' ? '' : `.${fraction}`}s`
}
