import { DYN, parseType, sameType, splitTypes, type Type } from './type.ts'

/** One way to call a function. The parameters of a member begin with what it is called on. */
export interface Overload {
  readonly isMember: boolean
  readonly parameters: readonly Type[]
  readonly result: Type
}

/** The overloads of functions and operators, by name. */
export type Declarations = ReadonlyMap<string, readonly Overload[]>

/**
 * Declarations of the operators, and of functions by signatures such as `list<A>.slice(int, int): list<A>`.
 * Macros are left out, they are the checker's own; of some functions the engine cannot say the exact types, for these
 * `EXACT` does.
 */
export function readDeclarations(signatures: readonly string[]): Declarations {
  const declared = new Map<string, Overload[]>()
  const exact = EXACT.map(readSignature)
  const names = new Set(exact.map(({ name }) => name))
  for (const signature of signatures) {
    const { name, overload, isMacro } = readSignature(signature)
    if (!isMacro && !names.has(name)) add(declared, name, overload)
  }
  for (const { name, overload } of exact) add(declared, name, overload)
  return declared
}

/** A name by which no function can be called, for an operator. */
export function operatorName(op: string): string {
  return `_${op}_`
}

/** A function that the engine has and a library replaces comes twice. */
function add(declared: Map<string, Overload[]>, name: string, overload: Overload): void {
  const overloads = declared.get(name)
  if (overloads === undefined) declared.set(name, [overload])
  else if (!overloads.some((other) => isSame(other, overload))) overloads.push(overload)
}

function isSame(a: Overload, b: Overload): boolean {
  return (
    a.isMember === b.isMember &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every((type, place) => sameType(type, b.parameters[place] ?? DYN))
  )
}

const SIGNATURE = /^(?:(?<receiver>[^()]+)\.)?(?<name>[^().]+)\((?<parameters>.*)\): ?(?<result>.+)$/s

function readSignature(signature: string): {
  readonly name: string
  readonly overload: Overload
  readonly isMacro: boolean
} {
  const { receiver, name = '', parameters = '', result = 'dyn' } = SIGNATURE.exec(signature)?.groups ?? {}
  const types = splitTypes(parameters)
  const all = receiver === undefined ? types : [receiver, ...types]
  const overload = { isMember: receiver !== undefined, parameters: all.map(parseType), result: parseType(result) }
  return { name, overload, isMacro: types.includes('ast') }
}

const NUMBERS = ['int', 'uint', 'double']
const ORDERED = [...NUMBERS, 'bool', 'duration', 'timestamp', 'string', 'bytes']
/** Pairs of types in the order in which cel-go tries them: a parameter that is not known yet becomes the first that fits. */
const COMPARED: readonly (readonly [string, string])[] = [
  ['bool', 'bool'],
  ['int', 'int'],
  ['int', 'double'],
  ['int', 'uint'],
  ['uint', 'uint'],
  ['uint', 'double'],
  ['uint', 'int'],
  ['double', 'double'],
  ['double', 'int'],
  ['double', 'uint'],
  ...['string', 'bytes', 'timestamp', 'duration'].map((type) => [type, type] as const),
]

/** What conversions take, in the order in which cel-go tries it. */
const CONVERTED: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string }>> = {
  to_bool: { from: ['bool', 'string'], to: 'bool' },
  bytes: { from: ['bytes', 'string'], to: 'bytes' },
  to_double: { from: ['double', 'int', 'string', 'uint'], to: 'double' },
  dur_duration: { from: ['duration', 'int', 'string'], to: 'duration' },
  to_int: { from: ['int', 'double', 'duration', 'string', 'timestamp', 'uint'], to: 'int' },
  to_string: {
    from: ['string', 'bool', 'bytes', 'double', 'duration', 'int', 'timestamp', 'uint', 'net.IP', 'net.CIDR'],
    to: 'string',
  },
  ts_timestamp: { from: ['timestamp', 'int', 'string'], to: 'timestamp' },
  to_uint: { from: ['uint', 'double', 'int', 'string'], to: 'uint' },
}

