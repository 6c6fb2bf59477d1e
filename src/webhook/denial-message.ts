import type { Decision, Finding } from '../engine/decision.ts'
import { findingLine, knownFirst } from './finding-text.ts'
import { objectName } from './object-name.ts'

/** More than these do not help a person who reads them in a terminal; fixing these shows the rest. */
const MOST_LINES = 10

/** The findings that refuse the object. */
export function denials(decision: Decision): readonly Finding[] {
  return decision.findings.filter(({ action }) => action === 'Deny')
}

/**
 * What kubectl shows of a denial: a first line with the count and the object, then one indented line per finding.
 *
 *     2 problems in PeerAuthentication shop/default:
 *       MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set mode to STRICT, or remove it to inherit
 *       MTLS-03 spec.portLevelMtls[8443].mode: …
 */
export function denialMessage(decision: Decision): string {
  return problemsOf(decision.object, denials(decision))
}

/** What is wrong with an object, in the same form. */
export function problemsOf(object: Decision['object'], findings: readonly Finding[]): string {
  const count = findings.length === 1 ? '1 problem' : `${findings.length} problems`
  const lines = knownFirst(findings)
    .slice(0, MOST_LINES)
    .map((finding) => `\n  ${findingLine(finding)}`)
  const more = findings.length > MOST_LINES ? `\n  +${findings.length - MOST_LINES} more` : ''
  return `${count} in ${objectName(object)}:${lines.join('')}${more}`
}
