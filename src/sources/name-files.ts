import { readFileSync } from 'node:fs'

import type { PolicyIssue } from '../policy/policy.ts'
import { unreadable } from './policy-documents.ts'

/** The names or patterns in some files: one a line, where a line that begins with # says nothing. Never throws. */
export function readNameFiles(files: readonly string[]): {
  readonly names: readonly string[]
  readonly issues: readonly PolicyIssue[]
} {
  const names: string[] = []
  const issues: PolicyIssue[] = []
  for (const file of files) {
    try {
      const lines = readFileSync(file, 'utf8').split('\n')
      names.push(...lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#')))
    } catch (error) {
      issues.push(unreadable(file, error))
    }
  }
  return { names, issues }
}
