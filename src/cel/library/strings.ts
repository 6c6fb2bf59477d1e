import type { Runtime } from '../runtime.ts'
import { codePointsIn } from '../text-length.ts'
import { FunctionError, sizeCost, type Library } from './library.ts'

/**
 * Strings as cel-go has them: positions count code points, upper and lower case are ASCII's.
 * Source: cel-go `ext/strings.go` (version 2 and later), which Kubernetes' base environment includes.
 */
export const stringsLibrary: Library = {
  replaces: {
    indexOf: 'str_indexOf',
    lastIndexOf: 'str_lastIndexOf',
    substring: 'str_substring',
    split: 'str_split',
    lowerAscii: 'str_lowerAscii',
    upperAscii: 'str_upperAscii',
    trim: 'str_trim',
    join: 'str_join',
    contains: 'str_contains',
  },
  register(environment, runtime) {
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    const spend = (...texts: readonly string[]): void => {
      for (const text of texts) runtime.charge(sizeCost(text.length))
    }
    define('string.str_contains(string): bool', (text: string, part: string) => {
      spend(text)
      return text.includes(part)
    })
    define('string.charAt(int): string', (text: string, index: bigint) => {
      spend(text)
      const points = pointsOf(text)
      if (index < 0n || index > BigInt(points.length)) throw new FunctionError(`index out of range: ${index}`)
      return points[Number(index)] ?? ''
    })
    define('string.str_indexOf(string): int', (text: string, part: string) => {
      spend(text)
      return indexOf(text, part, 0n)
    })
    define('string.str_indexOf(string, int): int', (text: string, part: string, from: bigint) => {
      spend(text)
      return indexOf(text, part, from)
    })
    define('string.str_lastIndexOf(string): int', (text: string, part: string) => {
      spend(text)
      return lastIndexOf(text, part, undefined)
    })
    define('string.str_lastIndexOf(string, int): int', (text: string, part: string, from: bigint) => {
      spend(text)
      return lastIndexOf(text, part, from)
    })
    define('string.str_substring(int): string', (text: string, start: bigint) => {
      spend(text)
      return substring(text, start, undefined)
    })
    define('string.str_substring(int, int): string', (text: string, start: bigint, end: bigint) => {
      spend(text)
      return substring(text, start, end)
    })
    define('string.str_split(string): list<string>', (text: string, separator: string) => {
      runtime.charge(text.length)
      return split(text, separator, -1n)
    })
    define('string.str_split(string, int): list<string>', (text: string, separator: string, limit: bigint) => {
      runtime.charge(text.length)
      return split(text, separator, limit)
    })
    define('list<string>.str_join(): string', (items: readonly unknown[]) => join(items, '', runtime))
    define('list<string>.str_join(string): string', (items: readonly unknown[], separator: string) =>
      join(items, separator, runtime),
    )
    define('string.str_lowerAscii(): string', (text: string) => {
      spend(text)
      return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
    })
    define('string.str_upperAscii(): string', (text: string) => {
      spend(text)
      return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())
    })
    define('string.str_trim(): string', (text: string) => {
      spend(text)
      return trim(text)
    })
    define('string.replace(string, string): string', (text: string, old: string, by: string) => {
      spend(text)
      return replace(text, old, by, -1n, runtime)
    })
    define('string.replace(string, string, int): string', (text: string, old: string, by: string, limit: bigint) => {
      spend(text)
      return replace(text, old, by, limit, runtime)
    })
  },
}

/** The code points of a string, each as a string. */
function pointsOf(text: string): readonly string[] {
  return Array.from(text)
}

function hasWidePoints(text: string): boolean {
  return /[\ud800-\udfff]/.test(text)
}

/** A position in UTF-16 units as one in code points. */
function toPoints(text: string, units: number): bigint {
  if (units < 0) return -1n
  return BigInt(codePointsIn(text.slice(0, units)))
}

/** A position in code points as one in UTF-16 units. */
function toUnits(text: string, points: bigint): number {
  if (!hasWidePoints(text)) return Number(points)
  return pointsOf(text).slice(0, Number(points)).join('').length
}

function lengthOf(text: string): bigint {
  return BigInt(codePointsIn(text))
}

