import type { FieldPath } from '../kube/field-path.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import type { ShapeIssue } from './check-schema.ts'
import type { PolicyIssue } from './policy.ts'

/** Where the checked value is written: at `path` of a document of a file. */
export interface CheckedPlace {
  readonly document: YamlDocument
  readonly file: string
  readonly path?: FieldPath
  readonly code: string
}

/** What is wrong with the shape of a value, each at its line and column: of an unknown field at its name. */
export function shapeIssues(issues: readonly ShapeIssue[], place: CheckedPlace): readonly PolicyIssue[] {
  const { document, file, path = [], code } = place
  return issues.map((issue) => {
    const at = [...path, ...issue.path]
    const { line, column } = issue.what === 'name' ? document.locateName(at) : document.locate(at)
    return { code, file, line, column, message: issue.message }
  })
}
