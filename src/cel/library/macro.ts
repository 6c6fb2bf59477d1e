import type { ASTNode, Environment } from '@marcbachmann/cel-js'

import { errorsAt } from './library.ts'

/** The parts of the engine that a macro works with; its types do not declare them. */
export interface Checker {
  check(node: ASTNode, scope: Scope): TypeOf
  getType(name: string): TypeOf
  createError(code: string, message: string, node: ASTNode): Error
}

export interface Evaluator {
  run(node: ASTNode, scope: Scope): unknown
}

/** A scope of names; a fork has one more. While it is evaluated it is placed in the outer scope, then given values. */
export interface Scope {
  forkWithVariable(name: string, type: TypeOf): Scope
  reuse(outer: Scope): Scope
  setIterValue(value: unknown, evaluator: Evaluator): Scope
}

export interface TypeOf {
  readonly kind: string
  readonly name: string
  readonly keyType?: TypeOf
  readonly valueType?: TypeOf
}

/** How a node is checked and evaluated, in place of the engine's own ways. */
export interface Replacement {
  readonly async: false
  typeCheck(checker: Checker, _: unknown, scope: Scope): TypeOf
  evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown
}

export interface MacroCall {
  readonly ast: ASTNode
  readonly receiver: ASTNode
  readonly args: readonly ASTNode[]
}

/** What a macro makes of one call: `check` gives its type, `run` its value. */
export interface Expansion {
  check(checker: Checker, scope: Scope): TypeOf
  run(evaluator: Evaluator, scope: Scope): unknown
}

/** Registers a macro with this signature, its parameters all `ast`. */
export function defineMacro(environment: Environment, signature: string, expand: (call: MacroCall) => Expansion): void {
  environment.registerFunction(
    signature,
    (call: MacroCall) => {
      const expansion = expand(call)
      return {
        async: false,
        typeCheck: (checker: Checker, _: unknown, scope: Scope) => expansion.check(checker, scope),
        evaluate: (evaluator: Evaluator, _: unknown, scope: Scope) =>
          errorsAt(call.ast, () => expansion.run(evaluator, scope)),
      }
    },
    { async: false },
  )
}

/** The name that a macro binds; anything but a plain name is an error where it stands. */
export function boundName(checker: Checker, node: ASTNode | undefined, of: ASTNode): string {
  if (node?.op === 'id') return node.args
  throw checker.createError('invalid_macro_argument', 'the argument must be a simple name', node ?? of)
}
