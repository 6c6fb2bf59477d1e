import type { Comparable } from '../value-order.ts'
import { FunctionError } from './library.ts'

/**
 * A quantity as Kubernetes holds it: `digits` times ten to the power of `exponent`, either in a 64-bit integer or, where
 * that does not do or the text asked for it, in a decimal of any size, which it does not take for an integer.
 */
export class Quantity implements Comparable {
  readonly digits: bigint
  readonly exponent: number
  readonly form: 'integer' | 'decimal'
  /** Computed ones cannot stand behind an `==`: the API server does not know them there for what they are. */
  readonly origin: 'text' | 'computed'

  constructor(digits: bigint, exponent: number, form: 'integer' | 'decimal', origin: 'text' | 'computed' = 'text') {
    this.digits = digits
    this.exponent = exponent
    this.form = form
    this.origin = origin
  }

  // Source: k8s.io/apiserver `pkg/cel/quantity.go`, Equal, which takes values, while add and sub give pointers.
  equals(other: unknown): boolean {
    if (!(other instanceof Quantity)) return false
    if (other.origin === 'computed')
      throw new FunctionError('a computed quantity cannot stand behind ==; use compareTo')
    return compareQuantities(this, other) === 0
  }
}

// Two numbers so far apart are never brought to one exponent: a text of 12 characters would take all memory.
const WIDEST = 10_000

/** Below, at or above zero. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const [signA, signB] = [signOf(a.digits), signOf(b.digits)]
  if (signA !== signB || signA === 0) return signA - signB
  const [sizeA, sizeB] = [sizeOf(a), sizeOf(b)]
  if (sizeA !== sizeB) return sizeA < sizeB ? -signA : signA
  const exponent = Math.min(a.exponent, b.exponent)
  return signOf(scaled(a, exponent) - scaled(b, exponent))
}

/** Their sum. Source: k8s.io/apimachinery `pkg/api/resource/{quantity,amount}.go`, Add. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const areIntegers = a.form === 'integer' && b.form === 'integer'
  if (areIntegers && b.digits === 0n) return new Quantity(a.digits, a.exponent, 'integer', 'computed')
  if (areIntegers && a.digits === 0n) return new Quantity(b.digits, b.exponent, 'integer', 'computed')
  if (Math.abs(a.exponent - b.exponent) > WIDEST) throw new FunctionError('the quantities are too far apart')
  const exponent = Math.min(a.exponent, b.exponent)
  const [left, right] = [scaled(a, exponent), scaled(b, exponent)]
  const fits = areIntegers && [left, right, left + right].every(isShort)
  return new Quantity(left + right, exponent, fits ? 'integer' : 'decimal', 'computed')
}

/** The same with the other sign. */
export function negateQuantity({ digits, exponent, form }: Quantity): Quantity {
  return new Quantity(-digits, exponent, form)
}

/** -1, 0 or 1. */
export function signOf(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0
}

/** The integer of 64 bits that a quantity is; undefined for one that is held as a decimal. */
export function integerOf({ digits, exponent, form }: Quantity): bigint | undefined {
  if (form === 'decimal' || exponent < 0) return undefined
  if (digits === 0n) return 0n
  const value = exponent > 18 ? undefined : digits * 10n ** BigInt(exponent)
  return value !== undefined && isShort(value) ? value : undefined
}

function isShort(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

function sizeOf({ digits, exponent }: Quantity): number {
  return String(digits < 0n ? -digits : digits).length + exponent
}

function scaled({ digits, exponent }: Quantity, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to)
}
