import type { Decision } from '../engine/decision.ts'

/**
 * What the cluster's audit log keeps of a decision. The API server puts the webhook's name before each key:
 * `validate.meshward.io/denied: MTLS-02,RES-01`. `decision-id` is the uid of the log line about the same request.
 */
export function auditAnnotations(decision: Decision): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = { 'decision-id': decision.uid }
  const failed = decision.findings.filter(({ outcome }) => outcome === 'fail')
  const note = (key: string, items: readonly { readonly code: string }[]): void => {
    if (items.length > 0) annotations[key] = [...new Set(items.map(({ code }) => code))].join(',')
  }
  note(
    'denied',
    decision.findings.filter(({ action }) => action === 'Deny'),
  )
  note(
    'warned',
    failed.filter(({ action }) => action === 'Warn'),
  )
  note(
    'audited',
    failed.filter(({ actions }) => actions.includes('Audit')),
  )
  note(
    'not-evaluated',
    decision.findings.filter(({ outcome }) => outcome === 'error'),
  )
  note(
    'filled',
    decision.filled.filter(({ restored }) => restored !== true),
  )
  return annotations
}
