import { countNodes } from '../ast.ts'
import { STEP } from '../cost/step-cost.ts'
import type { Runtime } from '../runtime.ts'
import { FunctionError, type Library } from './library.ts'
import { sortBy } from './lists.ts'
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

/** `list.sortBy(x, key)`: the items in the order of their keys. Source: cel-go `ext/lists.go`, sortByMacro. */
export const sortByLibrary: Library = {
  register(environment, runtime) {
    defineMacro(environment, 'list.sortBy(ast, ast): list<dyn>', (call) => new SortBy(call, runtime))
  },
}

class SortBy implements Expansion {
  private readonly call: MacroCall
  private readonly runtime: Runtime
  private scope: Scope | undefined

  constructor(call: MacroCall, runtime: Runtime) {
    this.call = call
    this.runtime = runtime
  }

  check(checker: Checker, scope: Scope): TypeOf {
    const type = checker.check(this.call.receiver, scope)
    const [name, key = this.call.ast] = this.call.args
    this.scope = scope.forkWithVariable(
      boundName(checker, name, this.call.ast),
      type.kind === 'list' ? (type.valueType ?? checker.getType('dyn')) : checker.getType('dyn'),
    )
    checker.check(key, this.scope)
    return checker.getType('list<dyn>')
  }

  run(evaluator: Evaluator, scope: Scope): unknown {
    const list = evaluator.run(this.call.receiver, scope)
    const [, key = this.call.ast] = this.call.args
    if (!Array.isArray(list)) throw new FunctionError('only a list can be sorted')
    const items: readonly unknown[] = list
    const units = 1 + countNodes(key)
    const keys = items.map((item) => {
      this.runtime.charge(units)
      this.runtime.spend(STEP.listed)
      return this.scope === undefined ? item : evaluator.run(key, this.scope.reuse(scope).setIterValue(item, evaluator))
    })
    return sortBy(items, keys, this.runtime)
  }
}
