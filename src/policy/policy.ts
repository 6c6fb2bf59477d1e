import type { CelProgram } from '../cel/types.ts'
import type { FieldPath } from '../kube/field-path.ts'
import type { Json, JsonObject } from '../kube/json.ts'
import type { PathSteps, TargetSelector } from './json-path.ts'

export type Action = 'Deny' | 'Warn' | 'Audit'
export type Severity = 'error' | 'warning' | 'info'
export type FailurePolicy = 'Fail' | 'Ignore'
/** Those of Kubernetes, and `SCAN`: an object of a mesh that is wholly known is looked at, by a check alone and never at admission. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT' | 'SCAN'

/** A rule as it works: what its text says, compiled once. */
export interface Policy {
  readonly name: string
  /** Permanent: `MTLS-02`. */
  readonly code: string
  readonly title: string
  readonly category: string
  readonly severity: Severity
  readonly description: string
  readonly remediation: string
  readonly failurePolicy: FailurePolicy
  readonly validationActions: readonly Action[]
  readonly match: MatchConstraints
  readonly params: PolicyParams
  /** Undefined where the text does not compile: the policy then answers by its failure policy, saying `issues`. */
  readonly program: PolicyProgram | undefined
  /** Why it does not compile; empty when it does. */
  readonly issues: readonly PolicyIssue[]
  /** What is odd but does not stop it: a field that the schema of the kind does not know. */
  readonly warnings: readonly PolicyIssue[]
  readonly source: PolicySource
}

export interface PolicySource {
  readonly file: string
  /** The text as it was read, for `explain`. */
  readonly spec: JsonObject
}

/** Something wrong with the text of a policy or binding. `line` and `column` are 1-based, in the file. */
export interface PolicyIssue {
  readonly code: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface PolicyParams {
  /** OpenAPI v3, or undefined where anything goes. */
  readonly schema: JsonObject | undefined
  readonly default: JsonObject
}

export interface MatchConstraints {
  readonly resourceRules: readonly ResourceRule[]
  readonly excludeResourceRules: readonly ResourceRule[]
  readonly namespaceSelector: Json | undefined
  readonly objectSelector: Json | undefined
}

/** `*` matches anything, in each list. Names as ValidatingAdmissionPolicy has them. */
export interface ResourceRule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly (Operation | '*')[]
  readonly resourceNames: readonly string[]
}

export interface PolicyProgram {
  readonly matchConditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
  readonly validations: readonly Validation[]
  readonly defaults: readonly DefaultRule[]
  /** Names of the `mesh.*` functions it calls: what it reads of the mesh follows from them. */
  readonly functions: ReadonlySet<string>
}

export interface NamedExpression {
  readonly name: string
  readonly program: CelProgram
}

/** A JSONPath of a rule: as written, and compiled. */
export interface WalkedPath {
  readonly text: string
  readonly select: TargetSelector
  readonly steps: PathSteps
}

/** Where to look: one path or several, and the condition under which a place counts. */
export interface Places {
  /** None = the object itself. */
  readonly forEach: readonly WalkedPath[]
  readonly when: CelProgram | undefined
}

export type Validation = Places & {
  /** Relative to the target: the place that the finding names. */
  readonly field: FieldPath
  readonly message: string | undefined
  readonly messageExpression: CelProgram | undefined
  readonly remediation: string | undefined
  readonly remediationExpression: CelProgram | undefined
  readonly fix: readonly FixStep[]
  /** The strongest action that a finding of this validation leads to, whatever the binding says. */
  readonly atMost: Action | undefined
  readonly check:
    | { readonly kind: 'expression'; readonly program: CelProgram }
    | { readonly kind: 'findings'; readonly program: CelProgram }
}

/**
 * One step of a fix, its path relative to the target. `prune` removes the value and then every parent that is left
 * with nothing but the fields named in `besides`.
 */
export type FixStep =
  | { readonly op: 'set'; readonly path: FieldPath; readonly value: Json }
  | { readonly op: 'set'; readonly path: FieldPath; readonly program: CelProgram }
  | { readonly op: 'remove'; readonly path: FieldPath }
  | { readonly op: 'prune'; readonly path: FieldPath; readonly besides: readonly string[] }

export type DefaultRule = Places & {
  readonly set: readonly DefaultField[]
  /** What a person should know about this default beyond its value. */
  readonly note: string | undefined
}

export interface DefaultField {
  readonly field: FieldPath
  readonly program: CelProgram
}

/** Does the policy ask about other objects than the one that is judged? One that does not compile asks nothing. */
export function readsMesh({ program }: Policy): boolean {
  return (program?.functions.size ?? 0) > 0
}

/** An issue as one line, its place first. */
export function issueLine({ file, line, column, code, message }: PolicyIssue): string {
  return `${file}:${line}:${column}: ${code}: ${message}`
}
