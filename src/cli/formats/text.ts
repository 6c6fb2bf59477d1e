import pico from 'picocolors'

import type { Action } from '../../engine/decision.ts'
import type { CheckedObject, PlacedFinding } from '../../reports/check-documents.ts'
import type { InputError } from '../../sources/input-error.ts'
import { objectName } from '../../webhook/object-name.ts'
import { oneLine } from '../../webhook/one-line.ts'
import type { CheckOutput } from './check-output.ts'
import { excerptOfField, excerptOfPosition, type Excerpt } from './excerpt.ts'
import { fixLines } from './fix-lines.ts'

type Colours = ReturnType<typeof pico.createColors>

/**
 * For people: each finding with the line it is about, what to write instead and where to read more, then a summary.
 *
 *     deny[MTLS-02] spec.mtls.mode: mode PERMISSIVE accepts plaintext, which carries no identity
 *       --> pa.yaml:7:11, PeerAuthentication shop/default
 *        |
 *      6 |   mtls:
 *      7 |     mode: PERMISSIVE
 *        |           ^^^^^^^^^^
 *        = set mode to STRICT, or remove it to inherit
 *        = write spec.mtls.mode: STRICT
 *        = read more: meshward explain MTLS-02
 */
export function formatText(output: CheckOutput): string {
  const colours = pico.createColors(output.colour)
  const blocks = [
    ...output.objects.flatMap((object) =>
      object.findings.map((finding) => findingBlock(output, object, finding, colours)),
    ),
    ...output.report.errors.map((error) => errorBlock(error, output.texts, colours)),
  ]
  return `${[...blocks, summary(output)].join('\n\n')}\n`
}

/** An error of the input, with the line that it is about where there is one. */
function errorBlock(error: InputError, texts: ReadonlyMap<string, string>, colours: Colours): string {
  const { code, file, line, column, message } = error
  const head = `${colours.bold(colours.red(`error[${code}]`))} ${colours.bold(message)}`
  if (file === '') return head
  const text = texts.get(file)
  // of what is too large no line is to blame
  if (line === undefined || column === undefined || text === undefined || code === 'DOC-03')
    return `${head}\n  --> ${placeOf(file, line, column)}`
  const excerpt = excerptOfPosition(text, line, column)
  return [head, `  --> ${placeOf(file, line, column)}`, ...excerptLines(excerpt, colours, colours.red)].join('\n')
}

function findingBlock(
  output: CheckOutput,
  object: CheckedObject,
  { reported, path }: PlacedFinding,
  colours: Colours,
): string {
  const { code, action, field, message, remediation, fix, source, related } = reported
  const paint = paintOf(action, colours)
  const where = field === '' ? '' : `${oneLine(field)}: `
  const text = output.texts.get(source.file)
  const excerpt = text === undefined ? undefined : excerptOfField(text, object.manifest, path)
  const gutter = ' '.repeat(gutterOf(excerpt))
  const notes = [
    remediation === '' ? [] : [oneLine(remediation)],
    fix === undefined ? [] : fixLines(object.object, fix),
    (related ?? []).map(
      (other) =>
        `see ${other.name === '' ? `${other.kind} of another namespace` : objectName(other)}${other.field === undefined ? '' : `, ${oneLine(other.field)}`}`,
    ),
    [`read more: meshward explain ${code}`],
  ].flat()
  return [
    `${colours.bold(paint(`${action.toLowerCase()}[${code}]`))} ${colours.bold(`${where}${oneLine(message)}`)}`,
    `  --> ${placeOf(source.file, source.line, source.column)}, ${objectName(reported.object)}`,
    ...(excerpt === undefined ? [] : excerptLines(excerpt, colours, paint)),
    ...notes.map((note) => `${gutter} ${colours.dim('=')} ${note}`),
  ].join('\n')
}

function excerptLines(
  { lines, from, to }: Excerpt,
  colours: Colours,
  paint: (text: string) => string,
): readonly string[] {
  const width = lines.at(-1)?.number.toString().length ?? 1
  const margin = (text: string): string => colours.dim(` ${text.padStart(width)} |`)
  return [
    margin(''),
    ...lines.map(({ number, text }) => `${margin(String(number))} ${text}`),
    `${margin('')} ${' '.repeat(from)}${paint('^'.repeat(to - from))}`,
  ]
}

function gutterOf(excerpt: Excerpt | undefined): number {
  return (excerpt?.lines.at(-1)?.number.toString().length ?? 1) + 1
}

function summary({ report }: CheckOutput): string {
  const { documents, findings, errors, summary: counts } = report
  const objects = documents === 1 ? '1 object checked' : `${documents} objects checked`
  const parts = [
    counts.deny > 0 ? [`${counts.deny} deny`] : [],
    counts.warn > 0 ? [`${counts.warn} warn`] : [],
    counts.audit > 0 ? [`${counts.audit} audit`] : [],
    errors.length > 0 ? [errors.length === 1 ? '1 error' : `${errors.length} errors`] : [],
    findings.length === 0 && errors.length === 0 ? ['nothing found'] : [],
    counts.skipped > 0
      ? [
          `${counts.skipped} ${counts.skipped === 1 ? 'rule' : 'rules'} skipped, since what they refer to is not known here (see --context)`,
        ]
      : [],
  ].flat()
  const fixable = findings.filter(({ fix }) => fix !== undefined).length
  const hint =
    fixable === 0
      ? ''
      : `\n\`meshward fix\` mends ${fixable} of ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}; with --write, in the files`
  return `${objects}: ${parts.join(', ')}${hint}`
}

function placeOf(file: string, line?: number, column?: number): string {
  const name = file === '-' ? 'standard input' : file
  return [name, ...(line === undefined ? [] : [line]), ...(column === undefined ? [] : [column])].join(':')
}

function paintOf(action: Action, colours: Colours): (text: string) => string {
  switch (action) {
    case 'Deny':
      return colours.red
    case 'Warn':
      return colours.yellow
    case 'Audit':
      return colours.cyan
  }
}
