import type { Json } from '../kube/json.ts'
import { parseYamlDocuments } from '../kube/yaml-document.ts'
import { readTexts } from '../sources/documents.ts'
import type { InputError } from '../sources/input-error.ts'
import type { CliIo } from './cli-io.ts'

/** The value of a document, or why there is none. */
export interface One {
  readonly value: Json | undefined
  readonly errors: readonly InputError[]
}

/** The one document of a file; nothing where no file is given. */
export function readOne(file: string | undefined, io: CliIo): One {
  if (file === undefined) return { value: undefined, errors: [] }
  const { texts, errors } = readTexts([file], io.standardInput)
  const [source] = texts
  if (source === undefined) return { value: undefined, errors }
  const [outcome, ...more] = parseYamlDocuments(source.text)
  if (outcome === undefined || more.length > 0) {
    const message = `this holds ${outcome === undefined ? 'no document' : `${more.length + 1} documents`}; give exactly one`
    return { value: undefined, errors: [{ code: 'CLI-03', file, message }] }
  }
  return outcome.ok
    ? { value: outcome.document.value, errors: [] }
    : { value: undefined, errors: [{ ...outcome.error, file, document: 0 }] }
}
