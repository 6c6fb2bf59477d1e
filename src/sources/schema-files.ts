import { readKindSchemas, type KindSchema } from '../kube/kind-schema.ts'
import { parseYamlDocuments } from '../kube/yaml-document.ts'
import { readTexts, type StandardInput } from './documents.ts'
import type { InputError } from './input-error.ts'

/** The schemas of kinds that files hold; `errors` where a file cannot be read, or a path has none. */
export interface SchemasRead {
  readonly schemas: readonly KindSchema[]
  readonly errors: readonly InputError[]
}

/**
 * Reads the schemas of kinds from files and folders: CustomResourceDefinitions, and documents of an API server's
 * `/openapi/v3`. Other documents are passed over. Never throws.
 */
export function readSchemaFiles(paths: readonly string[], standardInput: StandardInput): SchemasRead {
  const schemas: KindSchema[] = []
  const errors: InputError[] = []
  for (const path of paths) {
    const read = readSchemas(path, standardInput)
    schemas.push(...read.schemas)
    errors.push(...read.errors)
    if (read.schemas.length + read.errors.length === 0) errors.push({ code: 'FILE-06', file: path, message: NO_SCHEMA })
  }
  return { schemas, errors }
}

const NO_SCHEMA =
  'there is no schema of a kind here; name CustomResourceDefinitions, or what an API server answers at /openapi/v3'

function readSchemas(path: string, standardInput: StandardInput): SchemasRead {
  const { texts, errors } = readTexts([path], standardInput)
  const documents = texts.flatMap(({ file, text }) => parseYamlDocuments(text).map((outcome) => ({ file, outcome })))
  return {
    schemas: documents.flatMap(({ outcome }) => (outcome.ok ? readKindSchemas(outcome.document.value) : [])),
    errors: [
      ...errors,
      ...documents.flatMap(({ file, outcome }) =>
        outcome.ok ? [] : [{ file, document: outcome.index, ...outcome.error }],
      ),
    ],
  }
}
