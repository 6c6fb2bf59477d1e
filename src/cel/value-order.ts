import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { FunctionError } from './library/library.ts'
import type { Work } from './runtime.ts'
import { Instant } from './time.ts'

/** A value of a type of Kubernetes' own, which knows what it is equal to. */
export interface Comparable {
  /** Is a value of the same type equal to it? */
  equals(other: unknown, work: Work): boolean
  /** Is a value of another type just not equal to it, where others cannot be compared with one? */
  readonly takesAnything?: boolean
}

/**
 * Are two values of the engine equal? Numbers are compared by value whatever their type; values of types that have
 * nothing in common are not equal. A value of a type of Kubernetes' own can be compared with null and its like only:
 * other comparisons throw, but only where it is on the left.
 * Source: cel-go `common/types`, Equal; k8s.io/apiserver `pkg/cel/quantity.go` and its neighbours.
 */
export function equalValues(a: unknown, b: unknown, work: Work): boolean {
  switch (typeof a) {
    case 'string':
      return typeof b === 'string' && equalTexts(a, b, work)
    case 'boolean':
      return a === b
    case 'bigint':
      return typeof b === 'bigint' ? a === b : equalNumbers(a, b)
    case 'number':
      return typeof b === 'number' ? a === b : equalNumbers(a, b)
    default:
  }
  if (a === b) return !isComparable(a) || a.equals(b, work)
  if (typeof a !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b, work)
  if (a instanceof Map) return b instanceof Map && equalMaps(a, b, work)
  if (a instanceof UnsignedInt) return equalNumbers(a, b)
  if (a instanceof Optional) return b instanceof Optional && equalOptionals(a, b, work)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b, work) === 0
  if (a instanceof Duration) return b instanceof Duration && a.seconds === b.seconds && a.nanos === b.nanos
  if (a instanceof Instant) return b instanceof Instant && a.nanoseconds === b.nanoseconds
  if (!isComparable(a)) return false
  if (a.takesAnything === true || Object.getPrototypeOf(a) === Object.getPrototypeOf(b)) return a.equals(b, work)
  throw new FunctionError('values of these types cannot be compared')
}

/** The same, but that values that cannot be compared are not equal, as in a search. */
export function isEqual(a: unknown, b: unknown, work: Work): boolean {
  return holds(() => equalValues(a, b, work))
}

/** Is it known that two values differ? Of those that cannot be compared it is not, as of items of two lists. */
function differ(a: unknown, b: unknown, work: Work): boolean {
  work.charge(1)
  return holds(() => !equalValues(a, b, work))
}

function holds(test: () => boolean): boolean {
  try {
    return test()
  } catch (error) {
    if (error instanceof FunctionError) return false
    throw error
  }
}

/** Order of two values: below, at or above zero; undefined where they have none. Numbers of all types have one. */
export function orderOf(a: unknown, b: unknown, work: Work): number | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? compareText(a, b, work) : undefined
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return compareNumbers(left, right)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b, work)
  if (a instanceof Duration && b instanceof Duration) return Number(a.seconds - b.seconds) || a.nanos - b.nanos
  return a instanceof Instant && b instanceof Instant ? Number(a.nanoseconds - b.nanoseconds) : undefined
}

/** Order of two values of one type: below, at or above zero. Throws for types that have none. */
export function compareValues(a: unknown, b: unknown, work: Work): number {
  const order = orderOf(a, b, work)
  if (order === undefined) throw new FunctionError('these values have no order')
  return order
}

/** Order by code point, as Go orders UTF-8; JavaScript orders UTF-16 units. */
function compareText(a: string, b: string, work: Work): number {
  if (a === b) return 0
  let at = 0
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  work.charge(at * PER_UNIT)
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}

/** Units of work for comparing one unit of a text, or one byte. */
const PER_UNIT = 0.1

function compareBytes(a: Uint8Array, b: Uint8Array, work: Work): number {
  const at = a.findIndex((byte, index) => byte !== b[index])
  work.charge((at < 0 ? a.length : at) * PER_UNIT)
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1)
}

// cel-go `common/types/compare.go`: a double and an integer are compared as doubles.
function compareNumbers(a: bigint | number, b: bigint | number): number | undefined {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  const [left, right] = [Number(a), Number(b)]
  if (Number.isNaN(left) || Number.isNaN(right)) return undefined
  return left < right ? -1 : left > right ? 1 : 0
}

function equalNumbers(a: unknown, b: unknown): boolean {
  const [left, right] = [numberOf(a), numberOf(b)]
  return left !== undefined && right !== undefined && compareNumbers(left, right) === 0
}

function numberOf(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof UnsignedInt ? value.value : undefined
}

function equalTexts(a: string, b: string, work: Work): boolean {
  if (a.length !== b.length) return false
  if (a.length >= TEXT_AT_ONCE) work.charge(a.length / TEXT_AT_ONCE)
  return a === b
}

/** Characters that are compared in the time of one unit of work. */
const TEXT_AT_ONCE = 500

function equalLists(a: readonly unknown[], b: readonly unknown[], work: Work): boolean {
  return a.length === b.length && !a.some((item, index) => differ(item, b[index], work))
}

/** Pays for looking up a key: long texts are told apart by comparing them. */
export function payForKey(key: unknown, work: Work): void {
  if (typeof key === 'string' && key.length >= TEXT_AT_ONCE) work.charge(key.length / TEXT_AT_ONCE)
}

/** Units of work for looking up an entry in another map, besides comparing their values. */
const PER_ENTRY = 2

function equalMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>, work: Work): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    work.charge(PER_ENTRY)
    if (!b.has(key) || differ(value, b.get(key), work)) return false
  }
  return true
}

function equalOptionals(a: Optional, b: Optional, work: Work): boolean {
  if (!a.hasValue() || !b.hasValue()) return a.hasValue() === b.hasValue()
  return equalValues(a.value(), b.value(), work)
}

function isComparable(value: unknown): value is Comparable {
  return typeof value === 'object' && value !== null && 'equals' in value && typeof value.equals === 'function'
}
