import type { SerializedIncrementalTest, SerializedIncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'

import { Duration } from '@marcbachmann/cel-js/evaluator'

import { createBudget, createEnvironment } from '../../src/cel/environment.ts'
import type { CelProgram } from '../../src/cel/types.ts'
import { asObject, isObject, type Json, type JsonObject } from '../../src/kube/json.ts'

/** What came of one case: `not ours` where it needs protobuf messages or what Kubernetes does not have. */
export type Outcome = 'passed' | 'failed' | 'not ours'

/** Sections of cel-spec that are about protobuf or extensions that Kubernetes has not. */
const NOT_KUBERNETES: ReadonlySet<string> = new Set([
  'bindings_ext',
  'block_ext',
  'dynamic',
  'encoders_ext',
  'enums',
  'math_ext',
  'network_ext',
  'proto2',
  'proto2_ext',
  'proto3',
  'type_deductions',
  'unknowns',
  'wrappers',
])

/** Every case of the sections of cel-spec that are about Kubernetes' dialect, with the name of its section. */
export function casesOf(suite: SerializedIncrementalTestSuite): readonly (readonly [string, JsonObject])[] {
  return (suite.suites ?? [])
    .filter(({ name }) => !NOT_KUBERNETES.has(name))
    .flatMap(({ name }) => casesIn(suite, name).map((original) => [name, original] as const))
}

/** The cases of one section. */
export function casesIn(suite: SerializedIncrementalTestSuite, section: string): readonly JsonObject[] {
  const found = (suite.suites ?? []).find(({ name }) => name === section)
  return found === undefined ? [] : flatten(found).map(({ original }) => asObject(original))
}

function flatten(suite: SerializedIncrementalTestSuite): readonly SerializedIncrementalTest[] {
  return [...(suite.tests ?? []), ...(suite.suites ?? []).flatMap(flatten)]
}

/** Runs one case of cel-spec. */
export function run(test: JsonObject): Outcome {
  const expression = typeof test.expr === 'string' ? test.expr : ''
  const bindings = bindingsOf(asObject(test.bindings))
  if (bindings === undefined || needsProtobuf(test, expression)) return 'not ours'
  const environment = createEnvironment({
    variables: Object.fromEntries(Object.keys(bindings).map((name) => [name, 'dyn'])),
  })
  const compiled = environment.compile(expression, { literals: 'mixed' })
  const fails = test.evalError !== undefined || test.anyEvalErrors !== undefined
  if (!compiled.ok) return fails ? 'passed' : 'failed'
  return evaluates(compiled.program, bindings, test, fails) ? 'passed' : 'failed'
}

function evaluates(program: CelProgram, bindings: JsonObject, test: JsonObject, fails: boolean): boolean {
  const outcome = program.evaluate(bindings, createBudget())
  if (!outcome.ok || fails) return fails && !outcome.ok
  return test.value === undefined ? outcome.value === true : isValue(outcome.value, asObject(test.value))
}

function needsProtobuf(test: JsonObject, expression: string): boolean {
  if (
    test.container !== undefined ||
    test.disableMacros === true ||
    test.disableCheck === true ||
    test.checkOnly === true
  )
    return true
  if (JSON.stringify(test.typeEnv ?? null).includes('messageType')) return true
  return /TestAllTypes|google\.protobuf\.\w*(?:Value|Struct|Any)|cel\.expr|proto\./.test(
    `${expression} ${JSON.stringify(test.value ?? null)}`,
  )
}

/** Values of variables as JSON; undefined where one is not. */
function bindingsOf(bindings: JsonObject): Record<string, Json> | undefined {
  const values: Record<string, Json> = {}
  for (const [name, binding] of Object.entries(bindings)) {
    const json = jsonOf(asObject(asObject(binding).value))
    if (json === undefined) return undefined
    values[name] = json
  }
  return values
}

function jsonOf(value: JsonObject): Json | undefined {
  const [[kind, content] = ['', null]] = Object.entries(value)
  switch (kind) {
    case 'boolValue':
    case 'stringValue':
      return content
    case 'int64Value':
      return Number(content)
    case 'nullValue':
      return null
    case 'mapValue':
      return Object.keys(asObject(content)).length === 0 ? {} : undefined
    default:
      return undefined
  }
}

/** Is a value of the engine the one that the case names? */
function isValue(value: unknown, expected: JsonObject): boolean {
  const [[kind, content] = ['', null]] = Object.entries(expected)
  const text = typeof content === 'string' ? content : ''
  switch (kind) {
    case 'int64Value':
      return typeof value === 'bigint' && value === BigInt(text)
    case 'uint64Value':
      return typeof value === 'object' && value !== null && value.valueOf() === BigInt(text)
    case 'doubleValue':
      return typeof value === 'number' && Object.is(value, Number(content))
    case 'boolValue':
    case 'stringValue':
      return value === content
    case 'nullValue':
      return value === null
    case 'bytesValue':
      return value instanceof Uint8Array && Buffer.from(value).toString('base64') === content
    case 'typeValue':
      return String(value) === `Type<${text.replace('null_type', 'null')}>`
    case 'listValue':
      return isList(value, asObject(content).values)
    case 'mapValue':
      return isMap(value, asObject(content).entries)
    default:
      return isText(value, asObject(asObject(content)).value)
  }
}

function isList(value: unknown, expected: Json | undefined): boolean {
  const items = Array.isArray(expected) ? expected : []
  return (
    Array.isArray(value) &&
    value.length === items.length &&
    items.every((item, at) => isValue(value[at], asObject(item)))
  )
}

function isMap(value: unknown, expected: Json | undefined): boolean {
  const entries = Array.isArray(expected) ? expected : []
  const members = value instanceof Map ? [...value] : isObject(value) ? Object.entries(value) : []
  if (typeof value !== 'object' || members.length !== entries.length) return false
  return entries.every((entry) => {
    const { key, value: content } = asObject(entry)
    return members.some(([name, member]) => isValue(name, asObject(key)) && isValue(member, asObject(content)))
  })
}

/** Durations and timestamps, by their text. */
function isText(value: unknown, expected: Json | undefined): boolean {
  if (value instanceof Date) return typeof expected === 'string' && value.getTime() === Date.parse(expected)
  return value instanceof Duration && value.toString() === expected
}
