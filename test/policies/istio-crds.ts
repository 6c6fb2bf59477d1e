import { readFileSync } from 'node:fs'

import { Validator, type Schema } from '@cfworker/json-schema'
import { parseAllDocuments } from 'yaml'

import { celValue, createBudget, createEnvironment } from '../../src/cel/environment.ts'
import type { CompileOutcome } from '../../src/cel/types.ts'
import { formatPath, type FieldPath } from '../../src/kube/field-path.ts'
import { asList, asObject, isList, isObject, own, type Json, type JsonObject } from '../../src/kube/json.ts'
import { groupOf } from '../../src/kube/object.ts'
import { crdFile } from '../cluster/harness/crds.ts'

/** Istio's own schemas, as the API server applies them to an object. */
export interface IstioCrds {
  /** What the API server would refuse an object for, one line each. Throws for a kind that is none of Istio's. */
  readonly violations: (object: JsonObject) => readonly string[]
  /** False for a field that the API server would drop because the schema does not have it. */
  readonly hasField: (object: JsonObject, path: FieldPath) => boolean
}

/** Reads the CRDs of the Istio release that the cluster tests install. Rejects where they cannot be had. */
export async function readIstioCrds(): Promise<IstioCrds> {
  const schemas = new Map<string, JsonObject>()
  for (const document of parseAllDocuments(readFileSync(await crdFile('istio'), 'utf8'))) {
    const spec = asObject(asObject(document.toJS()).spec)
    // All versions of a kind have the same schema.
    const version = asObject(asList(spec.versions)[0])
    const { kind } = asObject(spec.names)
    schemas.set(keyOf(spec.group, kind), asObject(asObject(version.schema).openAPIV3Schema))
  }
  const schemaOf = (object: JsonObject): JsonObject => {
    const key = keyOf(groupOf(object), object.kind)
    const schema = schemas.get(key)
    if (schema === undefined) throw new Error(`Istio has no CRD for ${key}`)
    return schema
  }
  return {
    violations: (object) => violations(schemaOf(object), object),
    hasField: (object, path) => subSchema(schemaOf(object), path) !== undefined,
  }
}

function keyOf(group: Json | undefined, kind: Json | undefined): string {
  return JSON.stringify([group, kind])
}

/** Structure first, rules only on what has the right structure, as the API server does. */
function violations(schema: JsonObject, object: JsonObject): readonly string[] {
  const pruned = withoutNulls(schema, object)
  const { valid, errors } = new Validator(toJsonSchema(schema), '7', false).validate(pruned)
  if (!valid) return errors.map(({ instanceLocation, error }) => `${instanceLocation.slice(1)}: ${error}`)
  return [...brokenRules(schema, pruned, [])]
}

/** A null where the schema allows none counts as absent (kubernetes.io: "Defaulting and Nullable"). */
function withoutNulls(schema: JsonObject, value: Json): Json {
  if (isList(value)) return value.map((item) => withoutNulls(asObject(schema.items), item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const sub = subSchema(schema, [key]) ?? {}
      if (member === undefined || (member === null && sub.nullable !== true)) return []
      return [[key, withoutNulls(sub, member)]]
    }),
  )
}

/** JSON Schema says `type: [string, "null"]` where OpenAPI v3 says `nullable`. */
function toJsonSchema(schema: JsonObject): Schema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) =>
    isObject(value) && value.nullable === true && typeof value.type === 'string'
      ? { ...value, type: [value.type, 'null'] }
      : value,
  )
}

function* brokenRules(schema: JsonObject, value: Json, path: FieldPath): Iterable<string> {
  for (const rule of asList(schema['x-kubernetes-validations'])) {
    const { rule: source, message } = asObject(rule)
    // A rule over oldSelf says what an update may change.
    if (typeof source !== 'string' || source.includes('oldSelf')) continue
    const outcome = compileRule(source)
    if (!outcome.ok) throw new Error(`rule of a CRD does not compile: ${source}: ${JSON.stringify(outcome.issues)}`)
    const result = outcome.program.evaluate({ self: celValue(value) }, createBudget())
    if (!result.ok) yield `${formatPath(path)}: ${source}: ${result.error.message}`
    else if (result.value !== true) yield `${formatPath(path)}: ${typeof message === 'string' ? message : source}`
  }
  if (isList(value)) {
    for (const [index, item] of value.entries()) yield* brokenRules(asObject(schema.items), item, [...path, index])
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const sub = subSchema(schema, [key])
      if (sub !== undefined) yield* brokenRules(sub, own(value, key) ?? null, [...path, key])
    }
  }
}

const environment = createEnvironment({ variables: { self: 'dyn' } })
const compiled = new Map<string, CompileOutcome>()

function compileRule(source: string): CompileOutcome {
  let outcome = compiled.get(source)
  if (outcome === undefined) {
    outcome = environment.compile(source, { result: ['bool'] })
    compiled.set(source, outcome)
  }
  return outcome
}

/** The schema of a field, or undefined where there is none. */
function subSchema(schema: JsonObject, path: FieldPath): JsonObject | undefined {
  let at = schema
  for (const segment of path) {
    const next =
      typeof segment === 'number' ? at.items : (own(asObject(at.properties), segment) ?? at.additionalProperties)
    if (!isObject(next)) return undefined
    at = next
  }
  return at
}
