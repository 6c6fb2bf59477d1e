import type { YamlDocument } from '../kube/yaml-document.ts'
import { asObject } from '../kube/json.ts'
import type { PolicyCompiler } from '../policy/compile-policy.ts'
import { readPolicyHead } from '../policy/policy-head.ts'
import { idlePatterns, isNamedBy, type PolicyName } from '../policy/policy-names.ts'
import { createPolicySet, type Enforcement, type PolicySet } from '../policy/policy-set.ts'
import type { Policy, PolicyIssue } from '../policy/policy.ts'
import { readBindings } from './binding-files.ts'
import { documentsOf } from './policy-documents.ts'
import { readNameFiles } from './name-files.ts'
import { readProfiles } from './profiles.ts'
import { readDocuments, type ReadDocuments } from './read-documents.ts'

export interface PolicyFilesOptions {
  /** Folders of policies (each policy a folder with a `policy.yaml`), mounted ConfigMaps of them, or single YAML files. */
  readonly policies: readonly string[]
  /** YAML streams of MeshPolicyBinding. */
  readonly bindings: readonly string[]
  /** Names of profiles, or files of one's own, and what they bind is bound by the last that does. */
  readonly profiles?: readonly string[]
  /** Files of such, one a line. */
  readonly profileFiles?: readonly string[]
  /** The folder of the profiles that have names. */
  readonly shippedProfiles?: string
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
  const without = readNameFiles(options.disabledFiles ?? [])
  const patterns = [...(options.disabled ?? []), ...without.names]
  const { policies, disabled, issues } = readPolicies(options.policies, compiler, patterns, options.read)
  const bound = readBindings(options.bindings)
  const named = readNameFiles(options.profileFiles ?? [])
  const profiles = readProfiles([...(options.profiles ?? []), ...named.names], options.shippedProfiles)
  const fatal = [...without.issues, ...issues, ...bound.issues, ...named.issues, ...profiles.issues]
  if (fatal.length > 0) return { ok: false, issues: fatal }
  const { enforcement } = options
  const outcome = createPolicySet({ policies, ...bound, ...profiles, disabled, enforcement })
  if (!outcome.ok) return outcome
  const warnings = options.strictTypes === true ? policies.flatMap((policy) => policy.warnings) : []
  if (warnings.length > 0) return { ok: false, issues: warnings }
  return {
    ...outcome,
    issues: policies.flatMap((policy) => policy.issues),
    idle: idlePatterns(patterns, [...policies, ...disabled]),
  }
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

function kindOf(document: YamlDocument): unknown {
  return asObject(document.value).kind
}
