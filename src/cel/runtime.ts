import type { CostBudget } from './types.ts'

/** Thrown when an expression has used up its units. One object for all: nobody reads its stack, and it may be thrown often. */
export class CostExceeded extends Error {
  override readonly name = 'CostExceeded'
}

const EXCEEDED = new CostExceeded('the expression costs more than it may')

/** A unit of work takes some ten nanoseconds: an evaluation ends within a tenth of a second. */
const MOST_WORK = 1_000_000

function exceed(evaluation: Evaluation): never {
  evaluation.exceeded = true
  throw EXCEEDED
}

/**
 * What one evaluation may use and has used, and what host functions see. Evaluation is synchronous, so the functions
 * registered with the engine find the running evaluation here.
 */
export interface Evaluation {
  readonly host: unknown
  readonly budget: CostBudget
  /** Units that this call may take. */
  readonly allowed: number
  /** Units left of it. */
  left: number
  /** Steps and sizes that may still be worked through, whatever they cost. */
  work: number
  exceeded: boolean
  /** An error that no `||` or `&&` makes up for. */
  failure: { readonly error: unknown } | undefined
}

/** What work is counted by; throws when there is too much of it. */
export type Work = Pick<Runtime, 'charge'>

/** Holds the evaluation that is running; one may run inside another, as a lazily evaluated variable does. */
export class Runtime {
  private running: Evaluation | undefined

  get host(): unknown {
    return this.running?.host
  }

  /** True once the running evaluation has used up its units. */
  get exceeded(): boolean {
    return this.running?.exceeded ?? false
  }

  /** Units of cost that the running evaluation has taken. */
  get spent(): number {
    return this.running === undefined ? 0 : this.running.allowed - this.running.left
  }

  /** Takes units of cost, as an API server counts them; throws when there are none left. */
  spend(units: number): void {
    const evaluation = this.running
    if (evaluation === undefined) return
    evaluation.left -= units
    if (evaluation.left < 0) exceed(evaluation)
  }

  /** Counts work that costs little there and time or memory here; throws when it is too much. */
  charge(units: number): void {
    const evaluation = this.running
    if (evaluation === undefined) return
    evaluation.work -= units
    if (evaluation.work < 0) exceed(evaluation)
  }

  /** Makes an error the end of the evaluation that is running, whatever is made of it further on. */
  fail(error: unknown): void {
    if (this.running !== undefined) this.running.failure ??= { error }
  }

  /** Runs `body` as an evaluation on this budget. Returns what it returns, whether its units sufficed, and what it ended with nevertheless. */
  run<T>(
    host: unknown,
    budget: CostBudget,
    body: () => T,
  ): { readonly value: T } & Readonly<Pick<Evaluation, 'exceeded' | 'failure'>> {
    const outer = this.running
    const allowed = Math.min(budget.perCall, budget.remaining)
    const evaluation: Evaluation = {
      host,
      budget,
      allowed,
      left: allowed,
      work: MOST_WORK,
      exceeded: false,
      failure: undefined,
    }
    this.running = evaluation
    try {
      const value = body()
      const { exceeded, failure } = evaluation
      return { value, exceeded, failure }
    } finally {
      this.running = outer
      budget.remaining -= allowed - Math.max(evaluation.left, 0)
    }
  }
}
