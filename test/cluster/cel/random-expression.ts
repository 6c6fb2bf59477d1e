import {
  array,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  oneof,
  record,
  tuple,
  type Arbitrary,
} from 'fast-check'

import type { JsonObject } from '../../../src/kube/json.ts'
import { GRAMMAR as TYPED_GRAMMAR } from './random-grammar.ts'
import { LIBRARY_GRAMMAR } from './random-library-grammar.ts'
import { LOOSE_GRAMMAR } from './random-loose-grammar.ts'

const GRAMMAR = { ...TYPED_GRAMMAR, ...LIBRARY_GRAMMAR, ...LOOSE_GRAMMAR }

const DEPTH = 4

// The API server keeps 4 KiB of warnings of one request.
const LONGEST = 200

/** Expressions that give a bool, over objects as `randomSpec` makes them; of one in five the types are found out. */
export const randomExpression: Arbitrary<string> = oneof(
  { arbitrary: expressionOf('bool', DEPTH), weight: 3 },
  { arbitrary: expressionOf('library', DEPTH), weight: 1 },
  { arbitrary: expressionOf('loose', DEPTH), weight: 1 },
).filter((source) => source.length <= LONGEST)

/** The objects that random expressions read; each member may be missing or of another type than is expected of it. */
export const randomSpec: Arbitrary<JsonObject> = record(
  {
    b: oneof(boolean(), constantFrom<null | string>(null, 'true')),
    i: oneof(integer({ min: -3, max: 100 }), constantFrom(0.5, '7')),
    d: constantFrom(0.25, -1.5, 3, 1e15),
    s: oneof(text(), constant(null)),
    ls: array(text(), { maxLength: 4 }),
    li: array(integer({ min: -2, max: 90 }), { maxLength: 4 }),
    m: dictionary(constantFrom('a', 'b', 'constructor'), text()),
    mi: dictionary(constantFrom('a', 'b'), integer({ min: -2, max: 9 })),
    lm: array(randomEntry(), { maxLength: 3 }),
    dur: constantFrom('15s', '0.5s', '-1m', '1h0m0.000001s', '5', '24h'),
    q: constantFrom('1', '-100m', '1.5Gi', '0.5', '1e-3', '3Ki', 'x'),
    ip: constantFrom('10.1.2.3', 'fd00::1', '127.0.0.1', '1.2.3', '169.254.0.1'),
    cidr: constantFrom('10.1.0.0/16', '::1/128', 'fd00::1/64', '10.0.0.0'),
  },
  { requiredKeys: [], noNullPrototype: true },
)

function randomEntry(): Arbitrary<JsonObject> {
  return record(
    { name: text(), port: constantFrom(80, 443, 8080), tags: array(text(), { maxLength: 2 }) },
    { requiredKeys: ['name'], noNullPrototype: true },
  )
}

function text(): Arbitrary<string> {
  return constantFrom('', 'a', 'b', 'abc', 'é', '😀a', '15s', '12', ' a ', 'A-b', '10.0.0.1')
}

function expressionOf(type: keyof typeof GRAMMAR, depth: number): Arbitrary<string> {
  const { leaves, templates } = GRAMMAR[type]
  const leaf = constantFrom<string>(...leaves)
  if (depth === 0 || templates.length === 0) return leaf
  const filled = constantFrom<string>(...templates).chain((template) => fill(template, depth - 1))
  return oneof({ arbitrary: leaf, weight: DEPTH - depth }, { arbitrary: filled, weight: depth })
}

function fill(template: string, depth: number): Arbitrary<string> {
  const parts = template
    .split(/@(\w+)/)
    .map((part, index) => (index % 2 === 0 || !isType(part) ? constant(part) : expressionOf(part, depth)))
  return tuple(...parts).map((texts) => texts.join(''))
}

function isType(name: string): name is keyof typeof GRAMMAR {
  return Object.hasOwn(GRAMMAR, name)
}
