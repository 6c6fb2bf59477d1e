import type { Decision } from '../engine/decision.ts'

/** A decision in one word, for logs and metrics. `unjudged`: nothing that is judged has changed, or no rule applies. */
export type Verdict = 'allow' | 'warn' | 'deny' | 'mutate' | 'unjudged'

/** Of a validation: deny before warn before allow. Of a mutation: whether anything was filled. */
export function verdictOf(decision: Decision): Verdict {
  if (!decision.judged) return 'unjudged'
  if (!decision.allowed) return 'deny'
  if (decision.patch.length > 0) return 'mutate'
  return decision.findings.some(({ action }) => action === 'Warn') ? 'warn' : 'allow'
}
