import { equal, type Json } from '../../src/kube/json.ts'

/** A question to which our answer is not that of the corpus. */
export interface Difference {
  readonly question: string
  /** The file and the place in its answers. */
  readonly place: string
  readonly expected: Json | undefined
  readonly actual: Json | undefined
  /** Why it is meant so; left out where nobody has said. */
  readonly reason?: string
}

/** How often we agree, by question. */
export interface Score {
  readonly title: string
  readonly counts: ReadonlyMap<string, { readonly agreed: number; readonly asked: number }>
  readonly differences: readonly Difference[]
}

/** Compares answers one by one. */
export interface Tally {
  compare(question: string, place: string, expected: Json | undefined, actual: Json | undefined): void
  score(): Score
}

/** A tally without answers. */
export function startTally(title: string): Tally {
  const counts = new Map<string, { agreed: number; asked: number }>()
  const differences: Difference[] = []
  return {
    compare(question, place, expected, actual) {
      const count = counts.get(question) ?? { agreed: 0, asked: 0 }
      counts.set(question, count)
      count.asked++
      if (equal(expected, actual)) count.agreed++
      else differences.push({ question, place, expected, actual })
    },
    score: () => ({ title, counts, differences }),
  }
}

/** The share of agreement in one question, 1 where it was never asked. */
export function agreement(score: Score, question: string): number {
  const count = score.counts.get(question)
  return count === undefined ? 1 : count.agreed / count.asked
}

/** The score as lines for a terminal; `shown` differences of each question. */
export function* formatScore(score: Score, shown: number): Generator<string> {
  yield score.title
  const width = Math.max(0, ...[...score.counts.keys()].map((question) => question.length))
  for (const [question, { agreed, asked }] of score.counts) {
    const percent = ((agreed / asked) * 100).toFixed(2).padStart(6)
    yield `  ${question.padEnd(width)}  ${percent} %  ${agreed} of ${asked}`
    for (const difference of score.differences.filter((each) => each.question === question).slice(0, shown)) {
      yield `    ${difference.place}`
      yield `      expected ${JSON.stringify(difference.expected)}`
      yield `      actual   ${JSON.stringify(difference.actual)}`
      if (difference.reason !== undefined) yield `      because  ${difference.reason}`
    }
  }
}
