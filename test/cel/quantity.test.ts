import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

test.each<[string, Json]>([
  ["quantity('1.5Gi').isInteger()", false],
  ["quantity('1Gi').asInteger()", 1_073_741_824],
  ["quantity('1.5Gi') == quantity('1610612736')", true],
  ["quantity('1').add(1) == quantity('2')", true],
  ["quantity('2') != quantity('1').add(1)", true],
  ["quantity('0.0000000001') == quantity('1n') && quantity('-0.0000000001') == quantity('-1n')", true],
  ["['u', '-', '.5', '1E', '1.Gi', '1e+3'].all(text, isQuantity(text))", true],
  ["['', '1e', '1ei', '1_0', ' 1', '1 Gi', 'x'].exists(text, isQuantity(text))", false],
  ["quantity('1e999999999').isGreaterThan(quantity('9e999999998'))", true],
  [
    "quantity('2') == quantity('1').add(1)",
    "error: a computed quantity cannot stand behind ==; use compareTo in quantity('2') == quantity('1').add(1)",
  ],
])('%s', (source, expected) => expect(evaluate(source)).toEqual(expected))