function indexOf(text: string, part: string, from: bigint): bigint {
  if (part === '') return from
  if (from < 0n) throw new FunctionError(`index out of range: ${from}`)
  if (from >= lengthOf(text)) return -1n
  return toPoints(text, text.indexOf(part, toUnits(text, from)))
}

function lastIndexOf(text: string, part: string, from: bigint | undefined): bigint {
  const length = lengthOf(text)
  if (part === '') return from ?? length
  if (from !== undefined && from < 0n) throw new FunctionError(`index out of range: ${from}`)
  if (from !== undefined && from >= length) return -1n
  return toPoints(text, from === undefined ? text.lastIndexOf(part) : text.lastIndexOf(part, toUnits(text, from)))
}

function substring(text: string, start: bigint, end: bigint | undefined): string {
  const length = lengthOf(text)
  if (start < 0n || start > length) throw new FunctionError(`index out of range: ${start}`)
  if (end !== undefined && (end < 0n || end > length)) throw new FunctionError(`index out of range: ${end}`)
  if (end !== undefined && start > end) throw new FunctionError(`invalid substring range. start: ${start}, end: ${end}`)
  return text.slice(toUnits(text, start), end === undefined ? undefined : toUnits(text, end))
}

// Go's strings.SplitN: no limit below zero, nothing at zero, the rest unsplit in the last part.
function split(text: string, separator: string, limit: bigint): readonly string[] {
  if (limit === 0n) return []
  const parts = separator === '' ? pointsOf(text) : text.split(separator)
  if (limit < 0n || BigInt(parts.length) <= limit) return parts
  const kept = Number(limit) - 1
  return [...parts.slice(0, kept), parts.slice(kept).join(separator)]
}

/** What is built is paid for before it is built. */
function join(items: readonly unknown[], separator: string, runtime: Runtime): string {
  let length = 0
  const texts = items.map((item) => {
    if (typeof item !== 'string') throw new FunctionError('join: the list holds something else than strings')
    length += item.length + separator.length
    return item
  })
  runtime.charge(sizeCost(length))
  return texts.join(separator)
}

/** A blank at the beginning or the end; most texts have none. */
const BLANK_END = /^[\s\u0085]|[\s\u0085]$/u

/** Unicode's White_Space property, as Go's strings.TrimSpace; JavaScript's trim also takes U+FEFF and leaves U+0085. */
function trim(text: string): string {
  if (text === '' || !BLANK_END.test(text)) return text
  return text.replace(/^[\s\u0085]+/u, keepMark).replace(/[\s\u0085]+$/u, keepMark)
}

function keepMark(blanks: string): string {
  return blanks.includes('\uFEFF') ? blanks.slice(blanks.indexOf('\uFEFF'), blanks.lastIndexOf('\uFEFF') + 1) : ''
}

/** Replaces the first `limit` places, all below zero. What is built is paid for before it is built. */
function replace(text: string, old: string, by: string, limit: bigint, runtime: Runtime): string {
  if (old !== '' && limit < 0n) {
    const places = countOf(text, old)
    runtime.charge(places * PER_PLACE + sizeCost(text.length + places * Math.max(by.length - old.length, 0)))
    return places === 0 ? text : text.replaceAll(old, () => by)
  }
  const places = placesOf(text, old, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit))
  runtime.charge(places.length + sizeCost(text.length + places.length * Math.max(by.length - old.length, 0)))
  const parts: string[] = []
  let from = 0
  for (const at of places) {
    parts.push(text.slice(from, at), by)
    from = at + old.length
  }
  parts.push(text.slice(from))
  return parts.join('')
}

/** Units of work for one place that is replaced. */
const PER_PLACE = 0.25

/** How often a part stands in a text, without overlaps. */
function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1
  return count
}

/** Where a part stands in a text, without overlaps; the empty part stands around every code point, as in Go. */
function placesOf(text: string, part: string, most: number): readonly number[] {
  const places: number[] = []
  if (part !== '') {
    for (let at = text.indexOf(part); at >= 0 && places.length < most; at = text.indexOf(part, at + part.length))
      places.push(at)
    return places
  }
  let at = 0
  for (const point of text) {
    if (places.length >= most) return places
    places.push(at)
    at += point.length
  }
  if (places.length < most) places.push(at)
  return places
}
