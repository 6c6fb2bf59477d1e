import type { ASTNode } from '@marcbachmann/cel-js'

import { countNodes } from '../ast.ts'
import { sizeOf } from '../cost/call-cost.ts'
import { STEP } from '../cost/step-cost.ts'
import type { Runtime } from '../runtime.ts'
import { nameOf } from '../operators.ts'
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
 * Macros over index and item of a list, or key and value of a map: `all exists existsOne transformList transformMap
 * transformMapEntry`. Source: cel-go `ext/comprehensions.go`, in Kubernetes since 1.33.
 */
export const twoVariablesLibrary: Library = {
  register(environment, runtime) {
    for (const receiver of ['list', 'map']) {
      const define = (name: string, args: number, result: string, kind: Kind): void => {
        const parameters = Array.from({ length: args }, () => 'ast').join(', ')
        defineMacro(
          environment,
          `${receiver}.${name}(${parameters}): ${result}`,
          (call) => new Loop(call, kind, runtime),
        )
      }
      define('all', 3, 'bool', 'all')
      define('exists', 3, 'bool', 'exists')
      define('existsOne', 3, 'bool', 'existsOne')
      define('exists_one', 3, 'bool', 'existsOne')
      for (const args of [3, 4]) {
        define('transformList', args, 'list<dyn>', 'transformList')
        define('transformMap', args, 'map<dyn, dyn>', 'transformMap')
        define('transformMapEntry', args, 'map<dyn, dyn>', 'transformMapEntry')
      }
    }
  },
}

/** What a step costs whose result is kept. */
const UNITS: Readonly<Record<Kind, number>> = {
  all: 0,
  exists: 0,
  existsOne: STEP.counted,
  transformList: STEP.listed,
  transformMap: STEP.inserted,
  transformMapEntry: STEP.merged,
}

type Kind = 'all' | 'exists' | 'existsOne' | 'transformList' | 'transformMap' | 'transformMapEntry'

class Loop implements Expansion {
  private readonly call: MacroCall
  private readonly kind: Kind
  private readonly runtime: Runtime
  private readonly filter: ASTNode | undefined
  private readonly body: ASTNode
  private readonly units: number
  private outer: Scope | undefined
  private inner: Scope | undefined

  constructor(call: MacroCall, kind: Kind, runtime: Runtime) {
    this.call = call
    this.kind = kind
    this.runtime = runtime
    this.filter = call.args.length === 4 ? call.args[2] : undefined
    this.body = call.args.at(-1) ?? call.ast
    this.units = 1 + countNodes(this.body) + (this.filter === undefined ? 0 : countNodes(this.filter))
  }

  check(checker: Checker, scope: Scope): TypeOf {
    const dyn = checker.getType('dyn')
    const range = checker.check(this.call.receiver, scope)
    if (range.kind !== 'list' && range.kind !== 'map' && range.kind !== 'dyn') {
      throw checker.createError(
        'invalid_comprehension_range',
        `${range.name} is neither a list nor a map`,
        this.call.receiver,
      )
    }
    const first = range.kind === 'list' ? checker.getType('int') : (range.keyType ?? dyn)
    this.outer = scope.forkWithVariable(boundName(checker, this.call.args[0], this.call.ast), first)
    this.inner = this.outer.forkWithVariable(
      boundName(checker, this.call.args[1], this.call.ast),
      range.valueType ?? dyn,
    )
    if (this.filter !== undefined) this.needBool(checker, this.filter)
    const type = checker.check(this.body, this.inner)
    switch (this.kind) {
      case 'all':
      case 'exists':
      case 'existsOne':
        this.needBool(checker, this.body)
        return checker.getType('bool')
      case 'transformList':
        return checker.getType(`list<${type.name}>`)
      case 'transformMap':
        return checker.getType(`map<${first.name}, ${type.name}>`)
      case 'transformMapEntry':
        return type
    }
  }

