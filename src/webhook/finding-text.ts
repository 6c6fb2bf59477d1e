import type { Finding } from '../engine/decision.ts'
import { toPointer } from '../kube/field-path.ts'
import type { Json } from '../kube/json.ts'
import { oneLine, shorten } from './one-line.ts'

/** `MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set mode to STRICT, or remove it to inherit` */
export function findingLine(finding: Finding): string {
  const what = `${headOf(finding)}${withoutStop(oneLine(finding.message))}`
  const todo = inSentence(withoutStop(oneLine(finding.remediation)))
  return todo === '' ? what : `${what}; ${todo}`
}

/** The short form, `MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set STRICT`, of at most `most` characters. What is wrong gives way to what to write. */
export function shortFindingLine(finding: Finding, most: number): string {
  const head = headOf(finding)
  const what = withoutStop(oneLine(finding.message))
  const todo = `; ${shortRemedy(finding)}`
  const room = most - head.length
  const forWhat = Math.max(room - todo.length, Math.min(what.length, Math.floor(room / 4)))
  const text = `${head}${shorten(what, forWhat)}`
  return shorten(`${text}${shorten(todo, most - text.length)}`, most)
}

/** What is wrong before what could not be found out, each in its order: lists for people end somewhere. */
export function knownFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => Number(a.outcome === 'error') - Number(b.outcome === 'error'))
}

/** A value as a person would write it in YAML, on one line. */
export function valueText(value: Json): string {
  return typeof value === 'string' ? oneLine(value) : JSON.stringify(value)
}

function headOf({ code, field }: Finding): string {
  return field === '' ? `${code}: ` : `${code} ${oneLine(field)}: `
}

/** What a one-step fix says in two words; else the remediation's first sentence. */
function shortRemedy({ fix, path, remediation }: Finding): string {
  const [step, ...more] = fix ?? []
  if (step !== undefined && more.length === 0 && step.path === toPointer(path)) {
    if (step.op === 'remove') return 'remove it'
    if (step.op !== 'test' && (typeof step.value !== 'object' || step.value === null))
      return `set ${valueText(step.value)}`
  }
  const [sentence = ''] = oneLine(remediation).split(/\.(?:\s|$)/)
  return inSentence(sentence)
}

function withoutStop(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text
}

/** A sentence as the second half of one: `Set mode` → `set mode`, but `STRICT is` stays. */
function inSentence(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text
}
