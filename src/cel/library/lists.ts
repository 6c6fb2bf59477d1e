import { Optional } from '@marcbachmann/cel-js'
import { Duration } from '@marcbachmann/cel-js/evaluator'

import type { Runtime } from '../runtime.ts'
import { compareValues, equalValues } from '../value-order.ts'
import { FunctionError, type Library } from './library.ts'

/**
 * Lists as Kubernetes and cel-go's extension have them.
 * Source: k8s.io/apiserver `pkg/cel/library/lists.go`; cel-go `ext/lists.go` (version 3).
 */
export const listsLibrary: Library = {
  replaces: { reverse: 'list_reverse' },
  register(environment, runtime) {
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    const paid = <T>(list: readonly T[]): readonly T[] => {
      runtime.charge(1 + list.length)
      return list
    }
    define('list.isSorted(): bool', (list: readonly unknown[]) =>
      paid(list).every((item, index) => index === 0 || compareValues(list[index - 1], item) <= 0),
    )
    for (const type of ['int', 'uint', 'double', 'google.protobuf.Duration', 'dyn']) {
      define(`list<${type}>.sum(): ${type}`, (list: readonly unknown[]) => sum(paid(list)))
    }
    define('list<A>.min(): A', (list: readonly unknown[]) => extreme(paid(list), 'min'))
    define('list<A>.max(): A', (list: readonly unknown[]) => extreme(paid(list), 'max'))
    define('list<A>.str_indexOf(A): int', (list: readonly unknown[], item: unknown) =>
      BigInt(paid(list).findIndex((other) => equalValues(other, item))),
    )
    define('list<A>.str_lastIndexOf(A): int', (list: readonly unknown[], item: unknown) =>
      BigInt(paid(list).findLastIndex((other) => equalValues(other, item))),
    )
    define('list<A>.slice(int, int): list<A>', (list: readonly unknown[], start: bigint, end: bigint) =>
      slice(paid(list), start, end),
    )
    define('list<A>.distinct(): list<A>', (list: readonly unknown[]) => distinct(list, runtime))
    define('list<A>.flatten(): list<dyn>', (list: readonly unknown[]) => paid(list.flat()))
    define('list<A>.flatten(int): list<dyn>', (list: readonly unknown[], depth: bigint) => {
      if (depth < 0n) throw new FunctionError('level must be non-negative')
      return paid(list.flat(Number(depth)))
    })
    define('list<A>.sort(): list<A>', (list: readonly unknown[]) => paid(list).toSorted(compareValues))
    define('list<A>.list_reverse(): list<A>', (list: readonly unknown[]) => paid(list).toReversed())
    define('list<A>.first(): optional<A>', (list: readonly unknown[]) => Optional.of(list[0]))
    define('list<A>.last(): optional<A>', (list: readonly unknown[]) => Optional.of(list.at(-1)))
    define('list<optional<A>>.unwrapOpt(): list<A>', (list: readonly unknown[]) => unwrap(paid(list)))
    define('OptionalNamespace.unwrap(list<optional<A>>): list<A>', (_: unknown, list: readonly unknown[]) =>
      unwrap(paid(list)),
    )
    environment.registerType('namespace.lists', { ctor: ListsNamespace })
    environment.registerConstant('lists', 'namespace.lists', new ListsNamespace())
    define('namespace.lists.range(int): list<int>', (_: unknown, count: bigint) => {
      runtime.charge(Math.max(Number(count), 1))
      return Array.from({ length: Math.max(Number(count), 0) }, (__, index) => BigInt(index))
    })
  },
}

/** What the name `lists` stands for; it has nothing but functions. */
class ListsNamespace {
  readonly functionsOnly = true
}

function sum(list: readonly unknown[]): unknown {
  const [first, ...rest] = list
  if (first === undefined) return 0n
  return rest.reduce(add, first)
}

function add(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return within64Bits(a + b)
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof Duration && b instanceof Duration) return a.addDuration(b)
  throw new FunctionError('sum: the items must be of one type: int, double or duration')
}

function within64Bits(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new FunctionError('integer overflow')
}

function extreme(list: readonly unknown[], which: 'min' | 'max'): unknown {
  const [first, ...rest] = list
  if (first === undefined) throw new FunctionError(`${which} of an empty list`)
  // What has no order is refused, also where there is but one of it.
  compareValues(first, first)
  return rest.reduce(
    (best, item) =>
      compareValues(item, best) < 0 === (which === 'min') && compareValues(item, best) !== 0 ? item : best,
    first,
  )
}

function slice(list: readonly unknown[], start: bigint, end: bigint): readonly unknown[] {
  if (start < 0n || end < 0n) throw new FunctionError(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end)
    throw new FunctionError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > BigInt(list.length))
    throw new FunctionError(`cannot slice(${start}, ${end}), list is length ${list.length}`)
  return list.slice(Number(start), Number(end))
}

function distinct(list: readonly unknown[], runtime: Runtime): readonly unknown[] {
  const kept: unknown[] = []
  for (const item of list) {
    runtime.charge(1 + kept.length)
    if (!kept.some((other) => equalValues(other, item))) kept.push(item)
  }
  return kept
}

function unwrap(list: readonly unknown[]): readonly unknown[] {
  return list.flatMap((item) => (item instanceof Optional && item.hasValue() ? [item.value()] : []))
}
