import { readFileSync } from 'node:fs'

import { parseYamlDocuments, type YamlDocument } from '../kube/yaml-document.ts'
import { asObject } from '../kube/json.ts'
import { readBinding, type Binding } from '../policy/binding.ts'
import type { PolicyCompiler } from '../policy/compile-policy.ts'
import { readPolicyHead } from '../policy/policy-head.ts'
import { createPolicySet, type Enforcement, type PolicySet } from '../policy/policy-set.ts'
import type { Policy, PolicyIssue } from '../policy/policy.ts'
import { filesBelow } from './files-below.ts'
import { readingProblem } from './reading-problem.ts'

export interface PolicyFilesOptions {
  /** Folders of policies (each policy a folder with a `policy.yaml`), mounted ConfigMaps of them, or single YAML files. */
  readonly policies: readonly string[]
  /** YAML streams of MeshPolicyBinding. */
  readonly bindings: readonly string[]
  readonly enforcement: Enforcement
  /** Are fields that the schema of a kind does not have a reason to refuse the whole? */
  readonly strictTypes?: boolean | undefined
}

export type LoadOutcome =
  /** `issues` of policies that did not compile: they stay in the set and answer by their failure policy. */
  | { readonly ok: true; readonly set: PolicySet; readonly issues: readonly PolicyIssue[] }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/** Reads, compiles and binds everything: one whole set, or every reason why there is none. */
export function loadPolicySet(options: PolicyFilesOptions, compiler: PolicyCompiler): LoadOutcome {
  const { policies, issues: compileIssues } = readPolicies(options.policies, compiler)
  const { bindings, issues: bindingIssues } = readBindings(options.bindings)
  const fatal = [...compileIssues, ...bindingIssues]
  if (fatal.length > 0) return { ok: false, issues: fatal }
  const outcome = createPolicySet({ policies, bindings, enforcement: options.enforcement })
  if (!outcome.ok) return outcome
  const warnings = options.strictTypes === true ? policies.flatMap((policy) => policy.warnings) : []
  if (warnings.length > 0) return { ok: false, issues: warnings }
  return { ...outcome, issues: policies.flatMap(({ issues }) => issues) }
}

/**
 * The policies below some paths, compiled. A later path replaces what an earlier one has under the same name or code.
 * `issues`: what could not even be placed in a set.
 */
export function readPolicies(
  paths: readonly string[],
  compiler: PolicyCompiler,
): { readonly policies: readonly Policy[]; readonly issues: readonly PolicyIssue[] } {
  let policies: readonly Policy[] = []
  const issues: PolicyIssue[] = []
  for (const path of paths) {
    const found: Policy[] = []
    for (const { document, file } of documentsOf(path, 'policy.yaml', issues)) {
      if (kindOf(document) === 'MeshPolicyBinding') continue
      const outcome = compiler.compile(document, file)
      if (outcome.ok) found.push(outcome.policy)
      else issues.push(...outcome.issues)
    }
    policies = [...policies.filter((earlier) => !found.some((later) => sameRule(earlier, later))), ...found]
  }
  return { policies, issues }
}

/** The API groups that the policies below some paths are about. */
export function readPolicyGroups(paths: readonly string[]): ReadonlySet<string> {
  const heads = paths.flatMap((path) =>
    documentsOf(path, 'policy.yaml', []).map(({ document }) => readPolicyHead(asObject(document.value))),
  )
  return new Set(heads.flatMap((head) => head?.match.resourceRules.flatMap(({ apiGroups }) => apiGroups) ?? []))
}

function sameRule(a: Policy, b: Policy): boolean {
  return a.name === b.name || a.code === b.code
}

function readBindings(paths: readonly string[]): {
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

interface FoundDocument {
  readonly document: YamlDocument
  readonly file: string
}

function documentsOf(path: string, fileName: string | undefined, issues: PolicyIssue[]): readonly FoundDocument[] {
  const found: FoundDocument[] = []
  let current = path
  try {
    for (const file of filesBelow(path, fileName)) {
      current = file
      for (const outcome of parseYamlDocuments(readFileSync(file, 'utf8'))) {
        if (outcome.ok) found.push({ document: outcome.document, file })
        else issues.push({ ...outcome.error, file })
      }
    }
  } catch (error) {
    issues.push({ code: 'POLICY-FILE', file: current, line: 1, column: 1, message: readingProblem(error).message })
  }
  return found
}

function kindOf(document: YamlDocument): unknown {
  return asObject(document.value).kind
}
