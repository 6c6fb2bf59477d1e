import type { Duration } from '@marcbachmann/cel-js/evaluator'

import { dayOfYear, daysSinceEpoch } from '../calendar.ts'
import { remembering } from '../recent.ts'
import {
  formatDuration,
  formatTimestamp,
  instantOf,
  localTime,
  nanosecondsOf,
  parseDuration,
  parseTimestamp,
  secondsOf,
  type Instant,
  type LocalTime,
} from '../time.ts'
import { FunctionError, type Library } from './library.ts'

const DURATION = 'google.protobuf.Duration'
const TIMESTAMP = 'google.protobuf.Timestamp'
const BILLION = 1_000_000_000n

/** Members of a duration by the nanoseconds of their unit; they are cut off towards zero. */
const UNITS: Readonly<Record<string, bigint>> = {
  getHours: 3600n * BILLION,
  getMinutes: 60n * BILLION,
  getSeconds: BILLION,
  getMilliseconds: 1_000_000n,
}

/** Members of a timestamp. */
const FIELDS: Readonly<Record<string, (time: LocalTime) => number>> = {
  getFullYear: ({ year }) => year,
  getMonth: ({ month }) => month - 1,
  getDayOfYear: dayOfYear,
  getDayOfMonth: ({ day }) => day - 1,
  getDate: ({ day }) => day,
  // The first of January 1970 was a Thursday.
  getDayOfWeek: (time) => (((daysSinceEpoch(time) + 4) % 7) + 7) % 7,
  getHours: ({ hour }) => hour,
  getMinutes: ({ minute }) => minute,
  getSeconds: ({ second }) => second,
  getMilliseconds: ({ nanosecond }) => Math.floor(nanosecond / 1e6),
}

/**
 * Durations and timestamps, both to the nanosecond. A timestamp keeps the offset it was written in.
 * Source: cel-go `common/types/{duration,timestamp}.go`.
 */
export const timeLibrary: Library = {
  replaces: {
    duration: 'dur_duration',
    timestamp: 'ts_timestamp',
    ...Object.fromEntries(Object.keys(FIELDS).map((name) => [name, `time_${name}`])),
  },
  register(environment) {
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    // Durations are values: one object may stand for all of a text.
    define(`dur_duration(string): ${DURATION}`, remembering(parseDuration))
    // Declared there too, and never of use. Source: cel-go `common/types/int.go`, ConvertToType.
    define(`dur_duration(int): ${DURATION}`, () => {
      throw new FunctionError('an int is no duration; write it as text, such as 15s')
    })
    define(`dur_duration(${DURATION}): ${DURATION}`, (duration: Duration) => duration)
    define(`ts_timestamp(string): ${TIMESTAMP}`, parseTimestamp)
    define(`ts_timestamp(int): ${TIMESTAMP}`, (seconds: bigint) => instantOf(seconds * BILLION))
    define(`ts_timestamp(${TIMESTAMP}): ${TIMESTAMP}`, (time: Instant) => time)
    define(`to_int(${DURATION}): int`, nanosecondsOf)
    define(`to_int(${TIMESTAMP}): int`, (time: Instant) => BigInt(secondsOf(localTime(time, 0))))
    define(`to_string(${DURATION}): string`, formatDuration)
    define(`to_string(${TIMESTAMP}): string`, formatTimestamp)
    for (const [name, field] of Object.entries(FIELDS)) {
      define(`${TIMESTAMP}.time_${name}(): int`, (time: Instant) => BigInt(field(localTime(time, 0))))
      define(`${TIMESTAMP}.time_${name}(string): int`, (time: Instant, zone: string) =>
        BigInt(field(localTime(time, zoneOffset(time, zone)))),
      )
    }
    for (const [name, unit] of Object.entries(UNITS))
      define(`${DURATION}.time_${name}(): int`, (duration: Duration) => nanosecondsOf(duration) / unit)
  },
}

/** Minutes east of Greenwich at a time, of a zone's name or an offset such as `-02:30`. */
function zoneOffset(time: Instant, zone: string): number {
  const [, sign, hours, minutes] = /^([-+]?)(\d+):([-+]?\d+)$/.exec(zone) ?? []
  if (hours !== undefined) return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  const seconds = secondsOf(localTime(time, 0))
  const fields = new Map(
    formatterOf(zone)
      .formatToParts(seconds * 1000)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes): number => fields.get(type) ?? 0
  const day = { year: of('year'), month: of('month'), day: of('day') }
  const local = { ...day, hour: of('hour'), minute: of('minute'), second: of('second'), nanosecond: 0 }
  return (secondsOf(local) - seconds) / 60
}

/** Names are written as in the database of zones, and a server's own zone is taken for UTC. */
const formatterOf = remembering((zone: string): Intl.DateTimeFormat => {
  const timeZone = zone === '' || zone === 'Local' ? 'UTC' : zone
  const known = /^[A-Z]/.test(timeZone) ? timeZone : 'unknown'
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: known,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    if (error instanceof RangeError) throw new FunctionError(`"${zone}" is no time zone`)
    throw error
  }
})
