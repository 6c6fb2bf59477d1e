/**
 * A type as the checker knows it. `object` has named fields, known when they are asked for, since schemas may be
 * recursive; `rest` is the type of all other fields, where there may be any. A `param` stands for a type that is not
 * known yet.
 */
export type Type =
  | { readonly kind: 'dyn' | 'error' }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'list' | 'optional'; readonly item: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  | ObjectType
  | { readonly kind: 'param'; readonly name: string }

export interface ObjectType {
  readonly kind: 'object'
  /** Two objects of one name are of one type. */
  readonly name: string
  readonly fields: () => ReadonlyMap<string, Type>
  readonly rest?: Type
  /** Is it a map as well? Objects of JSON are, `request` is not. */
  readonly isMap: boolean
}

export const DYN: Type = { kind: 'dyn' }
/** Of what is wrong already, so that it is told once. It goes with anything. */
export const ERROR: Type = { kind: 'error' }
export const BOOL = named('bool')
export const INT = named('int')
export const STRING = named('string')

/** A type without parts: `int`, `google.protobuf.Duration`, `kubernetes.Quantity`. */
export function named(name: string): Type {
  return { kind: 'named', name }
}

export function listOf(item: Type): Type {
  return { kind: 'list', item }
}

export function optionalOf(item: Type): Type {
  return { kind: 'optional', item }
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: 'map', key, value }
}

const ALIASES: Readonly<Record<string, string>> = {
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  null_type: 'null',
}
const SHORT: Readonly<Record<string, string>> = {
  'google.protobuf.Duration': 'duration',
  'google.protobuf.Timestamp': 'timestamp',
}

/** Reads `map<string, list<A>>`; one capital letter is a parameter. */
export function parseType(text: string): Type {
  const [, outer, inner] = /^(list|optional|map|dyn)<(.*)>$/s.exec(text.trim()) ?? []
  const head = outer ?? text.trim()
  if (inner !== undefined) {
    const [first = 'dyn', second = 'dyn'] = splitTypes(inner)
    if (head === 'dyn') return DYN
    if (head === 'map') return mapOf(parseType(first), parseType(second))
    return { kind: head === 'list' ? 'list' : 'optional', item: parseType(first) }
  }
  if (head === 'dyn') return DYN
  if (head === 'list' || head === 'optional') return { kind: head, item: DYN }
  if (head === 'map') return mapOf(DYN, DYN)
  return /^[A-Z]$/.test(head) ? { kind: 'param', name: head } : named(ALIASES[head] ?? head)
}

/** The types between commas that stand in no brackets. */
export function splitTypes(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const character of text) {
    if (character === '<') depth += 1
    if (character === '>') depth -= 1
    if (character === ',' && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += character
  }
  return part.trim() === '' ? parts : [...parts, part.trim()]
}

/** A type as people write it; what is not known is `dyn`. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'param':
      return 'dyn'
    case 'named':
      return SHORT[type.name] ?? type.name
    case 'object':
      return type.name
    case 'list':
    case 'optional':
      return `${type.kind}<${showType(type.item)}>`
    case 'map':
      return `map<${showType(type.key)}, ${showType(type.value)}>`
  }
}

/** Are two types exactly the same? */
export function sameType(a: Type, b: Type): boolean {
  switch (a.kind) {
    case 'dyn':
    case 'error':
      return b.kind === a.kind
    case 'named':
    case 'object':
    case 'param':
      return b.kind === a.kind && a.name === b.name
    case 'list':
    case 'optional':
      return b.kind === a.kind && sameType(a.item, b.item)
    case 'map':
      return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value)
  }
}

/**
 * A type as the engine spells it; to it objects are `dyn`, and null, which may stand for values of many types. So is what
 * is in lists, maps and optionals: it would not have there what the check does not expect, where Kubernetes does not mind.
 */
export function engineType(type: Type): string {
  switch (type.kind) {
    case 'named':
      return type.name === 'null' ? 'dyn' : type.name
    case 'list':
    case 'optional':
      return `${type.kind}<dyn>`
    case 'map':
      return 'map<dyn, dyn>'
    default:
      return 'dyn'
  }
}

/** An object with just these fields, as `request` is: another name does not compile. */
export function closedObject(name: string, fields: Readonly<Record<string, Type>>): ObjectType {
  const known = new Map(Object.entries(fields))
  return { kind: 'object', name, fields: () => known, isMap: false }
}