  run(evaluator: Evaluator, scope: Scope): unknown {
    const range = evaluator.run(this.call.receiver, scope)
    this.runtime.charge(sizeOf(range))
    const items = entriesOf(range)
    switch (this.kind) {
      case 'all':
        return this.quantify(evaluator, scope, items, false)
      case 'exists':
        return this.quantify(evaluator, scope, items, true)
      case 'existsOne':
        return this.results(evaluator, scope, items).filter(({ value }) => value === true).length === 1
      case 'transformList':
        return this.results(evaluator, scope, items).map(({ value }) => value)
      case 'transformMap':
        return new Map(this.results(evaluator, scope, items).map(({ key, value }) => [key, value]))
      case 'transformMapEntry':
        return mergeEntries(this.results(evaluator, scope, items).map(({ value }) => value))
    }
  }

  private needBool(checker: Checker, node: ASTNode): void {
    if (this.inner === undefined) return
    const type = checker.check(node, this.inner)
    if (type.kind !== 'dyn' && type.name !== 'bool') {
      throw checker.createError('invalid_condition_type', `the condition must be bool, got ${type.name}`, node)
    }
  }

  /** The first item that decides ends it; an error of one item counts only if no other decides. */
  private quantify(evaluator: Evaluator, scope: Scope, items: readonly Entry[], deciding: boolean): boolean {
    let failed: unknown
    for (const item of items) {
      this.runtime.spend((deciding ? STEP.existsTest : STEP.allTest) + STEP.quantified)
      try {
        if (this.holds(evaluator, scope, item, this.body) === deciding) {
          if (item !== items.at(-1)) this.runtime.spend(deciding ? STEP.existsTest : STEP.allTest)
          return deciding
        }
      } catch (error) {
        if (this.runtime.exceeded) throw error
        failed ??= error
      }
    }
    if (failed !== undefined) throw failed
    return !deciding
  }

  private results(
    evaluator: Evaluator,
    scope: Scope,
    items: readonly Entry[],
  ): readonly { readonly key: unknown; readonly value: unknown }[] {
    const results: { readonly key: unknown; readonly value: unknown }[] = []
    for (const item of items) {
      if (this.filter !== undefined && !this.holds(evaluator, scope, item, this.filter)) continue
      const value =
        this.kind === 'existsOne'
          ? this.holds(evaluator, scope, item, this.body)
          : this.step(evaluator, scope, item, this.body)
      if (this.kind !== 'existsOne' || value === true) this.runtime.spend(UNITS[this.kind])
      results.push({ key: item[0], value })
    }
    return results
  }

  private holds(evaluator: Evaluator, scope: Scope, item: Entry, node: ASTNode): boolean {
    const value = this.step(evaluator, scope, item, node)
    if (typeof value === 'boolean') return value
    throw new FunctionError(`the condition of a step must be bool, got ${nameOf(value)}`)
  }

  private step(evaluator: Evaluator, scope: Scope, [key, value]: Entry, node: ASTNode): unknown {
    this.runtime.charge(this.units)
    if (this.outer === undefined || this.inner === undefined) return undefined
    const outer = this.outer.reuse(scope).setIterValue(key, evaluator)
    return evaluator.run(node, this.inner.reuse(outer).setIterValue(value, evaluator))
  }
}

type Entry = readonly [key: unknown, value: unknown]

function entriesOf(range: unknown): readonly Entry[] {
  if (Array.isArray(range)) return range.map((item: unknown, index): Entry => [BigInt(index), item])
  if (range instanceof Map) return [...range]
  throw new FunctionError('the range of a comprehension must be a list or a map')
}

function mergeEntries(maps: readonly unknown[]): Map<unknown, unknown> {
  const merged = new Map<unknown, unknown>()
  for (const map of maps) {
    if (!(map instanceof Map)) throw new FunctionError('transformMapEntry: each step must give a map')
    for (const [key, value] of map) {
      if (merged.has(key)) throw new FunctionError(`transformMapEntry: the key ${JSON.stringify(key)} comes twice`)
      merged.set(key, value)
    }
  }
  return merged
}
