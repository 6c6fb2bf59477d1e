import type { Runtime } from '../runtime.ts'
import { isEqual } from '../value-order.ts'
import type { Library } from './library.ts'

/** Lists as sets. Source: cel-go `ext/sets.go`. */
export const setsLibrary: Library = {
  register(environment, runtime) {
    environment.registerType('namespace.sets', { ctor: SetsNamespace })
    environment.registerConstant('sets', 'namespace.sets', new SetsNamespace())
    type Test = (a: readonly unknown[], b: readonly unknown[]) => boolean
    const define = (name: string, test: Test): void => {
      environment.registerFunction(
        `namespace.sets.${name}(list, list): bool`,
        (_: unknown, a: readonly unknown[], b: readonly unknown[]) => pay(runtime, a, b) && test(a, b),
        { async: false },
      )
    }
    const containsAll: Test = (a, b) => b.every((item) => a.some((other) => isEqual(other, item, runtime)))
    // `contains` of strings is renamed, and with it every call of that name.
    define('str_contains', containsAll)
    define('equivalent', (a, b) => containsAll(a, b) && containsAll(b, a))
    define('intersects', (a, b) => b.some((item) => a.some((other) => isEqual(other, item, runtime))))
  },
}

/** What the name `sets` stands for; it has nothing but functions. */
class SetsNamespace {
  readonly functionsOnly = true
}

// k8s.io/apiserver `pkg/cel/library/cost.go`: every item of one may be compared with every item of the other.
function pay(runtime: Runtime, a: readonly unknown[], b: readonly unknown[]): true {
  runtime.charge(1 + a.length * b.length)
  return true
}
