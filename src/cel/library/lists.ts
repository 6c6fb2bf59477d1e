import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { add, nameOf } from '../operators.ts'
import type { Runtime } from '../runtime.ts'
import { compareValues, isEqual, orderOf } from '../value-order.ts'
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
    // What these give depends on the types that the checker found; `TYPED` has it from there.
    for (const [name, evaluate] of Object.entries(TYPED))
      define(`list.${name}(): dyn`, (list: readonly unknown[]) => evaluate(list, SUMMABLE, runtime))
    define('list.str_indexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(paid(list).findIndex((other) => isEqual(other, item, runtime))),
    )
    define('list.str_lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(paid(list).findLastIndex((other) => isEqual(other, item, runtime))),
    )
    define('list.slice(int, int): list', (list: readonly unknown[], start: bigint, end: bigint) =>
      slice(paid(list), start, end),
    )
    define('list.distinct(): list', (list: readonly unknown[]) => distinct(list, runtime))
    define('list.flatten(): list', (list: readonly unknown[]) => flatten(list, 1, runtime))
    define('list.flatten(int): list', (list: readonly unknown[], depth: bigint) => {
      if (depth < 0n) throw new FunctionError('level must be non-negative')
      return flatten(list, Number(depth), runtime)
    })
    define('list.sort(): list', (list: readonly unknown[]) => sortBy(paid(list), list, runtime))
    define('list.list_reverse(): list', (list: readonly unknown[]) => paid(list).toReversed())
    define('list.first(): optional<dyn>', (list: readonly unknown[]) => Optional.of(list[0]))
    define('list.last(): optional<dyn>', (list: readonly unknown[]) => Optional.of(list.at(-1)))
    define('list.unwrapOpt(): list', (list: readonly unknown[]) => unwrap(paid(list)))
    define('OptionalNamespace.unwrap(list): list', (_: unknown, list: readonly unknown[]) => unwrap(paid(list)))
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

/** A function of a list that goes by the types of items that the checker found possible. */
export type TypedListFunction = (list: unknown, types: readonly string[], runtime: Runtime) => unknown

const SUMMABLE = ['int', 'uint', 'double', 'duration']

/**
 * Functions of which cel-go has an overload for each type of items: it takes that of which the first item is, of those
 * that the checker found possible. Source: k8s.io/apiserver `pkg/cel/library/lists.go`; cel-go `common/types/types.go`,
 * IsAssignableRuntimeType.
 */
export const TYPED: Readonly<Record<string, TypedListFunction>> = {
  isSorted: (list, types, runtime) =>
    itemsOf(list, types, runtime).every(
      (item, index, items) => index === 0 || !isAbove(items[index - 1], item, runtime),
    ),
  sum: (list, types, runtime) => {
    const items = itemsOf(list, types, runtime)
    return items.reduce((sum, item) => add(sum, item, runtime), zeroOf(items.length > 0 ? nameOf(items[0]) : types[0]))
  },
  min: (list, types, runtime) => best(itemsOf(list, types, runtime), 'min', (a, b) => isAbove(a, b, runtime)),
  max: (list, types, runtime) => best(itemsOf(list, types, runtime), 'max', (a, b) => isAbove(b, a, runtime)),
}

function itemsOf(list: unknown, types: readonly string[], runtime: Runtime): readonly unknown[] {
  if (!Array.isArray(list)) throw new FunctionError(`no such overload: ${nameOf(list)} is no list`)
  const items: readonly unknown[] = list
  runtime.charge(1 + items.length)
  if (items.length > 0 && !types.includes(nameOf(items[0])))
    throw new FunctionError(`no such overload: the items are ${nameOf(items[0])}, not ${types.join(' or ')}`)
  return items
}

/** Items that have no order stand in none. */
function isAbove(a: unknown, b: unknown, runtime: Runtime): boolean {
  compareValues(b, b, runtime)
  return (orderOf(a, b, runtime) ?? 0) > 0
}

function best(items: readonly unknown[], name: string, isBetter: (best: unknown, item: unknown) => boolean): unknown {
  if (items.length === 0) throw new FunctionError(`${name} of an empty list`)
  return items.reduce((found, item) => (isBetter(found, item) ? item : found))
}

function zeroOf(type: string | undefined): unknown {
  switch (type) {
    case 'uint':
      return new UnsignedInt(0n)
    case 'double':
      return 0
    case 'duration':
      return new Duration(0n)
    default:
      return 0n
  }
}

/** Units of work for comparing two keys. */
const PER_COMPARISON = 0.5

/** The items in the order of their keys. Source: cel-go `ext/lists.go`, sortListByAssociatedKeys. */
export function sortBy(list: readonly unknown[], keys: readonly unknown[], runtime: Runtime): readonly unknown[] {
  const type = nameOf(keys[0])
  if (keys.some((key) => nameOf(key) !== type)) throw new FunctionError('what is sorted by must be of one type')
  // What has no order is refused, also where there is but one of it.
  if (keys.length > 0 && !Number.isNaN(keys[0])) compareValues(keys[0], keys[0], runtime)
  const order = [...keys.keys()].sort((a, b) => {
    runtime.charge(PER_COMPARISON)
    return orderOf(keys[a], keys[b], runtime) ?? 0
  })
  return order.map((place) => list[place])
}

/** The items of lists within lists in their place, down to a depth; each list is paid for before it is gone through. */
function flatten(list: readonly unknown[], depth: number, runtime: Runtime): readonly unknown[] {
  runtime.charge(1 + list.length)
  if (depth === 0) return list
  return list.flatMap((item) => (Array.isArray(item) ? flatten(item, depth - 1, runtime) : [item]))
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
    if (!kept.some((other) => isEqual(other, item, runtime))) kept.push(item)
  }
  return kept
}

function unwrap(list: readonly unknown[]): readonly unknown[] {
  return list.flatMap((item) => {
    if (!(item instanceof Optional)) throw new FunctionError('an item of the list is not optional')
    return item.hasValue() ? [item.value()] : []
  })
}
