import { Optional } from '@marcbachmann/cel-js'

import { MessageValue } from '../message-value.ts'
import type { Runtime } from '../runtime.ts'
import { FunctionError, type Library } from './library.ts'
import {
  boundName,
  defineMacro,
  type Checker,
  type Evaluator,
  type Expansion,
  type MacroCall,
  type Scope,
  type TypeOf,
} from './macro.ts'

/**
 * What the engine lacks of optionals: `optional.ofNonZeroValue`, `optMap`, `optFlatMap`.
 * Source: cel-go `cel/library.go`, OptionalTypes.
 */
export const optionalsLibrary: Library = {
  register(environment, runtime) {
    environment.registerFunction(
      'OptionalNamespace.ofNonZeroValue(A): optional<A>',
      (_: unknown, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
      { async: false },
    )
    defineMacro(environment, 'optional.optMap(ast, ast): optional<dyn>', (call) => new Mapping(call, 'map', runtime))
    defineMacro(
      environment,
      'optional.optFlatMap(ast, ast): optional<dyn>',
      (call) => new Mapping(call, 'flatMap', runtime),
    )
  },
}

class Mapping implements Expansion {
  private readonly call: MacroCall
  private readonly runtime: Runtime
  private readonly kind: 'map' | 'flatMap'
  private scope: Scope | undefined

  constructor(call: MacroCall, kind: 'map' | 'flatMap', runtime: Runtime) {
    this.runtime = runtime
    this.call = call
    this.kind = kind
  }

  check(checker: Checker, scope: Scope): TypeOf {
    const type = checker.check(this.call.receiver, scope)
    const inner = type.kind === 'optional' ? (type.valueType ?? checker.getType('dyn')) : checker.getType('dyn')
    if (type.kind !== 'optional' && type.kind !== 'dyn') {
      throw checker.createError('optional_expected', `${type.name} is not optional`, this.call.receiver)
    }
    const [name, body = this.call.ast] = this.call.args
    this.scope = scope.forkWithVariable(boundName(checker, name, this.call.ast), inner)
    const result = checker.check(body, this.scope)
    return this.kind === 'map' ? checker.getType(`optional<${result.name}>`) : result
  }

  run(evaluator: Evaluator, scope: Scope): unknown {
    const before = this.runtime.spent
    const optional = evaluator.run(this.call.receiver, scope)
    if (!(optional instanceof Optional)) throw new FunctionError('the receiver is not optional')
    const [, body = this.call.ast] = this.call.args
    if (optional.hasValue()) this.runtime.spend(this.runtime.spent - before)
    // The calls of value(), of optional.of() and of optional.none() that it stands for.
    this.runtime.spend(optional.hasValue() && this.kind === 'map' ? 2 : 1)
    if (!optional.hasValue() || this.scope === undefined) return Optional.none()
    const result = evaluator.run(body, this.scope.reuse(scope).setIterValue(optional.value(), evaluator))
    return this.kind === 'map' ? Optional.of(result) : result
  }
}

/** The default value of its type, by cel-go `common/types/traits`, Zeroer. */
function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  if (value instanceof MessageValue) return value.fields.size === 0
  return value instanceof Map && value.size === 0
}
