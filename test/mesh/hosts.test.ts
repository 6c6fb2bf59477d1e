import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { compareSpecificity, coveringPatterns, hostsOverlap, isCoveredBy, resolveHost } from '../../src/mesh/hosts.ts'
import { gatewayKey } from '../../src/mesh/indexes.ts'

describe('a host means what its object is', () => {
  test.each([
    ['reviews', 'a', 'reviews.a.svc.cluster.local'],
    ['Reviews', 'a', 'reviews.a.svc.cluster.local'],
    ['reviews.b', 'a', 'reviews.b'],
    ['*.b.svc.cluster.local', 'a', '*.b.svc.cluster.local'],
    ['*', 'a', '*'],
    ['10.0.0.5', 'a', '10.0.0.5'],
    ['2001:db8::1', 'a', '2001:db8::1'],
    ['', 'a', ''],
  ])('%s in %s is %s', (host, namespace, expected) => {
    expect(resolveHost(host, namespace)).toBe(expected)
  })
})

describe('a gateway means what its object is', () => {
  test.each([
    ['web', 'a', 'a/web'],
    ['b/web', 'a', 'b/web'],
    ['./web', 'a', 'a/web'],
    ['mesh', 'a', 'mesh'],
    ['web.b.svc.cluster.local', 'a', 'b/web'],
    ['web.b', 'a', 'b/web'],
  ])('%s in %s is %s', (name, namespace, expected) => {
    expect(gatewayKey(name, namespace)).toBe(expected)
  })
})

describe('overlap and cover', () => {
  test.each([
    ['foo.com', 'foo.com', true, true],
    ['foo.com', 'bar.com', false, false],
    ['foo.com', '*.com', true, true],
    ['*.com', 'foo.com', true, false],
    ['*.foo.com', 'foo.com', false, false],
    ['*', '*.com', true, false],
    ['*.foo.com', '*.com', true, true],
    ['a.b.foo.com', '*.foo.com', true, true],
  ])('%s and %s', (a, b, overlap, covered) => {
    expect(hostsOverlap(a, b)).toBe(overlap)
    expect(hostsOverlap(b, a)).toBe(overlap)
    expect(isCoveredBy(a, b)).toBe(covered)
  })

  const label = fc.constantFrom('a', 'b', 'foo', 'com')
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const host = fc.oneof(
    name,
    name.map((suffix) => `*.${suffix}`),
    fc.constant('*'),
  )

  test('the patterns that cover a host are those of which it is a part', () => {
    fc.assert(
      fc.property(host, fc.array(host, { maxLength: 8 }), (given, others) => {
        const patterns = new Set(coveringPatterns(given))
        expect(others.filter((other) => patterns.has(other))).toEqual(
          others.filter((other) => isCoveredBy(given, other)),
        )
      }),
    )
  })

  test('the first pattern that a map has is the most specific', () => {
    fc.assert(
      fc.property(host, fc.array(host, { minLength: 1, maxLength: 8 }), (given, others) => {
        const first = [...coveringPatterns(given)].find((pattern) => others.includes(pattern))
        const naive = others.filter((other) => isCoveredBy(given, other)).sort(compareSpecificity)[0]
        expect(first).toBe(naive)
      }),
    )
  })
})
