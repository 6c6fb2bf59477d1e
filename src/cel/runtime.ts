import type { CostBudget } from './types.ts'

/** Thrown when an expression has used up its units. One object for all: nobody reads its stack, and it may be thrown often. */
export class CostExceeded extends Error {
  override readonly name = 'CostExceeded'
}

const EXCEEDED = new CostExceeded('the expression costs more than it may')

/**
 * What one evaluation may use and has used, and what host functions see. Evaluation is synchronous, so the functions
 * registered with the engine find the running evaluation here.
 */
export interface Evaluation {
  readonly host: unknown
  readonly budget: CostBudget
  /** Units left of this call. */
  left: number
  exceeded: boolean
}

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

  /** Takes units; throws when there are none left. */
  charge(units: number): void {
    const evaluation = this.running
    if (evaluation === undefined) return
    evaluation.left -= units
    if (evaluation.left >= 0) return
    evaluation.exceeded = true
    throw EXCEEDED
  }

  /** Runs `body` as an evaluation on this budget. Returns what it returns, and whether its units sufficed. */
  run<T>(host: unknown, budget: CostBudget, body: () => T): { readonly value: T; readonly exceeded: boolean } {
    const outer = this.running
    const allowed = Math.min(budget.perCall, budget.remaining)
    const evaluation: Evaluation = { host, budget, left: allowed, exceeded: false }
    this.running = evaluation
    try {
      const value = body()
      return { value, exceeded: evaluation.exceeded }
    } finally {
      this.running = outer
      budget.remaining -= allowed - Math.max(evaluation.left, 0)
    }
  }
}
