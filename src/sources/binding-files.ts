import { readBinding, type Binding } from '../policy/binding.ts'
import type { PolicyIssue } from '../policy/policy.ts'
import { documentsOf } from './policy-documents.ts'

/** The MeshPolicyBindings of some files, in order. Never throws. */
export function readBindings(paths: readonly string[]): {
  readonly bindings: readonly Binding[]
  readonly issues: readonly PolicyIssue[]
} {
  const bindings: Binding[] = []
  const issues: PolicyIssue[] = []
  for (const path of paths) {
    for (const { document, file } of documentsOf(path, undefined, issues)) {
      const outcome = readBinding(document, file)
      if (outcome.ok) bindings.push(outcome.binding)
      else issues.push(...outcome.issues)
    }
  }
  return { bindings, issues }
}
