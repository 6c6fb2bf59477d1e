import type { CheckReport } from '../../reports/check-report.ts'
import type { CheckedObject } from '../../reports/check-documents.ts'
import type { Policy } from '../../policy/policy.ts'
import type { FailOn } from '../exit-code.ts'

/** Everything that an output format may show of a check. */
export interface CheckOutput {
  readonly report: CheckReport
  readonly objects: readonly CheckedObject[]
  /** The rules that were asked. */
  readonly policies: readonly Policy[]
  /** The texts that were read, by file. */
  readonly texts: ReadonlyMap<string, string>
  readonly failOn: FailOn
  readonly colour: boolean
  readonly version: string
}

/** Writes a check in one format, with the line break that ends it. */
export type CheckFormat = (output: CheckOutput) => string
