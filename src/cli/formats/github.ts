import type { Action } from '../../engine/decision.ts'
import type { CheckOutput } from './check-output.ts'

/**
 * Annotations of GitHub Actions, one line for each finding and error.
 * Source: actions/toolkit `packages/core/src/command.ts` (escapeData, escapeProperty).
 */
export function formatGithub({ report }: CheckOutput): string {
  const findings = report.findings.map(({ action, code, field, message, remediation, source }) => {
    const text = `${field === '' ? '' : `${field}: `}${message}${remediation === '' ? '' : `\n${remediation}`}`
    return annotation(LEVEL[action], { ...place(source), title: code }, text)
  })
  const errors = report.errors.map((error) =>
    annotation('error', { ...place(error), title: error.code }, error.message),
  )
  const { deny, warn, audit } = report.summary
  const summary = `${report.documents} objects checked: ${deny} deny, ${warn} warn, ${audit} audit, ${report.errors.length} errors`
  return `${[...findings, ...errors, summary].join('\n')}\n`
}

const LEVEL: Readonly<Record<Action, string>> = { Deny: 'error', Warn: 'warning', Audit: 'notice' }

type Properties = Readonly<Record<string, string | number | undefined>>

function place(source: { readonly file: string; readonly line?: number; readonly column?: number }): Properties {
  const { file, line, column } = source
  return file === '' || file === '-' ? {} : { file, line, col: column }
}

function annotation(level: string, properties: Properties, message: string): string {
  const list = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escape(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`],
  )
  return `::${level}${list.length === 0 ? '' : ` ${list.join(',')}`}::${escape(message)}`
}

function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
