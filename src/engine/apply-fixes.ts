import { applyJsonPatch } from '../kube/apply-patch.ts'
import type { JsonObject } from '../kube/json.ts'
import type { Decision, Finding } from './decision.ts'

/** Fixing one thing may move another, so the object is judged again after each; this many times at most. */
const MOST_FIXES = 1000

export interface Fixed {
  readonly object: JsonObject
  /** What was mended, in order. */
  readonly fixed: readonly Finding[]
  /** The decision on the object as it is now; its findings are what has no fix. */
  readonly decision: Decision
}

/**
 * Applies the fixes of an object's findings one after the other, judging again after each, until no finding has one
 * that changes anything. `judge` decides on one version of the object. Pure as far as `judge` is.
 */
export function applyFixes(object: JsonObject, judge: (object: JsonObject) => Decision): Fixed {
  const fixed: Finding[] = []
  const tried = new Set<string>()
  let current = object
  let decision = judge(current)
  while (fixed.length < MOST_FIXES) {
    const next = decision.findings.find((finding) => finding.fix !== undefined && !tried.has(keyOf(finding)))
    if (next?.fix === undefined) break
    const mended = applyJsonPatch(current, next.fix)
    const after = mended === undefined ? decision : judge(mended)
    const fewer = after.findings.length < decision.findings.length
    // Where one finding takes the place of another, each is mended once: two rules may want opposite things.
    if (!fewer) tried.add(keyOf(next))
    if (mended === undefined || (!fewer && after.findings.some((finding) => keyOf(finding) === keyOf(next)))) continue
    current = mended
    decision = after
    fixed.push(next)
  }
  return { object: current, fixed, decision }
}

function keyOf(finding: Finding): string {
  return `${finding.code} ${finding.field} ${finding.message}`
}
