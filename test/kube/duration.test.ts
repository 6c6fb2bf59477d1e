import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatDuration, parseDuration } from '../../src/kube/duration.ts'

describe('a duration is read as Go reads it', () => {
  test.each([
    ['0', 0n],
    ['0s', 0n],
    ['1ns', 1n],
    ['1us', 1_000n],
    ['1µs', 1_000n],
    ['1μs', 1_000n],
    ['1.5ms', 1_500_000n],
    ['.5s', 500_000_000n],
    ['5.s', 5_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['1h0m0.000000001s', 3_600_000_000_001n],
    ['-1.5h', -5_400_000_000_000n],
    ['+3s', 3_000_000_000n],
    ['1.0000000009s', 1_000_000_000n],
    ['9223372036854775807ns', 9_223_372_036_854_775_807n],
    ['-9223372036854775808ns', -9_223_372_036_854_775_808n],
  ])('%s', (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds)
  })
})

describe('what Go refuses is undefined', () => {
  test.each(['', '15', '1d', 's', '.s', '-', '1 s', '1s ', '1e3s', '1s2', '0x1s', '--1s', '9223372036854775808ns'])(
    '"%s"',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  test.each([null, 15, true, {}, ['1s']])('%j, which is no text', (value) => {
    expect(parseDuration(value)).toBeUndefined()
  })
})

describe('a duration is written as Go writes it', () => {
  test.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_500n, '1.5µs'],
    [2_000_000n, '2ms'],
    [1_000_000_001n, '1.000000001s'],
    [60_000_000_000n, '1m0s'],
    [150_500_000_000n, '2m30.5s'],
    [360_000_000_000_000n, '100h0m0s'],
    [-90_000_000_000n, '-1m30s'],
  ])('%s ns is %s', (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text)
  })
})

test('what is written is read as what it was', () => {
  const durations = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  const readsBack = (duration: bigint): boolean => parseDuration(formatDuration(duration)) === duration
  fc.assert(fc.property(durations, readsBack))
})
