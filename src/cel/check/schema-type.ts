import { asList, asObject, isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { BOOL, DYN, INT, STRING, listOf, mapOf, parseType, type ObjectType, type Type } from './type.ts'

/**
 * The type of the values that an OpenAPI v3 schema describes, as expressions see them: JSON, so that a string of any
 * format is a string, and a number may be `int` or `double`. `name` is what the type is called in messages. `$ref`s
 * are looked up in `definitions`, when a field is asked for: schemas may be recursive. Never throws.
 * Source: k8s.io/apiserver `pkg/cel/common/schemas.go`, SchemaDeclType.
 */
export function schemaType(name: string, schema: Json, definitions: JsonObject): Type {
  const whole = resolve(schema, definitions, 0)
  if (whole['x-kubernetes-int-or-string'] === true || whole.format === 'int-or-string') return DYN
  // What may be null may be compared with null.
  if (whole.nullable === true && whole.type !== 'object' && whole.type !== 'array') return DYN
  switch (whole.type) {
    case 'string':
      return STRING
    case 'boolean':
      return BOOL
    case 'integer':
      return INT
    case 'array':
      return listOf(schemaType(`${name}[]`, whole.items ?? {}, definitions))
    case 'object':
      return objectType(name, whole, definitions)
    default:
      return DYN
  }
}

/** The type of a whole object of a kind, which has what every object has, whatever its schema says of that. */
export function kindType(kind: string, schema: JsonObject, definitions: JsonObject): Type {
  const type = schemaType(kind, { type: 'object', properties: {}, ...schema }, definitions)
  if (type.kind !== 'object') return type
  const own = type.fields()
  const metadata = own.get('metadata')
  const fields = new Map([
    ...own,
    ['apiVersion', STRING],
    ['kind', STRING],
    ['metadata', metadata?.kind === 'object' ? metadata : objectMeta(`${kind}.metadata`)],
  ])
  return { ...type, fields: () => fields }
}

function objectType(name: string, schema: JsonObject, definitions: JsonObject): Type {
  const { properties, additionalProperties } = schema
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
  const rest = isObject(additionalProperties)
    ? schemaType(`${name}[]`, additionalProperties, definitions)
    : open
      ? DYN
      : undefined
  if (properties === undefined) return rest === undefined ? DYN : mapOf(STRING, rest)
  let fields: ReadonlyMap<string, Type> | undefined
  return {
    kind: 'object',
    name,
    isMap: true,
    ...(rest === undefined ? {} : { rest }),
    fields() {
      fields ??= new Map(
        Object.entries(asObject(properties)).map(([field, of]) => [
          field,
          schemaType(`${name}.${field}`, of ?? {}, definitions),
        ]),
      )
      return fields
    },
  }
}

const REFERENCE = '#/components/schemas/'
// Kubernetes' own go two deep: a reference to a schema that is a reference.
const MOST_REFERENCES = 16

/** A schema with what it refers to, and with the properties of all of which it must be each. */
function resolve(schema: Json, definitions: JsonObject, depth: number): JsonObject {
  const own = asObject(schema)
  if (depth > MOST_REFERENCES) return own
  const { $ref, allOf } = own
  const referred =
    typeof $ref === 'string' && $ref.startsWith(REFERENCE) ? [definitions[$ref.slice(REFERENCE.length)] ?? {}] : []
  const parts = [...referred, ...asList(allOf)].map((part) => resolve(part, definitions, depth + 1))
  if (parts.length === 0) return own
  const properties = Object.assign({}, ...parts.map((part) => asObject(part.properties)), asObject(own.properties))
  const whole: JsonObject = Object.assign({}, ...parts, own)
  return parts.some((part) => part.properties !== undefined) ? { ...whole, properties } : whole
}

/** Source: k8s.io/apimachinery `pkg/apis/meta/v1/types.go`, ObjectMeta. */
function objectMeta(name: string): ObjectType {
  const fields = new Map(Object.entries(OBJECT_META).map(([field, type]) => [field, parseType(type)]))
  return { kind: 'object', name, fields: () => fields, isMap: true }
}

const OBJECT_META: Readonly<Record<string, string>> = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  selfLink: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'int',
  creationTimestamp: 'dyn',
  deletionTimestamp: 'dyn',
  deletionGracePeriodSeconds: 'int',
  labels: 'map<string, string>',
  annotations: 'map<string, string>',
  ownerReferences: 'list<dyn>',
  finalizers: 'list<string>',
  managedFields: 'list<dyn>',
}
