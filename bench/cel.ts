import { Environment } from '@marcbachmann/cel-js'

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { celValue, createBudget, createEnvironment } from '../src/cel/environment.ts'
import type { CelEnvironment } from '../src/cel/types.ts'
import { isList, isObject, type Json, type JsonObject } from '../src/kube/json.ts'
import { parseYamlDocuments, type YamlDocument } from '../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../src/policy/mesh-functions/all.ts'

// What expressions cost here, and on the bare engine over plain JavaScript values in the same run.

const ROUTES = 20
const COMPILED = 300
const POLICIES = 300
const REPETITIONS = 900_000
const SAMPLES = 9

const root = join(import.meta.dirname, '..')

/** Fields of policies that hold expressions. */
const EXPRESSION_FIELDS = new Set(['expression', 'when', 'findings', 'valueExpression', 'messageExpression'])

const object: JsonObject = {
  metadata: { name: 'shop', labels: { app: 'shop' } },
  spec: {
    mtls: { mode: 'STRICT' },
    http: Array.from({ length: ROUTES }, (_, index) => ({
      name: `route-${index}`,
      timeout: '15s',
      route: [{ weight: 1 }],
    })),
  },
}

/** Expressions that both can evaluate. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  'field test': "object.spec.mtls.mode == 'STRICT'",
  'presence and membership': "!has(object.spec.mtls.mode) || !(object.spec.mtls.mode in ['PERMISSIVE', 'DISABLE'])",
  'all() over 20 routes': 'object.spec.http.all(route, has(route.timeout))',
  'exists() over 20 routes': "object.spec.http.exists(route, route.name == 'route-19')",
  'map() over 20 routes': 'object.spec.http.map(route, route.name).size() == 20',
  duration: "duration(object.spec.http[0].timeout) <= duration('60s')",
}

/** Time of this thread on a processor, in microseconds: other programs do not count. */
function elapsed(body: () => void): number {
  const before = process.threadCpuUsage()
  body()
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}

/** The median time of one call, in microseconds. */
function microseconds(call: () => unknown): number {
  const calls = REPETITIONS / SAMPLES
  const repeat = (): void => {
    for (let index = 0; index < calls; index += 1) call()
  }
  repeat()
  const samples = Array.from({ length: SAMPLES }, () => elapsed(repeat) / calls)
  return samples.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] ?? Number.NaN
}

function evaluation(environment: CelEnvironment, source: string): () => unknown {
  const outcome = environment.compile(source, { result: ['bool'] })
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('; '))
  const activation = { object: celValue(object) }
  const budget = createBudget(Number.MAX_SAFE_INTEGER)
  return () => outcome.program.evaluate(activation, budget)
}

function bareEvaluation(engine: Environment, source: string): () => unknown {
  const parsed = engine.parse(source)
  parsed.check()
  return () => {
    const value: unknown = parsed({ object })
    return value
  }
}

const row = (title: string, ours: number, bare: number, unit: string) =>
  console.log(`${title.padEnd(46)} ${ours.toFixed(2).padStart(9)} ${bare.toFixed(2).padStart(9)}  ${unit}`)

const environment = createEnvironment({ variables: { object: 'dyn' } })
const engine = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
engine.registerVariable('object', 'dyn')

/** The strings of a policy that are expressions, as far as the bare engine can read them. */
function expressionsIn(json: Json | undefined): readonly string[] {
  if (isList(json)) return json.flatMap(expressionsIn)
  if (!isObject(json)) return []
  return Object.entries(json).flatMap(([key, value]) =>
    typeof value === 'string' && EXPRESSION_FIELDS.has(key) ? [value] : expressionsIn(value),
  )
}

/** The shipped policies, again and again until they are as many as are compiled. */
function policyDocuments(): readonly YamlDocument[] {
  const files = globSync('policies/**/policy.yaml', { cwd: root })
  const documents = files
    .flatMap((file) => parseYamlDocuments(readFileSync(join(root, file), 'utf8')))
    .flatMap((outcome) => (outcome.ok ? [outcome.document] : []))
  return Array.from({ length: POLICIES }, (_, index) => documents[index % documents.length] ?? documents[0]).filter(
    (document) => document !== undefined,
  )
}

// The first compilation of all of them, as at the start of a server: nothing is warm yet.
const documents = policyDocuments()
const compiler = createPolicyCompiler(MESH_FUNCTIONS)
const expressions = documents.flatMap(({ value }) => expressionsIn(value))
const cold = elapsed(() => {
  for (const document of documents) compiler.compile(document, 'policy.yaml')
})
const coldBare = elapsed(() => {
  for (const source of expressions) engine.parse(source)
})

console.log(`${''.padEnd(46)} ${'src/cel'.padStart(9)} ${'bare'.padStart(9)}`)
row(`${POLICIES} policies, from the start; bare: ${expressions.length} parsed`, cold / 1000, coldBare / 1000, 'ms')
for (const [title, source] of Object.entries(EXPRESSIONS)) {
  row(title, microseconds(evaluation(environment, source)), microseconds(bareEvaluation(engine, source)), 'µs')
}
const sources = Array.from({ length: COMPILED }, (_, index) => {
  const source = Object.values(EXPRESSIONS)[index % Object.keys(EXPRESSIONS).length] ?? 'true'
  return `${source} && ${index} >= 0`
})
const compiling = elapsed(() => {
  for (const source of sources) environment.compile(source, { result: ['bool'] })
})
const compilingBare = elapsed(() => {
  for (const source of sources) engine.parse(source).check()
})
row('compiling an expression', compiling / COMPILED, compilingBare / COMPILED, 'µs')
