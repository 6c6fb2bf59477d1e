import { expect, test } from 'vitest'

import { requestTimeout } from '../../src/webhook/request-timeout.ts'

test.each([
  ['/validate?timeout=3s', 3000],
  ['/validate?timeout=30s', 30_000],
  ['/validate?x=1&timeout=1m30s', 30_000],
  ['/validate?timeout=1.5s&x=1', 1500],
  ['/validate?timeout=250ms', 250],
  ['/validate?timeout=1s500ms', 1500],
  ['/validate', 10_000],
  ['/validate?timeout=', 10_000],
  ['/validate?timeout=0s', 10_000],
  ['/validate?timeout=-3s', 10_000],
  ['/validate?timeout=soon', 10_000],
  ['/validate?timeouts=3s', 10_000],
  ['/timeout=3s', 10_000],
])('%s is %i ms', (url, milliseconds) => {
  expect(requestTimeout(url)).toBe(milliseconds)
})
