import jsonPatch, { type Operation } from 'fast-json-patch'

import { celValue, createBudget, createEnvironment, fromCel } from '../../../src/cel/environment.ts'
import { asObject, isObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import type { Mutation } from './mutations.ts'

const RESULTS = { ApplyConfiguration: ['Object'], JSONPatch: ['list<JSONPatch>'] }
const environment = createEnvironment({ variables: { object: 'dyn' } })

/** Labels and spec of an object after our evaluation of a mutation, or why there are none. */
export function mutatedByUs({ patchType, expression }: Mutation, object: JsonObject): unknown {
  const compiled = environment.compile(expression, { result: RESULTS[patchType], objects: 'mutation' })
  if (!compiled.ok) return 'does not compile'
  const outcome = compiled.program.evaluate({ object: celValue(object) }, createBudget())
  if (!outcome.ok) return 'error'
  const value = fromCel(outcome.value)
  const mutated = patchType === 'JSONPatch' ? patched(object, value) : merged(object, value)
  if (mutated === undefined) return 'error'
  return { labels: asObject(asObject(mutated)['metadata'])['labels'], spec: asObject(mutated)['spec'] }
}

/** An object over another; lists are replaced. */
function merged(object: Json | undefined, over: Json | undefined): Json | undefined {
  if (!isObject(object) || !isObject(over)) return over
  const members = Object.entries(over).map(([key, value]) => [key, merged(object[key], value)] as const)
  return { ...object, ...Object.fromEntries(members) }
}

function patched(object: JsonObject, patch: Json): Json | undefined {
  const operations: readonly Operation[] = JSON.parse(JSON.stringify(patch))
  try {
    return jsonPatch.applyPatch(structuredClone(object), operations, true).newDocument
  } catch (error) {
    const isTest = error instanceof Error && error.name === 'TEST_OPERATION_FAILED'
    return isTest ? object : undefined
  }
}
