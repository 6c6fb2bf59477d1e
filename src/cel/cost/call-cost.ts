import { Optional } from '@marcbachmann/cel-js'

import type { Work } from '../runtime.ts'
import { bytesIn, codePointsIn } from '../text-length.ts'

/**
 * What a call costs beside its parts, by its values; `single`: did the check leave one way to call it? What has to be
 * looked through for that is work.
 */
export type CallCost = (
  args: readonly unknown[],
  result: unknown,
  overloads: 'single' | 'several',
  work: Work,
) => number

// cel-go `common/cost.go`.
const PER_CHARACTER = 0.1
const PER_PATTERN_CHARACTER = 0.25
export const LIST_COST = 10
export const MAP_COST = 30
export const OBJECT_COST = 40

/** Characters, bytes, items or entries, those of what an optional holds; 1 for what has no size. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return codePointsIn(value)
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length
  if (value instanceof Map) return value.size
  if (value instanceof Optional) return value.hasValue() ? sizeOf(value.value()) : 1
  return hasByteSize(value) ? value.byteSize : 1
}

/** Addresses and ranges have one. */
function hasByteSize(value: unknown): value is { readonly byteSize: number } {
  return typeof value === 'object' && value !== null && 'byteSize' in value
}

/** The smaller of two sizes; a long text is not looked through for its size where the other is far smaller. */
function smallerSize(a: unknown, b: unknown): number {
  const [mostOfA, mostOfB] = [greatestSize(a), greatestSize(b)]
  if (mostOfA * 2 <= mostOfB) return sizeOf(a)
  return mostOfB * 2 <= mostOfA ? sizeOf(b) : Math.min(sizeOf(a), sizeOf(b))
}

/** A size that a value does not exceed, and that is no more than twice its own. */
function greatestSize(value: unknown): number {
  if (typeof value === 'string') return value.length
  return value instanceof Optional && value.hasValue() ? greatestSize(value.value()) : sizeOf(value)
}

function traversal(value: unknown, times = 1): number {
  return Math.ceil(sizeOf(value) * times * PER_CHARACTER)
}

/** Every character of the text may meet every part of a pattern of this size, of about four characters each. */
function search(text: unknown, patternSize: number): number {
  return Math.ceil((1 + sizeOf(text)) * PER_CHARACTER) * Math.ceil(patternSize * PER_PATTERN_CHARACTER)
}

/** What a new list costs that takes so many steps to make. */
function allocation(steps: number): number {
  return 1 + LIST_COST + Math.floor(steps)
}

/** All of a value, as a tree. */
function treeCost(value: unknown, work: Work): number {
  if (typeof value === 'string') return Math.floor(bytesIn(value) * PER_CHARACTER)
  if (value instanceof Uint8Array) return Math.floor(value.length * PER_CHARACTER)
  let cost = 0
  if (Array.isArray(value)) {
    work.charge(1 + value.length)
    for (const item of value) cost += treeCost(item, work)
    return cost
  }
  if (!(value instanceof Map)) return 1
  work.charge(1 + value.size)
  for (const [key, item] of value) cost += treeCost(key, work) + treeCost(item, work)
  return cost
}

function smallerCost(a: unknown, b: unknown): number {
  return Math.ceil(smallerSize(a, b) * PER_CHARACTER)
}

const smaller: CallCost = ([a, b]) => smallerCost(a, b)
const whenSingle =
  (cost: CallCost): CallCost =>
  (args, result, overloads, work) =>
    overloads === 'single' ? cost(args, result, overloads, work) : 1
const text: CallCost = ([value]) => traversal(value)
const textTwice: CallCost = ([value]) => traversal(value, 2)
const whole: CallCost = ([value], _, __, work) => treeCost(value, work)
const output = whenSingle((_, result) => allocation(sizeOf(result)))
const ordered = whenSingle(([a, b]) => (isText(a) ? smallerCost(a, b) : 1))

