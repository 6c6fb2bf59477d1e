import { Environment } from '@marcbachmann/cel-js'

import { celValue, createBudget, createEnvironment } from '../src/cel/environment.ts'
import type { CelEnvironment } from '../src/cel/types.ts'
import type { JsonObject } from '../src/kube/json.ts'

// What expressions cost here, and on the bare engine over plain JavaScript values in the same run.

const ROUTES = 20
const COMPILED = 300
const REPETITIONS = 50_000
const SAMPLES = 9

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

/** The median time of one call, in microseconds. */
function microseconds(call: () => unknown): number {
  for (let index = 0; index < REPETITIONS / 5; index += 1) call()
  const samples = Array.from({ length: SAMPLES }, () => {
    const start = performance.now()
    for (let index = 0; index < REPETITIONS / SAMPLES; index += 1) call()
    return ((performance.now() - start) / (REPETITIONS / SAMPLES)) * 1000
  })
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
  console.log(`${title.padEnd(34)} ${ours.toFixed(2).padStart(9)} ${bare.toFixed(2).padStart(9)}  ${unit}`)

const environment = createEnvironment({ variables: { object: 'dyn' } })
const engine = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
engine.registerVariable('object', 'dyn')

console.log(`${''.padEnd(34)} ${'src/cel'.padStart(9)} ${'bare'.padStart(9)}`)
for (const [title, source] of Object.entries(EXPRESSIONS)) {
  row(title, microseconds(evaluation(environment, source)), microseconds(bareEvaluation(engine, source)), 'µs')
}

const sources = Array.from({ length: COMPILED }, (_, index) => {
  const source = Object.values(EXPRESSIONS)[index % Object.keys(EXPRESSIONS).length] ?? 'true'
  return `${source} && ${index} >= 0`
})
const start = performance.now()
for (const source of sources) environment.compile(source, { result: ['bool'] })
const between = performance.now()
for (const source of sources) engine.parse(source).check()
const end = performance.now()
row(`compiling ${COMPILED} expressions`, between - start, end - between, 'ms')
