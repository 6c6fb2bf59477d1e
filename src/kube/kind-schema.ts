import { asList, asObject, isObject, type Json, type JsonObject } from './json.ts'

/** The OpenAPI v3 schema of one version of a kind. */
export interface KindSchema {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Lower-case plural, as in `resources` of a rule. */
  readonly resource: string
  readonly schema: JsonObject
  /** What `#/components/schemas/NAME` refers to. */
  readonly definitions: JsonObject
}

/**
 * The schemas of a document: those of the served versions of a CustomResourceDefinition, or those of the kinds that an
 * API server describes at `/openapi/v3/apis/GROUP/VERSION`; of a List those of its items. Empty for any other document. Never throws.
 */
export function readKindSchemas(document: Json): readonly KindSchema[] {
  const root = asObject(document)
  if (root.items !== undefined) return asList(root.items).flatMap(readKindSchemas)
  if (root.kind === 'CustomResourceDefinition') return ofCrd(asObject(root.spec))
  return typeof root.openapi === 'string' ? ofOpenApi(root) : []
}

function ofCrd({ group, names, versions }: JsonObject): readonly KindSchema[] {
  const { kind, plural } = asObject(names)
  return asList(versions).flatMap((item) => {
    const { name, served, schema } = asObject(item)
    const { openAPIV3Schema } = asObject(schema)
    if (served === false || !isObject(openAPIV3Schema)) return []
    if (typeof group !== 'string' || typeof kind !== 'string') return []
    if (typeof plural !== 'string' || typeof name !== 'string') return []
    return [{ group, version: name, kind, resource: plural, schema: openAPIV3Schema, definitions: {} }]
  })
}

const COLLECTION = /^\/apis?\/.*\/(?<resource>[^/{}]+)$/

/** Which kind a resource has is said by the operations of its collection. */
function ofOpenApi({ paths, components }: JsonObject): readonly KindSchema[] {
  const definitions = asObject(asObject(components).schemas)
  const schemas = new Map<string, JsonObject>()
  for (const schema of Object.values(definitions)) {
    for (const kind of asList(asObject(schema)[KIND])) schemas.set(keyOf(kind), asObject(schema))
  }
  const found = new Map<string, KindSchema>()
  for (const [path, item] of Object.entries(asObject(paths))) {
    const resource = COLLECTION.exec(path)?.groups?.resource
    const described = asObject(asObject(item).post)[KIND]
    const schema = schemas.get(keyOf(described ?? null))
    const { group, version, kind } = asObject(described)
    if (resource === undefined || schema === undefined) continue
    if (typeof group !== 'string' || typeof version !== 'string' || typeof kind !== 'string') continue
    found.set(`${group}/${version}/${resource}`, { group, version, kind, resource, schema, definitions })
  }
  return [...found.values()]
}

const KIND = 'x-kubernetes-group-version-kind'

function keyOf(described: Json): string {
  const { group, version, kind } = asObject(described)
  return JSON.stringify([group, version, kind])
}
