import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { CLEAN, NO_MORE, scoreIstioctlAnalyze } from '../../tools/conformance/istioctl-analyze.ts'
import { DEVIATIONS } from '../../tools/conformance/istioctl-deviations.ts'

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/istioctl-analyze')

describe.skipIf(!existsSync(CORPUS))('the rules agree with the analyzers of istioctl', () => {
  const score = existsSync(CORPUS) ? scoreIstioctlAnalyze(CORPUS) : undefined
  const counts = [...(score?.counts ?? [])]

  test('on at least 95 % of the messages that they stand for', () => {
    const messages = counts.filter(([question]) => question !== CLEAN && question !== NO_MORE)
    const [agreed, asked] = [messages.map(([, count]) => count.agreed), messages.map(([, count]) => count.asked)].map(
      sum,
    )
    expect(asked).toBeGreaterThanOrEqual(104)
    expect((agreed ?? 0) / (asked ?? 1)).toBeGreaterThanOrEqual(0.95)
  })

  test('on every clean case', () => {
    expect(score?.differences.filter(({ question }) => question === CLEAN)).toEqual([])
    expect(score?.counts.get(CLEAN)?.asked).toBeGreaterThanOrEqual(13)
  })

  test('but for differences that are explained, each explanation one that is needed', () => {
    expect(new Set(score?.differences.map(({ place }) => place))).toEqual(new Set(Object.keys(DEVIATIONS)))
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
