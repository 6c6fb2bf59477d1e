import { suggestion } from './check/unknown-field.ts'
import type { CelIssue, CelRuntimeError } from './types.ts'

/** What is known where an expression is compiled, for suggestions. */
export interface KnownNames {
  readonly variables: readonly string[]
  readonly functions: readonly string[]
}

/** An error that the engine threw while it parsed or checked. Renamed functions get their names back. */
export function toIssue(
  error: unknown,
  source: string,
  known: KnownNames,
  originals: ReadonlyMap<string, string>,
): CelIssue {
  const { code, summary, start, end } = detailsOf(error, originals)
  return { ...describe(code, summary, known), start, end, ...positionOf(source, start) }
}

/** An issue of our own at a range of the source. */
export function issueAt(source: string, code: string, message: string, start: number, end: number): CelIssue {
  return { code, message, start, end, ...positionOf(source, start) }
}

/** Why an evaluation failed, with the sub-expression it failed on. */
export function toRuntimeError(
  error: unknown,
  source: string,
  originals: ReadonlyMap<string, string>,
): CelRuntimeError {
  const { summary, start, end } = detailsOf(error, originals)
  const part = source.slice(start, end).replaceAll(/\s+/g, ' ')
  const where = part === '' || part.length > 80 ? '' : ` in ${part}`
  return { code: 'CEL-RUNTIME', message: `${lowerFirst(withoutStructures(summary))}${where}`, start, end }
}

/** The engine writes a key into its message as JavaScript does, which of a map says nothing. */
function withoutStructures(summary: string): string {
  return /^No such key: [^]*\[object /.test(summary) ? 'no such key (keys are texts, numbers and booleans)' : summary
}

interface Details {
  readonly code: string
  readonly summary: string
  readonly start: number
  readonly end: number
}

function detailsOf(error: unknown, originals: ReadonlyMap<string, string>): Details {
  // The engine's parser calls itself for each `!` and `-`.
  if (error instanceof RangeError) return { code: 'limit_exceeded', summary: 'too many levels', start: 0, end: 0 }
  if (!(error instanceof Error)) return { code: '', summary: 'the expression failed', start: 0, end: 0 }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message
  const range = 'range' in error && typeof error.range === 'object' && error.range !== null ? error.range : {}
  const start = 'start' in range && typeof range.start === 'number' ? range.start : 0
  const end = 'end' in range && typeof range.end === 'number' ? range.end : start
  return { code, summary: withOriginalNames(summary, originals), start, end }
}

function describe(
  code: string,
  summary: string,
  known: KnownNames,
): { readonly code: string; readonly message: string } {
  switch (code) {
    case 'unknown_variable': {
      const name = summary.replace('Unknown variable: ', '')
      if (name === 'authorizer') return { code: 'CEL-UNKNOWN-NAME', message: NO_AUTHORIZER }
      return { code: 'CEL-UNKNOWN-NAME', message: `unknown name "${name}"${suggestion(name, known.variables)}` }
    }
    case 'no_such_key': {
      const name = summary.replace('No such key: ', '')
      return { code: 'CEL-UNKNOWN-FIELD', message: `unknown field "${name}"` }
    }
    case 'no_matching_overload': {
      const name = /'(?:[^'(]*\.)?(\w+)\(/.exec(summary)?.[1] ?? ''
      if (known.functions.includes(name)) return { code: 'CEL-TYPE', message: summary }
      return { code: 'CEL-UNKNOWN-FUNCTION', message: `unknown function "${name}"${suggestion(name, known.functions)}` }
    }
    case 'limit_exceeded':
      return { code: 'CEL-LIMIT', message: `the expression is too large: ${lowerFirst(summary)}` }
    case 'no_such_overload':
    case 'invalid_logical_operand':
    case 'invalid_condition_type':
    case 'incompatible_ternary_branches':
      return { code: 'CEL-TYPE', message: lowerFirst(summary) }
    default:
      return { code: 'CEL-SYNTAX', message: lowerFirst(summary) }
  }
}

const NO_AUTHORIZER =
  'there is no "authorizer" here: it asks the API server who may do what, and a policy of Meshward asks nobody; keep this rule in a ValidatingAdmissionPolicy'

function withOriginalNames(text: string, originals: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\b[a-z]+_\w+/g, (name) => originals.get(name) ?? name)
}

/** Line and column, both from 1, of an offset. */
export function positionOf(source: string, offset: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, offset)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - start + 1 }
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text
}
