import { assert, constantFrom, letrec, oneof, property, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createInference } from '../../../src/cel/check/inference.ts'
import { DYN, parseType, sameType, showType, type Type } from '../../../src/cel/check/type.ts'

/** Types as CEL spells them, without parameters. */
const types = letrec<{ type: string }>((tie) => ({
  type: oneof(
    { maxDepth: 3, withCrossShrink: true },
    constantFrom('int', 'uint', 'double', 'string', 'bool', 'bytes', 'null', 'duration', 'timestamp', 'dyn'),
    constantFrom('kubernetes.Quantity', 'net.IP'),
    tie('type').map((item) => `list<${item}>`),
    tie('type').map((item) => `optional<${item}>`),
    tuple(tie('type'), tie('type')).map(([key, value]) => `map<${key}, ${value}>`),
  ),
})).type

describe('what may stand where', () => {
  test('a type is read as it is shown', () => {
    assert(property(types, (text) => showType(parseType(text)) === text))
  })

  test('every type for itself, for dyn, and dyn for it', () => {
    assert(
      property(types.map(parseType), (type) => {
        const inference = createInference('as typed')
        return inference.assign(type, type) && inference.assign(type, DYN) && inference.assign(DYN, type)
      }),
    )
  })

  test('a parameter stands for what it meets first, and for what goes with that', () => {
    assert(
      property(types.map(parseType), types.map(parseType), (first, second) => {
        const inference = createInference('as typed')
        const parameter = inference.fresh()
        expect(inference.assign(first, parameter)).toBe(true)
        expect(sameType(inference.resolve(parameter), first)).toBe(true)
        return inference.assign(second, parameter) === createInference('as typed').assign(second, first)
      }),
    )
  })

  test('what two types have in common takes both, in whatever order', () => {
    assert(
      property(types.map(parseType), types.map(parseType), (a, b) => {
        const [left, right] = [createInference('as typed').join(a, b), createInference('as typed').join(b, a)]
        if (left === undefined || right === undefined) return left === right
        const takes = (type: Type): boolean => createInference('as typed').assign(type, left)
        return takes(a) && takes(b)
      }),
    )
  })

  test('what does not go together leaves no trace', () => {
    const inference = createInference('as typed')
    const parameter = inference.fresh()
    expect(inference.assignAll([parseType('int'), parseType('string')], [parameter, parameter])).toBe(false)
    expect(inference.resolve(parameter)).toBe(parameter)
    expect(inference.assignAll([parseType('int'), parseType('dyn')], [parameter, parameter])).toBe(true)
    expect(inference.resolve(parameter)).toEqual(DYN)
  })

  test('a list of itself is no type', () => {
    const inference = createInference('as typed')
    const parameter = inference.fresh()
    expect(inference.assign({ kind: 'list', item: parameter }, parameter)).toBe(false)
  })

  test('null goes for what is no scalar, and for all where it may stand anywhere', () => {
    const nulls = (type: string) =>
      (['as typed', 'anywhere'] as const).map((kind) =>
        createInference(kind).assign(parseType('null'), parseType(type)),
      )
    expect(['string', 'list<int>', 'map<int, int>', 'duration', 'net.IP', 'optional<int>', 'null'].map(nulls)).toEqual([
      [false, true],
      [false, true],
      [false, true],
      [true, true],
      [true, true],
      [true, true],
      [true, true],
    ])
  })
})
