import type { Action } from '../engine/decision.ts'
import type { CheckReport } from '../reports/check-report.ts'
import type { ExitCode } from './cli-io.ts'

/** From which action on a finding makes a run fail. */
export type FailOn = 'deny' | 'warn' | 'audit' | 'never'

export const FAIL_ON: readonly FailOn[] = ['deny', 'warn', 'audit', 'never']

const LEVEL: Readonly<Record<Action, number>> = { Deny: 0, Warn: 1, Audit: 2 }

/** The exit code that a report leads to: what could not be judged beats what was found. */
export function exitCodeOf(report: CheckReport, failOn: FailOn): ExitCode {
  if (report.errors.length > 0) return 2
  return report.findings.some(({ action }) => counts(action, failOn)) ? 1 : 0
}

/** Does a finding of this action make the run fail? */
export function counts(action: Action, failOn: FailOn): boolean {
  return failOn !== 'never' && LEVEL[action] <= FAIL_ON.indexOf(failOn)
}
