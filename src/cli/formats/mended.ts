import { inlineText } from '../../kube/yaml-text.ts'
import type { ReportedFinding } from '../../reports/check-report.ts'
import type { FixedObject } from '../../reports/fix-documents.ts'
import { objectName } from '../../webhook/object-name.ts'
import { oneLine } from '../../webhook/one-line.ts'

/** What was mended in an object, one line each. */
export function mendedLines({ manifest, ref, filled, fixed }: FixedObject): readonly string[] {
  const where = `${fileOf(manifest.place.file)}, ${objectName(ref)}`
  return [
    ...fixed.map(({ code, field, message }) => `fixed ${code} in ${where}: ${fieldOf(field)}${oneLine(message)}`),
    ...filled.map(({ code, field, value, note }) => {
      const why = note === undefined ? '' : ` (${oneLine(note)})`
      return `filled ${code} in ${where}: ${oneLine(field)}: ${inlineText(value)}${why}`
    }),
  ]
}

/** An object whose mended form cannot be written where it stands. */
export function refusedLine({ manifest, ref, patch }: FixedObject): string {
  return (
    `not changed: ${fileOf(manifest.place.file)}, ${objectName(ref)}: its values are shared with others by an anchor or a merge; ` +
    `apply this by hand: ${JSON.stringify(patch)}`
  )
}

/** What nobody but a person can mend, one line each. */
export function leftLines(findings: readonly ReportedFinding[]): readonly string[] {
  return findings.map(({ action, code, field, message, remediation, source }) => {
    const place = `${fileOf(source.file)}:${source.line}:${source.column}`
    const todo = remediation === '' ? '' : `; ${oneLine(remediation)}`
    return `left ${action.toLowerCase()} ${code} at ${place}: ${fieldOf(field)}${oneLine(message)}${todo}`
  })
}

function fieldOf(field: string): string {
  return field === '' ? '' : `${oneLine(field)}: `
}

function fileOf(file: string): string {
  return file === '-' ? 'standard input' : file
}
