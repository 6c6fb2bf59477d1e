import { expect, test } from 'vitest'

import { shortExpression } from '../../src/reports/short-expression.ts'

test.each([
  ['an expression of 200 characters is shown whole', 'a'.repeat(200), 'a'.repeat(200)],
  ['a longer one ends after its last whole word', `${'has(a) && '.repeat(20)}b`, `${'has(a) && '.repeat(19)}has(a) …`],
  ['one without spaces ends where the room does', 'a'.repeat(201), `${'a'.repeat(199)}…`],
])('%s', (_, expression, shown) => {
  expect(shortExpression(expression)).toBe(shown)
})
