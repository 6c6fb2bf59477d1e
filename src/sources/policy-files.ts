import { readFileSync } from 'node:fs'

import type { YamlDocument } from '../kube/yaml-document.ts'
import { asObject } from '../kube/json.ts'
import { readBinding, type Binding } from '../policy/binding.ts'
import type { PolicyCompiler } from '../policy/compile-policy.ts'
import { readPolicyHead } from '../policy/policy-head.ts'
import { idlePatterns, isNamedBy, type PolicyName } from '../policy/policy-names.ts'
import { createPolicySet, type Enforcement, type PolicySet } from '../policy/policy-set.ts'
import type { Policy, PolicyIssue } from '../policy/policy.ts'
import { filesBelow } from './files-below.ts'
import { readDocuments, type ReadDocuments } from './read-documents.ts'
import { readingProblem } from './reading-problem.ts'

export interface PolicyFilesOptions {
  /** Folders of policies (each policy a folder with a `policy.yaml`), mounted ConfigMaps of them, or single YAML files. */
  readonly policies: readonly string[]
  /** YAML streams of MeshPolicyBinding. */
  readonly bindings: readonly string[]
  readonly enforcement: Enforcement
  /** Names, codes or patterns of policies that are left out, as if they were not there. */
  readonly disabled?: readonly string[]
  /** Files of such, one a line. */
  readonly disabledFiles?: readonly string[]
  /** Are fields that the schema of a kind does not have a reason to refuse the whole? */
  readonly strictTypes?: boolean | undefined
  /** How the documents of a file are read. */
  readonly read?: ReadDocuments
}

export type LoadOutcome =
  /**
   * `issues` of policies that did not compile: they stay in the set and answer by their failure policy. `idle`: of each
   * pattern that was to disable policies and names none, a sentence.
   */
  | {
      readonly ok: true
      readonly set: PolicySet
      readonly issues: readonly PolicyIssue[]
      readonly idle: readonly string[]
    }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/** Reads, compiles and binds everything: one whole set, or every reason why there is none. */
export function loadPolicySet(options: PolicyFilesOptions, compiler: PolicyCompiler): LoadOutcome {
  const { patterns, issues: patternIssues } = readPatterns(options)
  const { policies, disabled, issues: compileIssues } = readPolicies(options.policies, compiler, patterns, options.read)
  const { bindings, issues: bindingIssues } = readBindings(options.bindings)
  const fatal = [...patternIssues, ...compileIssues, ...bindingIssues]
  if (fatal.length > 0) return { ok: false, issues: fatal }
  const outcome = createPolicySet({ policies, bindings, disabled, enforcement: options.enforcement })
  if (!outcome.ok) return outcome
  const warnings = options.strictTypes === true ? policies.flatMap((policy) => policy.warnings) : []
  if (warnings.length > 0) return { ok: false, issues: warnings }
  const issues = policies.flatMap((policy) => policy.issues)
  return { ...outcome, issues, idle: idlePatterns(patterns, [...policies, ...disabled]) }
}

export interface PoliciesRead {
  readonly policies: readonly Policy[]
  /** Those that are left out, which were not compiled. */
  readonly disabled: readonly PolicyName[]
  /** What could not even be placed in a set. */
  readonly issues: readonly PolicyIssue[]
}

/**
 * The policies below some paths, compiled, but for those that the patterns of `without` name. A later path replaces
 * what an earlier one has under the same name or code.
 */
export function readPolicies(
  paths: readonly string[],
  compiler: PolicyCompiler,
  without: readonly string[] = [],
  read: ReadDocuments = readDocuments,
): PoliciesRead {
  let policies: readonly Policy[] = []
  const disabled: PolicyName[] = []
  const issues: PolicyIssue[] = []
  for (const path of paths) {
    const found: Policy[] = []
    for (const { document, file } of documentsOf(path, 'policy.yaml', issues, read)) {
      if (kindOf(document) === 'MeshPolicyBinding') continue
      const head = without.length === 0 ? undefined : readPolicyHead(asObject(document.value))
      if (head !== undefined && isNamedBy(without, head)) {
        disabled.push(head)
        continue
      }
      const outcome = compiler.compile(document, file)
      if (outcome.ok) found.push(outcome.policy)
      else issues.push(...outcome.issues)
    }
    policies = [...policies.filter((earlier) => !found.some((later) => sameRule(earlier, later))), ...found]
  }
  return { policies, disabled, issues }
}

/** Patterns as they are given, and from files: one a line, where a line that begins with # says nothing. */
function readPatterns({ disabled = [], disabledFiles = [] }: PolicyFilesOptions): {
  readonly patterns: readonly string[]
  readonly issues: readonly PolicyIssue[]
} {
  const patterns = [...disabled]
  const issues: PolicyIssue[] = []
  for (const file of disabledFiles) {
    try {
      const lines = readFileSync(file, 'utf8').split('\n')
      patterns.push(...lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#')))
    } catch (error) {
      issues.push(unreadable(file, error))
    }
  }
  return { patterns, issues }
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

function documentsOf(
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

function unreadable(file: string, error: unknown): PolicyIssue {
  return { code: 'POLICY-FILE', file, line: 1, column: 1, message: readingProblem(error).message }
}

function kindOf(document: YamlDocument): unknown {
  return asObject(document.value).kind
}
