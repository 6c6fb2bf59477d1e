import type { YamlDocument } from '../kube/yaml-document.ts'
import type { PolicyIssue } from '../policy/policy.ts'
import { filesBelow } from './files-below.ts'
import { readDocuments, type ReadDocuments } from './read-documents.ts'
import { readingProblem } from './reading-problem.ts'

export interface FoundDocument {
  readonly document: YamlDocument
  readonly file: string
}

/** The documents of the files below a path that `filesBelow` names; what cannot be read is added to `issues`. Never throws. */
export function documentsOf(
  path: string,
  fileName: string | undefined,
  issues: PolicyIssue[],
  read: ReadDocuments = readDocuments,
): readonly FoundDocument[] {
  const found: FoundDocument[] = []
  let current = path
  try {
    for (const file of filesBelow(path, fileName)) {
      current = file
      for (const outcome of read(file)) {
        if (outcome.ok) found.push({ document: outcome.document, file })
        else issues.push({ ...outcome.error, file })
      }
    }
  } catch (error) {
    issues.push(unreadable(current, error))
  }
  return found
}

/** What is wrong with a file that cannot be read. */
export function unreadable(file: string, error: unknown): PolicyIssue {
  return { code: 'POLICY-FILE', file, line: 1, column: 1, message: readingProblem(error).message }
}
