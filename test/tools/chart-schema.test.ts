import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { formatPath } from '../../src/kube/field-path.ts'
import { asObject, isObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { checkSchema } from '../../src/policy/check-schema.ts'
import { chartValues } from '../../tools/chart-values.ts'
import { chartSchema } from '../../tools/chart-schema.ts'

const text = readFileSync('charts/meshward/values.yaml', 'utf8')
const values: JsonObject = parse(text)
const schema: JsonObject = JSON.parse(readFileSync('charts/meshward/values.schema.json', 'utf8'))

/** Names of the values that a map, or a schema of one, has; what is open below it has none. */
function namesIn(value: Json | undefined, fieldsOf: (value: JsonObject) => JsonObject, name = ''): readonly string[] {
  if (!isObject(value)) return [name]
  const fields = Object.entries(fieldsOf(value))
  if (fields.length === 0) return [name]
  return fields.flatMap(([key, field]) => namesIn(field, fieldsOf, name === '' ? key : `${name}.${key}`))
}

test('the default values are accepted, and every one of them is known', () => {
  expect(checkSchema(values, schema)).toEqual([])
  const inSchema = new Set(namesIn(schema, ({ properties }) => asObject(properties)))
  const prefixes = [...inSchema].flatMap((name) =>
    name.split('.').map((_, index, all) => all.slice(0, index + 1).join('.')),
  )
  const unknown = namesIn(values, (map) => map).filter((name) => !prefixes.some((known) => name.startsWith(known)))
  expect(unknown).toEqual([])
})

test('the schema knows no value that there is not, beside what a parent chart adds', () => {
  const known = Object.keys(asObject(schema.properties))
  expect(known.filter((name) => !(name in values)).sort()).toEqual(['enabled', 'global'])
})

test('every value is described where it stands, or as a part of one that is', () => {
  const described = chartValues(text).map(({ name }) => name)
  const silent = namesIn(values, (map) => map).filter(
    (name) => !described.some((known) => name === known || name.startsWith(`${known}.`)),
  )
  expect(silent).toEqual([])
  expect(described.length).toBeGreaterThan(100)
})

const policy = { apiVersion: 'meshward.io/v1alpha1', kind: 'MeshPolicy', metadata: { name: 'ours' } }
const spec = {
  code: 'OWN-01',
  title: 'Ours',
  severity: 'error',
  matchConstraints: {
    resourceRules: [{ apiGroups: ['a.io'], apiVersions: ['*'], resources: ['as'], operations: ['CREATE'] }],
  },
}

test.each<[string, JsonObject]>([
  ['a policy as an object', { policies: { own: { 'ours.yaml': { ...policy, spec } } } }],
  ['a policy as a text', { policies: { own: { 'ours.yml': 'kind: MeshPolicy' } } }],
  ['a setting', { policies: { settings: [{ policies: ['RES-*'], actions: ['Warn'], defaultsAction: 'Off' }] } }],
  ['a profile', { profile: 'baseline' }],
  ['several profiles', { profile: ['baseline', 'resilient'] }],
  ['a percentage of replicas', { podDisruptionBudget: { maxUnavailable: '50%' } }],
  ['fields of Kubernetes that this chart knows nothing of', { podSecurityContext: { fsGroupChangePolicy: 'Always' } }],
])('%s is accepted', (_, said) => {
  expect(checkSchema(said, schema)).toEqual([])
})

test.each<[string, JsonObject, string]>([
  ['an unknown value', { replica: 3 }, 'replica'],
  ['an unknown value further down', { webhook: { timeout: 3 } }, 'webhook.timeout'],
  ['a number where a text belongs', { image: { tag: 1.2 } }, 'image.tag'],
  ['a text where a number belongs', { webhook: { port: '8443' } }, 'webhook.port'],
  ['a port beyond the last one', { service: { port: 65_536 } }, 'service.port'],
  ['no replica at all, less one', { replicas: -1 }, 'replicas'],
  ['a word that is no mode', { enforcement: 'on' }, 'enforcement'],
  ['a profile that there is not', { profile: 'strickt' }, 'profile'],
  ['a file where a profile belongs', { profile: ['./own.yaml'] }, 'profile[0]'],
  ['a duration without a unit', { shutdownDelay: '3' }, 'shutdownDelay'],
  ['an address that is not https', { webhook: { url: 'http://a' } }, 'webhook.url'],
  ['a key that no policy is read from', { policies: { own: { ours: 'x' } } }, 'policies.own.ours'],
  ['an empty policy', { policies: { own: { 'ours.yaml': '' } } }, 'policies.own[ours.yaml]'],
  [
    'a policy of another kind',
    { policies: { own: { 'ours.yaml': { ...policy, kind: 'ConfigMap', spec } } } },
    'policies.own[ours.yaml].kind',
  ],
  [
    'a policy that says nothing of where it applies',
    { policies: { own: { 'ours.yaml': { ...policy, spec: { ...spec, matchConstraints: undefined } } } } },
    'policies.own[ours.yaml].spec',
  ],
  ['a setting that names no policy', { policies: { settings: [{ actions: ['Warn'] }] } }, 'policies.settings[0]'],
  [
    'an action that there is not',
    { policies: { settings: [{ policies: ['A'], actions: ['Block'] }] } },
    'policies.settings[0].actions[0]',
  ],
])('%s is refused where it is written', (_, said, place) => {
  const issues = checkSchema(JSON.parse(JSON.stringify(said)), schema)
  expect(formatPath(issues.at(-1)?.path ?? [])).toBe(place)
})

test('a value whose default tells no type must be described', () => {
  expect(() => chartSchema('# Anything.\nanything: {}\n')).toThrow('CHART_SHAPES must say what "anything" holds')
})

test('a description of a value that is gone is told', () => {
  expect(() => chartSchema('# How many.\nreplicas: 2\n')).toThrow(
    /^CHART_SHAPES has ".*", which is no value of the chart$/,
  )
})
