import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { parseYamlDocuments } from '../kube/yaml-document.ts'
import type { PolicyCompiler } from '../policy/compile-policy.ts'
import { readPolicyTests, type PolicyTest } from '../policy/policy-tests.ts'
import type { Policy, PolicyIssue } from '../policy/policy.ts'
import { readPolicies } from './policy-files.ts'

/** A policy with its examples. */
export interface PolicyFolder {
  readonly folder: string
  readonly policy: Policy
  /** Empty where there are none; why not, where they cannot be read, is among the issues. */
  readonly tests: readonly PolicyTest[]
}

/**
 * The policies below some paths, each with the `tests.yaml` beside it. Whoever tests policies wants to hear of all that is
 * odd, so their warnings are issues here. Never throws.
 */
export function readPolicyFolders(
  paths: readonly string[],
  compiler: PolicyCompiler,
): { readonly folders: readonly PolicyFolder[]; readonly issues: readonly PolicyIssue[] } {
  const { policies, issues } = readPolicies(paths, compiler)
  const folders: PolicyFolder[] = []
  const problems: PolicyIssue[] = [...issues]
  for (const policy of policies) {
    const folder = dirname(policy.source.file)
    const outcome = readTestsFile(join(folder, 'tests.yaml'))
    problems.push(...policy.issues, ...policy.warnings, ...outcome.issues)
    folders.push({ folder, policy, tests: outcome.tests })
  }
  return { folders, issues: problems }
}

interface TestsRead {
  readonly tests: readonly PolicyTest[]
  readonly issues: readonly PolicyIssue[]
}

function readTestsFile(file: string): TestsRead {
  const unreadable = (message: string): TestsRead => {
    return { tests: [], issues: [{ code: 'POLICY-TESTS', file, line: 1, column: 1, message }] }
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return unreadable('there are no examples to read; write at least one that fails and one that passes')
  }
  const [outcome, ...more] = parseYamlDocuments(text)
  if (outcome === undefined || more.length > 0) return unreadable('examples are one YAML document with a list `tests`')
  if (!outcome.ok) return { tests: [], issues: [{ file, ...outcome.error }] }
  const read = readPolicyTests(outcome.document, file)
  return read.ok ? { tests: read.tests, issues: [] } : { tests: [], issues: read.issues }
}