/**
 * Source: cel-go `common/stdlib/standard.go`, `cel/library.go` (optionals), `ext/lists.go`; k8s.io/apiserver
 * `pkg/cel/library/lists.go`. Cross-type comparisons of numbers are on in Kubernetes' base environment.
 */
const EXACT: readonly string[] = [
  'type(A): type',
  ...Object.entries(CONVERTED).flatMap(([name, { from, to }]) => from.map((type) => `${name}(${type}): ${to}`)),
  'dyn(A): dyn',
  ...['bytes', 'list<A>', 'map<A, B>', 'string'].flatMap((type) => [`size(${type}): int`, `${type}.size(): int`]),
  '_!_(bool): bool',
  ...['double', 'int'].map((type) => `_-x_(${type}): ${type}`),
  '_&&_(bool, bool): bool',
  '_||_(bool, bool): bool',
  '_?:_(bool, A, A): A',
  '_==_(A, A): bool',
  '_!=_(A, A): bool',
  '_in_(A, list<A>): bool',
  '_in_(A, map<A, B>): bool',
  '_[]_(list<A>, int): A',
  '_[]_(map<A, B>, A): B',
  '_[]_(optional<list<A>>, int): optional<A>',
  '_[]_(optional<map<A, B>>, A): optional<B>',
  '_[?]_(list<A>, int): optional<A>',
  '_[?]_(optional<list<A>>, int): optional<A>',
  '_[?]_(map<A, B>, A): optional<B>',
  '_[?]_(optional<map<A, B>>, A): optional<B>',
  ...['bytes', 'double', 'duration'].map((type) => `_+_(${type}, ${type}): ${type}`),
  '_+_(duration, timestamp): timestamp',
  '_+_(timestamp, duration): timestamp',
  ...['int', 'list<A>', 'string', 'uint'].map((type) => `_+_(${type}, ${type}): ${type}`),
  ...['double', 'duration', 'int'].map((type) => `_-_(${type}, ${type}): ${type}`),
  '_-_(timestamp, duration): timestamp',
  '_-_(timestamp, timestamp): duration',
  '_-_(uint, uint): uint',
  ...['*', '/'].flatMap((op) => ['double', 'int', 'uint'].map((type) => `_${op}_(${type}, ${type}): ${type}`)),
  ...['int', 'uint'].map((type) => `_%_(${type}, ${type}): ${type}`),
  ...['<', '<=', '>', '>='].flatMap((op) => COMPARED.map(([a, b]) => `_${op}_(${a}, ${b}): bool`)),
  'optional<A>.hasValue(): bool',
  'optional<A>.or(optional<A>): optional<A>',
  'optional<A>.orValue(A): A',
  ...[...NUMBERS, 'duration'].map((type) => `list<${type}>.sum(): ${type}`),
  ...ORDERED.flatMap((type) => [
    `list<${type}>.isSorted(): bool`,
    `list<${type}>.min(): ${type}`,
    `list<${type}>.max(): ${type}`,
    `list<${type}>.sort(): list<${type}>`,
  ]),
  ...ORDERED.map((type) => `list<A>.@sortByAssociatedKeys(list<${type}>): list<A>`),
  ...['str_indexOf', 'str_lastIndexOf'].flatMap((name) => [
    `list<A>.${name}(A): int`,
    `string.${name}(string): int`,
    `string.${name}(string, int): int`,
  ]),
  'list<A>.slice(int, int): list<A>',
  'list<A>.distinct(): list<A>',
  'list<A>.list_reverse(): list<A>',
  'list<A>.first(): optional<A>',
  'list<A>.last(): optional<A>',
  'list<optional<A>>.unwrapOpt(): list<A>',
  'OptionalNamespace.unwrap(list<optional<A>>): list<A>',
  ...['str_contains', 'equivalent', 'intersects'].map((name) => `namespace.sets.${name}(list<A>, list<A>): bool`),
  'string.str_contains(string): bool',
  'list<list<A>>.flatten(): list<A>',
  'list<dyn>.flatten(int): list<dyn>',
]
