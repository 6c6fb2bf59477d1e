import { Validator, type OutputUnit, type Schema } from '@cfworker/json-schema'

import type { FieldPath, Segment } from '../kube/field-path.ts'
import { formatPath, valueAt } from '../kube/field-path.ts'
import { asList, asObject, isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { nearestName } from '../kube/nearest-name.ts'

/** Where a value does not have the shape it should, and what to write instead. */
export interface ShapeIssue {
  readonly path: FieldPath
  /** What is wrong there: the value, or that a field of this name is written at all. */
  readonly what: 'value' | 'name'
  readonly message: string
}

/**
 * Checks a value against a JSON Schema (draft 7; an OpenAPI v3 schema is one as far as parameters need it).
 * Returns every place that is wrong, the deepest one of each kind; empty when all is well. Never throws: a schema that
 * cannot be used is an issue too.
 */
export function checkSchema(value: Json, schema: JsonObject): readonly ShapeIssue[] {
  const illFormed = illFormedKey(value, [])
  if (illFormed !== undefined)
    return [{ path: illFormed, what: 'value', message: 'the name of a field is not valid Unicode' }]
  const issues: ShapeIssue[] = []
  for (const error of errorsOf(value, schema)) {
    const path = toPath(value, error.instanceLocation)
    const keywords = error.keywordLocation.slice(2).split('/').map(decode)
    const message = explain(error.keyword, { value, path, schema, keywords, text: error.error })
    const what = error.keyword === 'false' ? 'name' : 'value'
    if (message !== undefined && !issues.some((issue) => samePlace(issue.path, path)))
      issues.push({ path, what, message })
  }
  return issues
}

function errorsOf(value: Json, schema: JsonObject): readonly OutputUnit[] {
  try {
    const { valid, errors } = validatorOf(schema).validate(value)
    return valid ? [] : errors
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    return [{ keyword: 'schema', keywordLocation: '#', instanceLocation: '#', error: reason }]
  }
}

/** Preparing a schema takes as long as checking a document, and a folder of policies is checked by one. */
function validatorOf(schema: JsonObject): Validator {
  const known = VALIDATORS.get(schema)
  if (known !== undefined) return known
  const validator = new Validator(asSchema(schema), '7', false)
  VALIDATORS.set(schema, validator)
  return validator
}

const VALIDATORS = new WeakMap<JsonObject, Validator>()

/** The validator speaks of places as URIs, which a lone surrogate cannot be part of. */
function illFormedKey(value: Json | undefined, path: FieldPath): FieldPath | undefined {
  if (isList(value)) return firstOf(value.entries(), path)
  if (!isObject(value)) return undefined
  return Object.keys(value).some((key) => !key.isWellFormed()) ? path : firstOf(Object.entries(value), path)
}

function firstOf(parts: Iterable<readonly [Segment, Json | undefined]>, path: FieldPath): FieldPath | undefined {
  for (const [segment, part] of parts) {
    const found = illFormedKey(part, [...path, segment])
    if (found !== undefined) return found
  }
  return undefined
}

interface Place {
  readonly value: Json
  readonly path: FieldPath
  readonly schema: JsonObject
  readonly keywords: readonly string[]
  readonly text: string
}

function explain(keyword: string, place: Place): string | undefined {
  const { value, path, schema, keywords, text } = place
  const found = valueAt(value, path)
  const wanted = valueAt(schema, keywords.map(asSegment))
  switch (keyword) {
    // Containers repeat what their parts say.
    case 'properties':
    case 'items':
    case 'additionalProperties':
    case 'allOf':
    case '$ref':
      return undefined
    case 'false':
      return unknownField(place)
    case 'required': {
      const missing = /property "(.*)"/.exec(text)?.[1] ?? ''
      return `${shown(path)} needs the field "${missing}"`
    }
    case 'enum':
      return `${shown(path)} is ${JSON.stringify(found)}; write one of ${listed(wanted)}`
    case 'const':
      return `${shown(path)} is ${JSON.stringify(found)}; write ${JSON.stringify(wanted)}`
    case 'type':
      // One form of several: which of them is meant, `anyOf` knows.
      if (keywords.at(-3) === 'anyOf') return undefined
      return `${shown(path)} is ${typeName(found)}, but must be ${types(wanted)}`
    case 'pattern':
      return `${shown(path)} is ${JSON.stringify(found)}, which does not match ${JSON.stringify(wanted)}`
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return `${shown(path)} must not be empty`
    case 'minimum':
      return `${shown(path)} is ${JSON.stringify(found)}, below the least, ${JSON.stringify(wanted)}`
    case 'maximum':
      return `${shown(path)} is ${JSON.stringify(found)}, above the most, ${JSON.stringify(wanted)}`
    case 'anyOf': {
      const forms = asList(wanted).map((form) => asObject(form).type ?? null)
      // Of the form that it has, its parts say what is wrong.
      return forms.includes(jsonType(found)) ? undefined : `${shown(path)} is ${typeName(found)}; write ${types(forms)}`
    }
    case 'schema':
      return `the schema cannot be used: ${text}`
    default:
      return `${shown(path)}: ${text}`
  }
}

function unknownField({ path, schema }: Place): string {
  const name = String(path.at(-1) ?? '')
  const parent = path.slice(0, -1)
  const known = Object.keys(asObject(asObject(schemaAt(schema, parent)).properties))
  const nearest = nearestName(name, known)
  const hint =
    nearest === undefined ? (known.length > 0 ? `known are ${known.join(', ')}` : '') : `did you mean "${nearest}"?`
  return `unknown field "${name}" in ${shown(parent)}${hint === '' ? '' : `; ${hint}`}`
}

/** The sub-schema that governs the value at a path, following objects and lists. */
function schemaAt(schema: Json, path: FieldPath): Json {
  let at: Json = schema
  for (const segment of path) {
    const { items, properties, additionalProperties } = asObject(at)
    if (typeof segment === 'number') at = items ?? null
    else at = asObject(properties)[segment] ?? additionalProperties ?? null
  }
  return at
}

function toPath(root: Json, location: string): FieldPath {
  const path: Segment[] = []
  let value: Json | undefined = root
  for (const token of location.split('/').slice(1)) {
    const key = decode(token)
    const segment = isList(value) ? Number(key) : key
    path.push(segment)
    value = isList(value) ? value[Number(key)] : isObject(value) ? value[key] : undefined
  }
  return path
}

function decode(token: string): string {
  return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
}

function asSegment(token: string): Segment {
  return /^\d+$/.test(token) ? Number(token) : token
}

function samePlace(a: FieldPath, b: FieldPath): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index])
}

function shown(path: FieldPath): string {
  return path.length === 0 ? 'the document' : formatPath(path)
}

function listed(values: Json | undefined): string {
  return isList(values) ? values.map((item) => JSON.stringify(item)).join(', ') : ''
}

function typeName(value: Json | undefined): string {
  if (value === undefined) return 'absent'
  return value === null ? 'null' : article(jsonType(value))
}

function jsonType(value: Json | undefined): string {
  return isList(value) ? 'array' : typeof value
}

function types(wanted: Json | undefined): string {
  const names = (isList(wanted) ? wanted : [wanted ?? null]).filter((name) => typeof name === 'string')
  return names.length === 0 ? 'something else' : names.map(article).join(' or ')
}

function article(type: string): string {
  const name = type === 'array' ? 'list' : type
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`
}

function asSchema(schema: JsonObject): Schema {
  return schema
}
