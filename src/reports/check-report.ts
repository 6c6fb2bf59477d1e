import type { Outcome, RelatedObject, Severity, Action } from '../engine/decision.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import type { ObjectRef } from '../kube/object.ts'
import type { InputError } from '../sources/input-error.ts'

/** The answer to `check -o json` and `POST /dry-run`. Fields are never renamed or given another meaning. */
export interface CheckReport {
  /** Objects judged; the items of a List count one by one. */
  readonly documents: number
  readonly findings: readonly ReportedFinding[]
  readonly errors: readonly InputError[]
  readonly summary: CheckSummary
}

export interface ReportedFinding {
  readonly code: string
  readonly policy: string
  readonly outcome: Outcome
  readonly action: Action
  readonly actions: readonly Action[]
  readonly severity: Severity
  readonly object: ObjectRef
  readonly source: FindingSource
  readonly field: string
  readonly message: string
  readonly remediation: string
  readonly fix?: JsonPatch
  readonly related?: readonly RelatedObject[]
}

/** Where a finding is written: its field or, where that is missing, the nearest parent that exists. */
export interface FindingSource {
  readonly file: string
  readonly document: number
  readonly item?: number
  readonly line: number
  readonly column: number
}

export interface CheckSummary {
  /** Findings by what they lead to. */
  readonly deny: number
  readonly warn: number
  readonly audit: number
  /** Findings of rules that could not be evaluated; they are among the three above as well. */
  readonly error: number
  /** Rules that could not be judged for want of knowledge. */
  readonly skipped: number
}

/** Counts findings. */
export function summarize(findings: readonly ReportedFinding[], skipped: number): CheckSummary {
  const count = (action: Action): number => findings.filter((finding) => finding.action === action).length
  return {
    deny: count('Deny'),
    warn: count('Warn'),
    audit: count('Audit'),
    error: findings.filter(({ outcome }) => outcome === 'error').length,
    skipped,
  }
}
