import type { FieldPath, Segment } from '../kube/field-path.ts'
import { isList, isObject, own, type Json } from '../kube/json.ts'

/** Beyond this many items that are neither equal nor named alike, items are paired in order. */
const MOST_COMPARED = 64

/**
 * Where the place of an object was in the object before. Members keep their key; list items are found by being equal,
 * by a name of their own, or by being most alike, so that reordering a list, inserting into it or moving a weight in
 * it changes no place. At most one new item has the place of an old one: what is added has none.
 */
export class OldPlaces {
  private readonly pairs = new Map<readonly Json[], readonly (number | undefined)[]>()
  private readonly current: Json
  private readonly old: Json

  constructor(current: Json, old: Json) {
    this.current = current
    this.old = old
  }

  /**
   * The old object's path for a path of the new one. Undefined where the place is new: a list item without
   * counterpart. A member need not exist in either.
   */
  find(path: FieldPath): FieldPath | undefined {
    const found: Segment[] = []
    let current: Json | undefined = this.current
    let old: Json | undefined = this.old
    for (const segment of path) {
      if (typeof segment === 'string' || !isList(current)) {
        found.push(segment)
        current = isObject(current) ? own(current, String(segment)) : undefined
        old = isObject(old) ? own(old, String(segment)) : undefined
        continue
      }
      const index: number | undefined = isList(old) ? this.pairing(current, old)[segment] : undefined
      if (index === undefined) return undefined
      found.push(index)
      current = current[segment]
      old = isList(old) ? old[index] : undefined
    }
    return found
  }

  private pairing(current: readonly Json[], old: readonly Json[]): readonly (number | undefined)[] {
    let pairs = this.pairs.get(current)
    if (pairs === undefined) {
      pairs = pairItems(current, old)
      this.pairs.set(current, pairs)
    }
    return pairs
  }
}

/** For each item of the new list the index of its counterpart in the old one, each used at most once. */
export function pairItems(current: readonly Json[], old: readonly Json[]): readonly (number | undefined)[] {
  const pairs: (number | undefined)[] = current.map(() => undefined)
  const free = new Set(old.keys())
  pairByKey(current, old, { pairs, free, keyOf: (item) => JSON.stringify(item) })
  pairByKey(current, old, { pairs, free, keyOf: nameOfItem })
  pairByLikeness(current, old, { pairs, free })
  return pairs
}

interface Pairing {
  readonly pairs: (number | undefined)[]
  readonly free: Set<number>
}

function pairByKey(
  current: readonly Json[],
  old: readonly Json[],
  { pairs, free, keyOf }: Pairing & { readonly keyOf: (item: Json) => string | undefined },
): void {
  const byKey = new Map<string, number[]>()
  for (const index of free) {
    const key = keyOf(old[index] ?? null)
    if (key === undefined) continue
    const indexes = byKey.get(key)
    if (indexes === undefined) byKey.set(key, [index])
    else indexes.push(index)
  }
  for (const [index, item] of current.entries()) {
    if (pairs[index] !== undefined) continue
    const key = keyOf(item)
    const found = key === undefined ? undefined : byKey.get(key)?.shift()
    if (found === undefined) continue
    pairs[index] = found
    free.delete(found)
  }
}

/** Most in common first; of equal likeness the nearest position. Items that share nothing are no counterparts. */
function pairByLikeness(current: readonly Json[], old: readonly Json[], { pairs, free }: Pairing): void {
  const open = [...current.keys()].filter((index) => pairs[index] === undefined)
  const rest = [...free]
  if (open.length === 0 || rest.length === 0) return
  if (open.length > MOST_COMPARED || rest.length > MOST_COMPARED) {
    for (const [position, index] of open.entries()) {
      const other = rest[position]
      if (other !== undefined && sharedMembers(current[index], old[other]) > 0) pairs[index] = other
    }
    return
  }
  const candidates = open.flatMap((index) =>
    rest.map((other) => ({ index, other, likeness: likeness(current[index] ?? null, old[other] ?? null) })),
  )
  candidates.sort((a, b) => b.likeness - a.likeness || Math.abs(a.index - a.other) - Math.abs(b.index - b.other))
  for (const { index, other, likeness: alike } of candidates) {
    if (alike === 0 || pairs[index] !== undefined || !free.has(other)) continue
    pairs[index] = other
    free.delete(other)
  }
}

/** What names an item of a list: `name`, or the number of its port. */
function nameOfItem(item: Json): string | undefined {
  if (!isObject(item)) return undefined
  const { name, port } = item
  if (typeof name === 'string' && name !== '') return `name ${name}`
  const number = isObject(port) ? port.number : port
  return typeof number === 'number' || typeof number === 'string' ? `port ${number}` : undefined
}

/**
 * How much two items have in common: a member that both have counts one, and each equal value in it many times that, so
 * that a route whose weights moved is more like itself than like any other.
 */
function likeness(a: Json, b: Json): number {
  const members = sharedMembers(a, b)
  return members === 0 ? 0 : members + 100 * equalValues(a, b)
}

/** The number of members that two items both have, empty ones aside; of items with two names none counts. */
function sharedMembers(a: Json | undefined, b: Json | undefined): number {
  if (!isObject(a) || !isObject(b)) return 0
  if (nameOfItem(a) !== undefined && nameOfItem(b) !== undefined) return 0
  return Object.keys(a).filter((key) => saysSomething(own(a, key)) && saysSomething(own(b, key))).length
}

function saysSomething(value: Json | undefined): boolean {
  return isObject(value) ? Object.keys(value).length > 0 : isList(value) ? value.length > 0 : (value ?? null) !== null
}

/** The number of strings, numbers and the like that stand at the same place in both; in a list of them, anywhere. */
function equalValues(a: Json | undefined, b: Json | undefined): number {
  if (isList(a) && isList(b)) {
    const plain = new Set(b.filter((item) => !isContainer(item)))
    return sum(a.map((item, index) => (isContainer(item) ? equalValues(item, b[index]) : plain.has(item) ? 1 : 0)))
  }
  if (isObject(a) && isObject(b)) return sum(Object.entries(a).map(([key, value]) => equalValues(value, own(b, key))))
  return a !== undefined && a === b ? 1 : 0
}

function isContainer(value: Json): boolean {
  return isObject(value) || isList(value)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
