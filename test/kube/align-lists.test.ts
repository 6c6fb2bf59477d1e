import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { alignLists, type ListStep } from '../../src/kube/align-lists.ts'

function short(step: ListStep): string {
  switch (step.kind) {
    case 'keep':
      return `${step.from}=${step.to}`
    case 'remove':
      return `-${step.from}`
    case 'insert':
      return `+${step.to}`
  }
}

describe('aligning lists', () => {
  test.each<readonly [before: string, after: string, steps: string]>([
    ['abc', 'abc', '0=0 1=1 2=2'],
    ['abc', 'ac', '0=0 -1 2=1'],
    ['ac', 'abc', '0=0 +1 1=2'],
    ['abcde', 'ace', '0=0 -1 2=1 -3 4=2'],
    ['abc', 'axc', '0=0 1=1 2=2'],
    ['', 'ab', '+0 +1'],
    ['ab', '', '-0 -1'],
    ['ab', 'ba', '-0 1=0 +1'],
  ])('%s becomes %s by %s', (before, after, steps) => {
    expect(alignLists(before.split(''), after.split('')).map(short).join(' ')).toBe(steps)
  })

  test('every item of both lists is met once and in order, and equal ones are not changed without need', () => {
    const list = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 })
    fc.assert(
      fc.property(list, list, (before, after) => {
        const steps = alignLists(before, after)
        expect(steps.flatMap((step) => (step.kind === 'insert' ? [] : [step.from]))).toStrictEqual([...before.keys()])
        expect(steps.flatMap((step) => (step.kind === 'remove' ? [] : [step.to]))).toStrictEqual([...after.keys()])
        const unchanged = steps.filter((step) => step.kind === 'keep' && before[step.from] === after[step.to]).length
        expect(unchanged).toBe(longestCommon(before, after))
      }),
      { numRuns: 500 },
    )
  })

  test('very long lists are aligned in no time, item by item', () => {
    const before = Array.from({ length: 20_000 }, (_, i) => i)
    const after = before.map((i) => -i - 1)
    expect(alignLists(before, after)).toHaveLength(20_000)
  })
})

/** The length of the longest common subsequence, by trying everything. */
function longestCommon(a: readonly string[], b: readonly string[], memo = new Map<string, number>()): number {
  const key = `${a.length}/${b.length}`
  const known = memo.get(key)
  if (known !== undefined) return known
  const [headA, ...restA] = a
  const [headB, ...restB] = b
  let best = 0
  if (headA !== undefined && headB !== undefined) {
    best =
      headA === headB
        ? 1 + longestCommon(restA, restB, memo)
        : Math.max(longestCommon(restA, b, memo), longestCommon(a, restB, memo))
  }
  memo.set(key, best)
  return best
}
