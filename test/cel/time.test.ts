import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

test.each<[string, Json]>([
  ["timestamp('2024-02-29T23:59:59.123456789-05:30')", '2024-02-29T23:59:59.123456789-05:30'],
  ["timestamp('2024-02-29T23:59:59.120Z') + duration('1.5s')", '2024-03-01T00:00:00.62Z'],
  ["duration('1s') + timestamp(-1)", '1970-01-01T00:00:00Z'],
  ["timestamp('2024-01-01T00:00:00+02:00').getHours()", 22],
  ["timestamp('2024-01-01T00:00:00Z').getHours('Europe/Berlin')", 1],
  ["timestamp('2024-07-01T00:00:00Z').getHours('Europe/Berlin')", 2],
  ["timestamp('0001-01-01T00:00:00Z').getDayOfWeek()", 1],
  ["timestamp('2023-12-31T00:00:00Z').getDayOfYear()", 364],
  ["timestamp('2024-12-31T00:00:00Z').getDayOfYear()", 365],
  ["timestamp('1900-03-01T00:00:00Z') - timestamp('1900-02-28T00:00:00Z') == duration('24h')", true],
  ["timestamp('2000-03-01T00:00:00Z') - timestamp('2000-02-28T00:00:00Z') == duration('48h')", true],
  ["[duration('-1.5s').getSeconds(), duration('-90m').getHours()]", [-1, -1]],
  ["[string(duration('1ns')), string(duration('-0.5s'))]", ['0.000000001s', '-0.5s']],
  [
    'timestamp(object)',
    'error: "2024-02-30T00:00:00Z" is not a timestamp; write it as 2006-01-02T15:04:05Z in timestamp(object)',
  ],
  [
    "timestamp(0).getHours('europe/berlin')",
    'error: "europe/berlin" is no time zone in timestamp(0).getHours(\'europe/berlin\')',
  ],
])('%s', (source, expected) => expect(evaluate(source, '2024-02-30T00:00:00Z')).toEqual(expected))
