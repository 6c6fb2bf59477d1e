import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { FunctionError, sizeCost } from './library/library.ts'
import type { Runtime } from './runtime.ts'
import { durationOf, Instant, instantOf, nanosecondsOf } from './time.ts'
import { equalValues, isEqual, orderOf, payForKey } from './value-order.ts'

/** What an operator makes of two values. Throws where there is no such operation on them. */
export type Operation = (left: unknown, right: unknown, runtime: Runtime) => unknown

/**
 * The operators on two values, which the engine has with other semantics or looks up by the types of all that is in the
 * values, each time. Source: cel-go `common/types`, `interpreter/interpretable.go` evalEq, evalNe.
 */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  '==': equalValues,
  '!=': (a, b, runtime) => !isEqual(a, b, runtime),
  '<': (a, b, runtime) => compare('<', [a, b], runtime) < 0,
  '<=': (a, b, runtime) => compare('<=', [a, b], runtime) <= 0,
  '>': (a, b, runtime) => compare('>', [a, b], runtime) > 0,
  '>=': (a, b, runtime) => compare('>=', [a, b], runtime) >= 0,
  in: isIn,
  '+': add,
  '-': subtract,
  '*': (a, b) => arithmetic('*', a, b, { int: (x, y) => x * y, double: (x, y) => x * y }),
  '/': (a, b) => arithmetic('/', a, b, { int: (x, y) => x / divisor(y), double: (x, y) => x / y }),
  '%': (a, b) => arithmetic('%', a, b, { int: (x, y) => x % divisor(y) }),
}

/** `-value`. */
export function negate(value: unknown): unknown {
  if (typeof value === 'bigint') return within64Bits(-value)
  if (typeof value === 'number') return -value
  throw new FunctionError(`no such overload: -${nameOf(value)}`)
}

/** Fails where an integer has more than 64 bits. */
function within64Bits(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new FunctionError('integer overflow')
}

function compare(operator: string, [a, b]: readonly [unknown, unknown], runtime: Runtime): number {
  const order = orderOf(a, b, runtime)
  if (order !== undefined) return order
  if (Number.isNaN(a) || Number.isNaN(b)) throw new FunctionError('NaN values cannot be ordered')
  throw noOverload(operator, a, b)
}

function isIn(item: unknown, range: unknown, runtime: Runtime): boolean {
  if (Array.isArray(range)) {
    runtime.charge(range.length)
    return range.some((other) => isEqual(item, other, runtime))
  }
  if (range instanceof Map) {
    payForKey(item, runtime)
    return range.has(item)
  }
  throw noOverload('in', item, range)
}

/** `a + b`, paid for before it is built. */
export function add(a: unknown, b: unknown, runtime: Runtime): unknown {
  if (typeof a === 'string' && typeof b === 'string') {
    runtime.charge(sizeCost(a.length + b.length))
    return a + b
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    runtime.charge(a.length + b.length)
    return [...a, ...b]
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    runtime.charge(sizeCost(a.length + b.length))
    const joined = new Uint8Array(a.length + b.length)
    joined.set(a)
    joined.set(b, a.length)
    return joined
  }
  if (a instanceof Duration && b instanceof Duration) return durationOf(nanosecondsOf(a) + nanosecondsOf(b))
  if (a instanceof Instant && b instanceof Duration) return later(a, nanosecondsOf(b))
  if (a instanceof Duration && b instanceof Instant) return later(b, nanosecondsOf(a))
  return arithmetic('+', a, b, { int: (x, y) => x + y, double: (x, y) => x + y })
}

function subtract(a: unknown, b: unknown): unknown {
  if (a instanceof Duration && b instanceof Duration) return durationOf(nanosecondsOf(a) - nanosecondsOf(b))
  if (a instanceof Instant && b instanceof Duration) return later(a, -nanosecondsOf(b))
  if (a instanceof Instant && b instanceof Instant) return durationOf(a.nanoseconds - b.nanoseconds)
  return arithmetic('-', a, b, { int: (x, y) => x - y, double: (x, y) => x - y })
}

function later(time: Instant, by: bigint): Instant {
  return instantOf(time.nanoseconds + by, time.offset)
}

interface Arithmetic {
  readonly int: (a: bigint, b: bigint) => bigint
  readonly double?: (a: number, b: number) => number
}

/** Numbers of one type; an integer that takes more than 64 bits is an error. */
function arithmetic(operator: string, a: unknown, b: unknown, { int, double }: Arithmetic): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return within64Bits(int(a, b))
  if (typeof a === 'number' && typeof b === 'number' && double !== undefined) return double(a, b)
  if (a instanceof UnsignedInt && b instanceof UnsignedInt) return unsigned(int(a.value, b.value))
  throw noOverload(operator, a, b)
}

function unsigned(value: bigint): UnsignedInt {
  if (BigInt.asUintN(64, value) === value) return new UnsignedInt(value)
  throw new FunctionError('unsigned integer overflow')
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw new FunctionError('division by zero')
  return value
}

function noOverload(operator: string, a: unknown, b: unknown): FunctionError {
  return new FunctionError(`no such overload: ${nameOf(a)} ${operator} ${nameOf(b)}`)
}

/** The type of a value, for messages. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    default:
  }
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'map'
  if (value instanceof UnsignedInt) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Duration) return 'duration'
  return value instanceof Instant ? 'timestamp' : 'object'
}
