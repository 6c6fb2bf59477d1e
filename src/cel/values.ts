import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { MessageValue } from './message-value.ts'
import { formatDuration, formatTimestamp, Instant } from './time.ts'
import type { CelValue } from './types.ts'

/**
 * A JSON object as the engine sees it: a map whose members are converted when an expression asks for them, so that a
 * large object costs what is looked at. Own members only: a label called `constructor` is a label like any other.
 * It is a Map to `instanceof`, without the storage of one, which would cost more than all that is done with it.
 */
export class ObjectView {
  readonly json: JsonObject
  private names: readonly string[] | undefined
  /** Views of the members that are objects or lists, so that each is made once. */
  private parts: Map<string, CelValue> | undefined

  constructor(json: JsonObject) {
    this.json = json
  }

  get(key: unknown): CelValue {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined
    const json = this.json[key]
    if (typeof json !== 'object' || json === null) return json === undefined ? undefined : celValue(json)
    const known = this.parts?.get(key)
    if (known !== undefined) return known
    const part = celValue(json)
    this.parts ??= new Map()
    this.parts.set(key, part)
    return part
  }

  has(key: unknown): boolean {
    return typeof key === 'string' && Object.hasOwn(this.json, key) && this.json[key] !== undefined
  }

  get size(): number {
    return this.keyList().length
  }

  keys(): Iterator<string> & Iterable<string> {
    return this.keyList()[Symbol.iterator]()
  }

  *values(): IterableIterator<CelValue> {
    for (const name of this.keyList()) yield this.get(name)
  }

  /**
   * None: the engine asks for the first entry, and for the first of that, only to guess the types of all of them before
   * it compares anything. Members of JSON may be anything, which is what it takes an empty map to say.
   */
  entries(): IterableIterator<[string, CelValue]> {
    return NO_ENTRIES.entries()
  }

  *[Symbol.iterator](): IterableIterator<[string, CelValue]> {
    for (const name of this.keyList()) yield [name, this.get(name)]
  }

  private keyList(): readonly string[] {
    this.names ??= Object.keys(this.json).filter((key) => this.json[key] !== undefined)
    return this.names
  }
}

const NO_ENTRIES: ReadonlyMap<string, CelValue> = new Map()

// The engine tells types apart by their constructor and by `instanceof`; to both this one is a Map.
Object.setPrototypeOf(ObjectView.prototype, Map.prototype)
Object.defineProperty(ObjectView.prototype, 'constructor', { value: Map })

/** The JSON that a converted list came from, so that a host function gets the very list that went in. */
const listSources = new WeakMap<object, Json>()

/** A JSON value as the engine sees it: integers of 64 bits are `int`, objects are views, lists are converted one level deep. */
export function celValue(json: Json): CelValue {
  switch (typeof json) {
    case 'number':
      return Number.isInteger(json) && Math.abs(json) < 2 ** 63 ? BigInt(json) : json
    case 'object': {
      if (json === null) return null
      if (!isList(json)) return new ObjectView(json)
      const list = json.map(celValue)
      listSources.set(list, json)
      return list
    }
    default:
      return json
  }
}

/**
 * A value of the engine as JSON: the original object or list where it is one that went in. Integers become numbers
 * where they are exact, else strings; timestamps, durations and bytes become strings as Kubernetes writes them.
 */
export function fromCel(value: CelValue): Json {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'bigint':
      return integer(value)
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'object':
      return fromObject(value)
    default:
      return null
  }
}

function fromObject(value: object): Json {
  if (value instanceof ObjectView) return value.json
  const source = listSources.get(value)
  if (source !== undefined) return source
  if (isList(value)) return value.map(fromCel)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [textOf(fromCel(key)), fromCel(item)]))
  if (value instanceof UnsignedInt) return integer(value.value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof MessageValue)
    return Object.fromEntries([...value.fields].map(([name, field]) => [name, fromCel(field)]))
  if (value instanceof Instant) return formatTimestamp(value)
  if (value instanceof Uint8Array) return btoa(Array.from(value, (byte) => String.fromCodePoint(byte)).join(''))
  if (value instanceof Optional) return value.hasValue() ? fromCel(value.value()) : null
  if (value instanceof Set) return [...value].map(fromCel)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCel(item)]))
  return null
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function integer(value: bigint): Json {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value)
}
