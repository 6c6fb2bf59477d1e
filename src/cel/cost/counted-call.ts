import type { ASTNode } from '@marcbachmann/cel-js'

import type { Evaluator } from '../engine-nodes.ts'
import type { Runtime } from '../runtime.ts'

/** A call whose cost depends on its values. */
export interface CountedCall {
  readonly parts: readonly ASTNode[]
  readonly runtime: Runtime
  readonly call: (args: readonly unknown[], evaluator: Evaluator) => unknown
  /** Is it not made, nor the rest of its parts looked at, when a part fails? Else what failed is `undefined`. */
  readonly endsAtFailure: boolean
  /** Units that it costs beside its parts. */
  readonly cost: (args: readonly unknown[], result: unknown) => number
}

/**
 * Makes a call and takes what it costs, when it fails too. Throws what failed first.
 * Source: cel-go `interpreter/interpretable.go` evalUnary, evalBinary, evalVarArgs.
 */
export function countCall(counted: CountedCall, evaluator: Evaluator, context: unknown): unknown {
  const { parts, runtime, call, cost } = counted
  const args: unknown[] = []
  let result: unknown
  try {
    for (const part of parts) args.push(evaluator.run(part, context))
    result = call(args, evaluator)
  } catch (error) {
    if (runtime.exceeded) throw error
    const rest = parts.slice(args.length + 1)
    if (rest.length > 0 && counted.endsAtFailure) throw error
    const values = rest.map((part) => valueIfAny(part, counted, evaluator, context))
    runtime.spend(cost([...args, undefined, ...values], undefined))
    throw error
  }
  runtime.spend(cost(args, result))
  return result
}

function valueIfAny(part: ASTNode, { runtime }: CountedCall, evaluator: Evaluator, context: unknown): unknown {
  try {
    return evaluator.run(part, context)
  } catch (error) {
    if (runtime.exceeded) throw error
    return undefined
  }
}
