import { EvaluationError, type ASTNode, type Environment } from '@marcbachmann/cel-js'

import type { Runtime } from '../runtime.ts'

/**
 * One library of functions. `replaces` maps names of functions that the engine has, but with other semantics, to the
 * names under which this library has them: calls are renamed before they are checked.
 */
export interface Library {
  readonly replaces?: Readonly<Record<string, string>>
  readonly register: (environment: Environment, runtime: Runtime) => void
}

/**
 * Thrown by functions of a library; the message is what the person who wrote the expression reads. The engine adds the
 * place of the call.
 */
export class FunctionError extends EvaluationError {}

/** Errors of functions that `body` calls are those of the node. */
export function errorsAt<T>(node: ASTNode, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof FunctionError) error.withAst(node)
    throw error
  }
}

/** Units for touching this many characters: Kubernetes charges a tenth each. */
export function sizeCost(length: number): number {
  return Math.ceil(length / 10)
}
