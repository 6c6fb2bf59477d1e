/**
 * What steps of macros cost beside their own parts, as cel-go expands them: the test whether to go on, the value so far,
 * and the list or number that it becomes. Source: cel-go `parser/macro.go`, `ext/comprehensions.go`.
 */
export const STEP = {
  allTest: 2,
  existsTest: 3,
  quantified: 1,
  counted: 2,
  listed: 12,
  filtered: 13,
  inserted: 3,
  merged: 2,
} as const
