import { objectName } from '../../webhook/object-name.ts'
import type { CheckedObject, PlacedFinding } from '../../reports/check-documents.ts'
import type { InputError } from '../../sources/input-error.ts'
import { counts, type FailOn } from '../exit-code.ts'
import type { CheckOutput } from './check-output.ts'

/**
 * JUnit XML, as CI systems read it: a suite for each file, a case for each object. Findings that make the run fail are
 * failures, the others output; what could not be read is an error.
 */
export function formatJunit({ objects, report, failOn }: CheckOutput): string {
  const files = [
    ...new Set([...objects.map(({ manifest }) => manifest.place.file), ...report.errors.map(({ file }) => file)]),
  ]
  const suites = files.map((file) =>
    suiteOf(
      file,
      objects.filter(({ manifest }) => manifest.place.file === file),
      report.errors.filter((error) => error.file === file),
      failOn,
    ),
  )
  const total = suites.reduce(add, NONE)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="meshward"${countsOf(total)}>`,
    ...suites.map(({ xml }) => xml),
    '</testsuites>',
    '',
  ].join('\n')
}

interface Counts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
}

const NONE: Counts = { tests: 0, failures: 0, errors: 0 }

function suiteOf(
  file: string,
  objects: readonly CheckedObject[],
  errors: readonly InputError[],
  failOn: FailOn,
): Counts & { readonly xml: string } {
  const name = file === '-' ? 'standard input' : file === '' ? 'meshward' : file
  const cases = [
    ...objects.map((object) => caseOf(name, object, failOn)),
    ...errors.map((error) => errorCase(name, error)),
  ]
  const total = cases.reduce(add, NONE)
  const xml = [
    `  <testsuite name=${quote(name)}${countsOf(total)}>`,
    ...cases.map((one) => one.xml),
    '  </testsuite>',
  ].join('\n')
  return { ...total, xml }
}

function caseOf(file: string, { ref, findings }: CheckedObject, failOn: FailOn): Counts & { readonly xml: string } {
  const failing = findings.filter(({ reported }) => counts(reported.action, failOn))
  const rest = findings.filter((finding) => !failing.includes(finding))
  const failures = failing.map(
    (finding) =>
      `      <failure type=${quote(finding.reported.code)} message=${quote(lineOf(finding))}>${escape(detailsOf(finding))}</failure>`,
  )
  const output = rest.length === 0 ? [] : [`      <system-out>${escape(rest.map(detailsOf).join('\n\n'))}</system-out>`]
  const open = `    <testcase classname=${quote(file)} name=${quote(objectName(ref))}`
  const inside = [...failures, ...output]
  const xml = inside.length === 0 ? `${open}/>` : [`${open}>`, ...inside, '    </testcase>'].join('\n')
  return { tests: 1, failures: failing.length > 0 ? 1 : 0, errors: 0, xml }
}

function errorCase(
  file: string,
  { code, document, line, column, message }: InputError,
): Counts & { readonly xml: string } {
  const name = document === undefined ? 'file' : `document ${document}`
  const place = line === undefined ? file : `${file}:${line}:${column}`
  const xml = [
    `    <testcase classname=${quote(file)} name=${quote(name)}>`,
    `      <error type=${quote(code)} message=${quote(message)}>${escape(`${place}: ${message}`)}</error>`,
    '    </testcase>',
  ].join('\n')
  return { tests: 1, failures: 0, errors: 1, xml }
}

function lineOf({ reported: { code, field, message } }: PlacedFinding): string {
  return `${code} ${field === '' ? '' : `${field}: `}${message}`
}

function detailsOf(finding: PlacedFinding): string {
  const { action, source, remediation } = finding.reported
  return [
    `${action}: ${lineOf(finding)}`,
    `${source.file}:${source.line}:${source.column}`,
    ...(remediation === '' ? [] : [remediation]),
  ].join('\n')
}

function add(a: Counts, b: Counts): Counts {
  return { tests: a.tests + b.tests, failures: a.failures + b.failures, errors: a.errors + b.errors }
}

function countsOf({ tests, failures, errors }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}"`
}

function quote(text: string): string {
  return `"${escape(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`
}

/** XML 1.0 has no place for control characters and halves of surrogate pairs, not even escaped. */
function escape(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n]|[\uFFFE\uFFFF]|\p{Cs}/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