/** What it costs to compare each of so many values with each, and to make a new list of them. */
export function comparisonCost(size: number, areTexts: boolean): number {
  return allocation(size ** 2 * (areTexts ? 2 + PER_CHARACTER : 2))
}

const compared: CallCost = ([list]) => comparisonCost(sizeOf(list), Array.isArray(list) && isText(list[0]))
const matching: CallCost = ([value, pattern]) => search(value, sizeOf(pattern))

/** A text has to be read first. */
function parsed(value: unknown, overloads: 'single' | 'several'): number {
  return overloads === 'single' && !hasByteSize(value) ? traversal(value) : 0
}

/** Named formats say how long a pattern they stand for. */
function isFormat(value: unknown): value is { readonly patternSize: number } {
  return typeof value === 'object' && value !== null && 'patternSize' in value
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array
}

function pairs(a: unknown, b: unknown): number {
  return sizeOf(a) * sizeOf(b)
}

/**
 * Functions that cost other than 1, by the names that they have in the engine. The receiver is the first of the values.
 * Source: cel-go `interpreter/runtimecost.go` costCall, `ext/{lists,sets}.go`; k8s.io/apiserver `pkg/cel/library/cost.go`.
 */
const CALLS: Readonly<Record<string, CallCost>> = {
  startsWith: text,
  endsWith: text,
  bytes: whenSingle(text),
  quote: ([, value]) => traversal(value),
  format: text,
  to_string: whenSingle(([value]) => (value instanceof Uint8Array ? traversal(value) : 1)),
  // `sets.contains` has the same name, and the namespace for a receiver.
  str_contains: ([value, part, ...rest]) =>
    value === '' ? 0 : rest.length === 0 ? traversal(value) * traversal(part) : 1 + pairs(part, rest[0]),
  re_matches: matching,
  find: matching,
  findAll: matching,
  str_lowerAscii: text,
  str_upperAscii: text,
  str_substring: text,
  str_trim: text,
  escapeKey: ([, key]) => traversal(key),
  url: text,
  replace: textTwice,
  str_split: textTwice,
  str_join: (_, result) => traversal(result, 2),
  isSorted: whole,
  sum: whole,
  min: whole,
  max: whole,
  str_indexOf: whole,
  str_lastIndexOf: whole,
  slice: output,
  list_reverse: output,
  range: output,
  flatten: whenSingle(([list, depth]) => allocation(sizeOf(list) * (typeof depth === 'bigint' ? Number(depth) : 1))),
  distinct: whenSingle(compared),
  sort: whenSingle(compared),
  equivalent: ([, a, b]) => 1 + 2 * pairs(a, b),
  intersects: ([, a, b]) => 1 + pairs(a, b),
  cidr: text,
  isIP: text,
  isCIDR: text,
  ip: ([value]) => (isText(value) ? traversal(value) : 1),
  isCanonical: ([, value]) => traversal(value, 2),
  containsIP: ([range, other], _, overloads) => traversal(range, 2) + parsed(other, overloads),
  containsCIDR: ([range, other], _, overloads) => traversal(range, 2) + traversal(range) + 1 + parsed(other, overloads),
  validate: ([format, value]) => (isFormat(format) ? search(value, format.patternSize) : 1),
  quantity: text,
  isQuantity: text,
  semver: text,
  isSemver: text,
  '==': ([a, b]) => (hasByteSize(a) ? 1 : smallerCost(a, b)),
  '!=': smaller,
  '<': ordered,
  '<=': ordered,
  '>': ordered,
  '>=': ordered,
  in: whenSingle(([, range]) => (Array.isArray(range) ? range.length : 1)),
  '+': whenSingle(([a, b]) => (isText(a) ? Math.ceil((sizeOf(a) + sizeOf(b)) * PER_CHARACTER) : 1)),
}

/** What a call or operator costs that does not cost 1 whatever it is given. */
export function callCost(name: string): CallCost | undefined {
  return Object.hasOwn(CALLS, name) ? CALLS[name] : undefined
}
