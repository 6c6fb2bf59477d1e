import { evaluate } from '@marcbachmann/cel-js'
import { Duration } from '@marcbachmann/cel-js/evaluator'

import { dayAt, daysSinceEpoch, isDay, type Day } from './calendar.ts'
import { FunctionError } from './library/library.ts'

const BILLION = 1_000_000_000n
const MILLION = 1_000_000n

// cel-go `common/types/timestamp.go`, minUnixTime and maxUnixTime: the years 1 to 9999.
const FIRST_SECOND = -62_135_596_800n
const LAST_SECOND = 253_402_300_799n

/**
 * A timestamp: to the nanosecond, and with the offset from UTC in which it was written, in which it is printed.
 */
export class Instant {
  /** Since 1970 in UTC. */
  readonly nanoseconds: bigint
  /** Minutes east of Greenwich. */
  readonly offset: number

  constructor(nanoseconds: bigint, offset: number) {
    this.nanoseconds = nanoseconds
    this.offset = offset
  }
}

// The engine tells types apart by their constructor; to it this is a timestamp as it makes them itself.
const engineTimestamp: unknown = evaluate('timestamp(0)')
if (typeof engineTimestamp === 'object' && engineTimestamp !== null)
  Object.defineProperty(Instant.prototype, 'constructor', { value: engineTimestamp.constructor })

/** A timestamp of so many nanoseconds since 1970. Throws outside of the years 1 to 9999. */
export function instantOf(nanoseconds: bigint, offset = 0): Instant {
  const seconds = floorDivide(nanoseconds, BILLION)
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw new FunctionError('timestamp overflow')
  return new Instant(nanoseconds, offset)
}

/** A duration of so many nanoseconds. Throws where that takes more than 64 bits. */
export function durationOf(nanoseconds: bigint): Duration {
  if (BigInt.asIntN(64, nanoseconds) !== nanoseconds) throw new FunctionError('integer overflow')
  const seconds = floorDivide(nanoseconds, BILLION)
  return new Duration(seconds, Number(nanoseconds - seconds * BILLION))
}

/** All of a duration in nanoseconds. */
export function nanosecondsOf(duration: Duration): bigint {
  return duration.seconds * BILLION + BigInt(duration.nanos)
}

/** A time of day on a day, in some place. */
export interface LocalTime extends Day {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
}

/** What calendar and clock show at an instant, so many minutes east of Greenwich. */
export function localTime({ nanoseconds }: Instant, offset: number): LocalTime {
  const seconds = floorDivide(nanoseconds, BILLION)
  const local = Number(seconds) + offset * 60
  const days = Math.floor(local / 86_400)
  const time = local - days * 86_400
  return {
    ...dayAt(days),
    hour: Math.floor(time / 3600),
    minute: Math.floor(time / 60) % 60,
    second: Math.floor(time) % 60,
    nanosecond: Number(nanoseconds - seconds * BILLION),
  }
}

/** Seconds from 1970 to what calendar and clock show, as if that were in UTC. */
export function secondsOf(time: LocalTime): number {
  return daysSinceEpoch(time) * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: MILLION,
  s: BILLION,
  m: 60n * BILLION,
  h: 3600n * BILLION,
}

/** Go's time.ParseDuration; a 64-bit number of nanoseconds is the limit. */
export function parseDuration(text: string): Duration {
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
  const signed = match[1] === '-' ? -total : total
  if (BigInt.asIntN(64, signed) !== signed) throw new FunctionError(`"${text}" is longer than a duration can be`)
  return durationOf(signed)
}

/** Seconds with as many decimals as a double holds, as cel-go prints them. */
export function formatDuration(duration: Duration): string {
  const total = nanosecondsOf(duration)
  return `${plainNumber(Number(total / BILLION) + Number(total % BILLION) / 1e9)}s`
}

/** The shortest decimal that is this number, without an exponent. */
function plainNumber(value: number): string {
  const [, sign = '', first = '', rest = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(String(value)) ?? []
  if (exponent === undefined) return String(value)
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${first}${rest}`
}

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([-+])(\d{2}):(\d{2}))$/

/** Go's time.Parse of RFC 3339, which takes a comma for the point and one digit of hours as well. */
export function parseTimestamp(text: string): Instant {
  const match = TIMESTAMP.exec(text) ?? []
  const [, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.map(Number)
  const [fraction = '', sign, hours = 0, minutes = 0] = match.slice(7)
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  const isClock = hour < 24 && minute < 60 && second < 60 && Number(hours) <= 24 && Number(minutes) <= 60
  if (!isDay({ year, month, day }) || !isClock)
    throw new FunctionError(`"${text}" is not a timestamp; write it as 2006-01-02T15:04:05Z`)
  const nanosecond = Number(fraction.slice(0, 9).padEnd(9, '0'))
  const seconds = secondsOf({ year, month, day, hour, minute, second, nanosecond }) - offset * 60
  return instantOf(BigInt(seconds) * BILLION + BigInt(nanosecond), offset)
}

/** RFC 3339 in the offset of the timestamp, with as many decimals as it takes: Go's time.RFC3339Nano. */
export function formatTimestamp(time: Instant): string {
  const { year, month, day, hour, minute, second, nanosecond } = localTime(time, time.offset)
  const digits = padded(nanosecond, 9).replace(/0+$/, '')
  const size = Math.abs(time.offset)
  const zone =
    size === 0 ? 'Z' : `${time.offset < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}:${padded(size % 60, 2)}`
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
  const clock = `${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}`
  return `${date}T${clock}${digits === '' ? '' : `.${digits}`}${zone}`
}

function padded(value: number, length: number): string {
  return String(value).padStart(length, '0')
}
