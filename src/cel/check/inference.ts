import { DYN, sameType, type Type } from './type.ts'

/** What has been found out about type parameters while one expression is checked. */
export interface Inference {
  /** A parameter that stands for nothing yet. */
  fresh(): Type
  /** True where a value of type `from` may stand where `to` is asked for; then remembers what that says of parameters. */
  assign(from: Type, to: Type): boolean
  /** The same for each of a row, or none at all. */
  assignAll(from: readonly Type[], to: readonly Type[]): boolean
  /** A type with what is known put in place of parameters; those still unknown stay. */
  resolve(type: Type): Type
  /** The type of what may be of either: the more general one, undefined where neither takes the other. */
  join(a: Type, b: Type): Type | undefined
}

interface Known {
  readonly types: Map<string, Type>
  readonly nulls: Nulls
}

/** May a value of any type be null, or only those of which Kubernetes' checker says so? */
export type Nulls = 'anywhere' | 'as typed'

/** Source: cel-go `checker/types.go`, internalIsAssignable, isValidTypeSubstitution, mostGeneral; `checker/mapping.go`. */
export function createInference(nulls: Nulls): Inference {
  let known: Known = { types: new Map(), nulls }
  let count = 0
  const attempt = (body: (copy: Known) => boolean): boolean => {
    const before = new Map(known.types)
    if (body(known)) return true
    known = { types: before, nulls }
    return false
  }
  const inference: Inference = {
    fresh: () => ({ kind: 'param', name: `_${(count += 1)}` }),
    assign: (from, to) => attempt((copy) => assignable(copy, from, to)),
    assignAll: (from, to) => attempt((copy) => everyAssignable(copy, from, to)),
    resolve: (type) => substitute(type, (name) => known.types.get(name)),
    // Of the items of a literal cel-spec says so.
    join: (a, b) => (inference.assign(a, b) ? mostGeneral(a, b, 'anywhere') : undefined),
  }
  return inference
}

/** Puts types in place of parameters, and of the parameters in those. */
export function substitute(type: Type, of: (name: string) => Type | undefined): Type {
  switch (type.kind) {
    case 'param': {
      const found = of(type.name)
      return found === undefined ? type : substitute(found, of)
    }
    case 'list':
    case 'optional':
      return { kind: type.kind, item: substitute(type.item, of) }
    case 'map':
      return { kind: 'map', key: substitute(type.key, of), value: substitute(type.value, of) }
    default:
      return type
  }
}

function everyAssignable(known: Known, from: readonly Type[], to: readonly Type[]): boolean {
  return from.length === to.length && from.every((type, index) => assignable(known, type, to[index] ?? DYN))
}

function assignable(known: Known, a: Type, b: Type): boolean {
  if (b.kind === 'param') {
    const had = known.types.has(b.name)
    if (bind(known, a, b)) return true
    if (had) return false
  }
  if (a.kind === 'param') return bind(known, b, a)
  if (isAnything(a) || isAnything(b)) return true
  if (a.kind === 'named' && a.name === 'null') return known.nulls === 'anywhere' || mayBeNull(b)
  if (b.kind === 'named' && b.name === 'null') return known.nulls === 'anywhere' || mayBeNull(a)
  switch (a.kind) {
    case 'named':
      return b.kind === 'named' && a.name === b.name
    case 'object':
      // As JSON it is a map of strings to anything.
      if (b.kind === 'map') return a.isMap && assignable(known, { kind: 'named', name: 'string' }, b.key)
      return b.kind === 'object' && (a.name === b.name || (a.isMap && b.isMap))
    case 'list':
    case 'optional':
      return b.kind === a.kind && assignable(known, a.item, b.item)
    case 'map':
      if (b.kind === 'object') return b.isMap
      return b.kind === 'map' && assignable(known, a.key, b.key) && assignable(known, a.value, b.value)
    default:
      return false
  }
}

/** May the parameter stand for this type, beside what it already stands for? */
function bind(known: Known, type: Type, param: Type & { readonly kind: 'param' }): boolean {
  if (sameType(type, param)) return true
  const before = known.types.get(param.name)
  if (before !== undefined) {
    if (sameType(type, before)) return true
    if (!assignable(known, type, before)) return false
    const general = mostGeneral(type, before, known.nulls)
    if (!mentions(known, general, param.name)) known.types.set(param.name, general)
    return true
  }
  if (mentions(known, type, param.name)) return false
  known.types.set(param.name, type)
  return true
}

function mentions(known: Known, type: Type, name: string): boolean {
  switch (type.kind) {
    case 'param': {
      if (type.name === name) return true
      const found = known.types.get(type.name)
      return found !== undefined && mentions(known, found, name)
    }
    case 'list':
    case 'optional':
      return mentions(known, type.item, name)
    case 'map':
      return mentions(known, type.key, name) || mentions(known, type.value, name)
    default:
      return false
  }
}

function mostGeneral(a: Type, b: Type, nulls: Nulls): Type {
  if (isAtLeastAsGeneral(a, b, nulls)) return a
  return isAtLeastAsGeneral(b, a, nulls) ? b : blend(a, b, nulls)
}

/** What two kinds of JSON objects have in common is not known; other types differ only by parts that are `dyn`. */
function blend(a: Type, b: Type, nulls: Nulls): Type {
  if (a.kind === 'object' && b.kind === 'object') return DYN
  if ((a.kind === 'list' || a.kind === 'optional') && b.kind === a.kind)
    return { kind: a.kind, item: mostGeneral(a.item, b.item, nulls) }
  return b
}

function isAtLeastAsGeneral(a: Type, b: Type, nulls: Nulls): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true
  if (b.kind === 'dyn' || b.kind === 'param') return false
  // Where any value may be null, what may be null or a duration is a duration.
  if (nulls === 'anywhere' && b.kind === 'named' && b.name === 'null' && mayBeNull(a)) return true
  switch (a.kind) {
    case 'list':
    case 'optional':
      return b.kind === a.kind && isAtLeastAsGeneral(a.item, b.item, nulls)
    case 'map':
      return (
        b.kind === 'object' ||
        (b.kind === 'map' && isAtLeastAsGeneral(a.key, b.key, nulls) && isAtLeastAsGeneral(a.value, b.value, nulls))
      )
    default:
      return sameType(a, b)
  }
}

function isAnything(type: Type): boolean {
  return type.kind === 'dyn' || type.kind === 'error'
}

const NEVER_NULL = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'type'])

function mayBeNull(type: Type): boolean {
  if (type.kind === 'named') return !NEVER_NULL.has(type.name)
  return type.kind === 'object' || type.kind === 'optional'
}
