import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import { expect, test } from 'vitest'

import { casesOf, run, type Outcome } from './cel-spec.ts'

// docs/cel.md shows these numbers, and says why cases fail.
test('as many cases of cel-spec pass as the documentation says', { timeout: 120_000 }, () => {
  const counts: Record<string, Record<Outcome, number>> = {}
  for (const [section, original] of casesOf(tests)) {
    const count = (counts[section] ??= { passed: 0, failed: 0, 'not ours': 0 })
    count[run(original)] += 1
  }
  const table = Object.entries(counts).map(
    ([section, { passed, failed, 'not ours': other }]) => `${section} ${passed} ${failed} ${other}`,
  )
  expect(table).toEqual([
    'basic 38 1 4',
    'comparisons 307 1 98',
    'conversions 108 0 1',
    'fields 36 11 13',
    'fp_math 29 0 1',
    'integer_math 61 0 3',
    'lists 39 0 0',
    'logic 21 0 9',
    'macros 44 0 0',
    'macros2 46 0 0',
    'namespace 0 1 2',
    'optionals 56 3 11',
    'parse 175 0 44',
    'plumbing 4 0 1',
    'string 51 0 0',
    'string_ext 150 15 44',
    'timestamps 75 0 1',
  ])
})
