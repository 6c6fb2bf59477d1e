import type { Decision, Filled } from '../engine/decision.ts'
import { oneLine, shorten } from './one-line.ts'
import { knownFirst, shortFindingLine, valueText } from './finding-text.ts'

/** Kubernetes asks for lines of at most 120 characters (admission/v1 AdmissionResponse.warnings). */
const MOST_CHARACTERS = 120

/** The API server keeps 4 KiB of warnings of all webhooks together; ten lines of ours are 1.2 KiB of them. */
const MOST_LINES = 10

/** One line for each finding that warns, `CODE field: what; set X`; what denies is in the denial's message. */
export function findingWarnings(decision: Decision): readonly string[] {
  const warned = decision.findings.filter(({ action, outcome }) => action === 'Warn' && outcome !== 'skip')
  const lines = knownFirst(warned)
    .slice(0, MOST_LINES)
    .map((finding) => shortFindingLine(finding, MOST_CHARACTERS))
  return withRest(lines, warned.length)
}

/**
 * One line for each default that was filled: what, with which value, by which rule. Places in a list that got the same
 * value by the same rule share one. What merely restores a value that the stored object has is not worth a word.
 */
export function filledWarnings(decision: Decision): readonly string[] {
  const groups = Map.groupBy(
    decision.filled.filter(({ restored }) => restored !== true),
    ({ code, field, value }) => JSON.stringify([code, field.replaceAll(/\[\d+\]/g, '[]'), value]),
  )
  const lines = [...groups.values()].slice(0, MOST_LINES).map(filledLine)
  return withRest(lines, groups.size)
}

function filledLine(group: readonly Filled[]): string {
  const [first] = group
  if (first === undefined) return ''
  const { code, field, value, note } = first
  const others = group.length > 1 ? ` and ${group.length - 1} more` : ''
  const line = `${code} ${oneLine(field)}${others}: was absent, is now ${valueText(value)}`
  return shorten(note === undefined ? line : `${line}; ${oneLine(note)}`, MOST_CHARACTERS)
}

function withRest(lines: readonly string[], total: number): readonly string[] {
  return total > lines.length ? [...lines, `+${total - lines.length} more`] : lines
}
