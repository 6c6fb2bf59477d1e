import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { FunctionError } from './library/library.ts'

/** Are two values of the engine equal? Numbers are compared by value whatever their type, as `==` on `dyn` does. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return compareNumbers(left, right) === 0
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equalValues(item, b[index]))
  if (a instanceof Map && b instanceof Map) return equalMaps(a, b)
  if (a instanceof Optional && b instanceof Optional) return equalOptionals(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, index) => byte === b[index])
  if (a instanceof Duration && b instanceof Duration) return a.seconds === b.seconds && a.nanos === b.nanos
  return isTime(a) && isTime(b) && a.getTime() === b.getTime()
}

/** Order of two values of one type: below, at or above zero. Throws for types that have none. */
export function compareValues(a: unknown, b: unknown): number {
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return compareNumbers(left, right)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.seconds, b.seconds) || a.nanos - b.nanos
  if (isTime(a) && isTime(b)) return a.getTime() - b.getTime()
  throw new FunctionError('the items have no order')
}

/** Order by code point, as Go orders UTF-8; JavaScript orders UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const left = Array.from(a, (point) => point.codePointAt(0) ?? 0)
  const right = Array.from(b, (point) => point.codePointAt(0) ?? 0)
  const at = left.findIndex((point, index) => point !== right[index])
  if (at < 0) return left.length - right.length
  return (left[at] ?? 0) - (right[at] ?? -1)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1)
}

function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}

function numberOf(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof UnsignedInt ? value.value : undefined
}

function equalMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (!b.has(key) || !equalValues(value, b.get(key))) return false
  return true
}

function equalOptionals(a: Optional, b: Optional): boolean {
  if (!a.hasValue() || !b.hasValue()) return a.hasValue() === b.hasValue()
  return equalValues(a.value(), b.value())
}

/** True for a timestamp. */
export function isTime(value: unknown): value is { getTime(): number } {
  return typeof value === 'object' && value !== null && 'getTime' in value
}
