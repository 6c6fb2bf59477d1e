import { celValue, createBudget, createEnvironment, fromCel } from '../../src/cel/environment.ts'
import type { HostFunction } from '../../src/cel/types.ts'
import type { Json } from '../../src/kube/json.ts'

/** What an expression gives on an object: its value, or `compile: …` or `error: …` with the reason. */
export function evaluate(source: string, object: Json = null, functions: readonly HostFunction[] = []): Json {
  const environment = createEnvironment({ variables: { object: 'dyn' }, functions })
  const compiled = environment.compile(source)
  if (!compiled.ok) return `compile: ${compiled.issues.map(({ message }) => message).join('; ')}`
  const outcome = compiled.program.evaluate({ object: celValue(object) }, createBudget())
  return outcome.ok ? fromCel(outcome.value) : `error: ${outcome.error.message}`
}
