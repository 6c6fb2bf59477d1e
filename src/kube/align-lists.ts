import { equal, type Json } from './json.ts'

/** One step of turning a list into another: an old item that stays, as it is or changed, one that goes, one that comes. */
export type ListStep =
  | { readonly kind: 'keep'; readonly from: number; readonly to: number }
  | { readonly kind: 'remove'; readonly from: number }
  | { readonly kind: 'insert'; readonly to: number }

/** Beyond this many comparisons equal items are no longer looked for out of order. */
const MOST_COMPARISONS = 250_000

/**
 * How one list becomes another with as many items left in place as possible: equal items are paired first, then the
 * ones between them in order. Steps come in the order of the lists.
 */
export function alignLists(before: readonly Json[], after: readonly Json[]): readonly ListStep[] {
  const steps: ListStep[] = []
  let from = 0
  let to = 0
  for (const pair of [...commonItems(before, after), { from: before.length, to: after.length }]) {
    while (from < pair.from && to < pair.to) steps.push({ kind: 'keep', from: from++, to: to++ })
    while (from < pair.from) steps.push({ kind: 'remove', from: from++ })
    while (to < pair.to) steps.push({ kind: 'insert', to: to++ })
    if (from < before.length && to < after.length) steps.push({ kind: 'keep', from: from++, to: to++ })
  }
  return steps
}

interface Pair {
  readonly from: number
  readonly to: number
}

/** The longest common subsequence, by the textbook table over what lies between common ends. */
function commonItems(before: readonly Json[], after: readonly Json[]): readonly Pair[] {
  const pairs: Pair[] = []
  let start = 0
  while (start < before.length && start < after.length && equal(before[start], after[start])) {
    pairs.push({ from: start, to: start })
    start += 1
  }
  const rows = before.length - start
  const columns = after.length - start
  if (rows * columns > MOST_COMPARISONS) return pairs
  const lengths = Array.from({ length: rows + 1 }, () => new Uint32Array(columns + 1))
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0
  const same = (row: number, column: number): boolean => equal(before[start + row], after[start + column])
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      const longest = same(row, column)
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
      lengths[row]?.fill(longest, column, column + 1)
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns;) {
    if (same(row, column)) pairs.push({ from: start + row++, to: start + column++ })
    else if (at(row + 1, column) >= at(row, column + 1)) row += 1
    else column += 1
  }
  return pairs
}
