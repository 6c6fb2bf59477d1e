import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { isAbsolute } from 'node:path'
import type { Fix, Log, Notification, ReportingDescriptor, Result } from 'sarif'

import type { Action } from '../../engine/decision.ts'
import { applyJsonPatch } from '../../kube/apply-patch.ts'
import type { JsonPatch } from '../../kube/json-patch.ts'
import { dealias, findPlace } from '../../kube/source-node.ts'
import { rewriteSource } from '../../kube/rewrite-source.ts'
import { setValue } from '../../engine/set-value.ts'
import type { Policy } from '../../policy/policy.ts'
import type { CheckedObject, PlacedFinding } from '../../reports/check-documents.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { CheckOutput } from './check-output.ts'

/**
 * SARIF 2.1.0, as code scanning reads it: rules, results with their places and with fixes as replacements of text, and
 * what could not be read as notifications of the run.
 */
export function formatSarif(output: CheckOutput): string {
  const { objects, policies, report, version } = output
  const index = new Map(policies.map(({ code }, position) => [code, position]))
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'meshward', version, semanticVersion: version, rules: policies.map(toRule) } },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: report.errors.length === 0,
            toolExecutionNotifications: report.errors.map(toNotification),
          },
        ],
        results: objects.flatMap((object) =>
          object.findings.map((finding) => toResult(output, object, finding, index.get(finding.reported.code))),
        ),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

function toRule({ code, name, title, description, remediation, category, severity }: Policy): ReportingDescriptor {
  return {
    id: code,
    name,
    shortDescription: { text: title || name },
    fullDescription: { text: description || title || name },
    help: { text: `${remediation || title || name}. Read more: meshward explain ${code}` },
    defaultConfiguration: { level: severity === 'info' ? 'note' : severity },
    properties: { tags: [category] },
  }
}

function toResult(
  output: CheckOutput,
  object: CheckedObject,
  { reported, path }: PlacedFinding,
  ruleIndex: number | undefined,
): Result {
  const { code, action, field, message, remediation, source, fix, object: ref } = reported
  const text = output.texts.get(source.file)
  const { node } = findPlace(object.manifest.document.root, [...object.manifest.path, ...path])
  const marked =
    dealias(node).kind === 'scalar' && text !== undefined && !text.slice(node.start, node.end).includes('\n')
  const region = {
    startLine: source.line,
    startColumn: source.column,
    ...(marked && node.end > node.start
      ? { endLine: source.line, endColumn: source.column + node.end - node.start }
      : {}),
  }
  const fullyQualifiedName = [ref.kind, ref.namespace, ref.name, field].filter((part) => part !== '').join('/')
  return {
    ruleId: code,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level: LEVEL[action],
    message: { text: `${field === '' ? '' : `${field}: `}${message}${remediation === '' ? '' : `; ${remediation}`}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(source.file) }, region },
        logicalLocations: [{ name: field === '' ? ref.name : field, fullyQualifiedName, kind: 'member' }],
      },
    ],
    partialFingerprints: { 'meshward/v1': fingerprint([code, ref.kind, ref.namespace, ref.name, field]) },
    ...(fix === undefined || text === undefined ? {} : toFixes(object, text, fix, remediation)),
  }
}

function toFixes(
  { manifest }: CheckedObject,
  text: string,
  fix: JsonPatch,
  remediation: string,
): { readonly fixes?: Fix[] } {
  const object = applyJsonPatch(manifest.object, fix)
  if (object === undefined) return {}
  const { document } = manifest
  const splices = rewriteSource(text, document.root, setValue(document.value, manifest.path, object))
  if (splices.length === 0) return {}
  const replacements = splices.map(({ start, end, text: inserted }) => {
    const from = positionIn(text, start)
    const to = positionIn(text, end)
    return {
      deletedRegion: { startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column },
      insertedContent: { text: inserted },
    }
  })
  const artifactLocation = { uri: uriOf(manifest.place.file) }
  return {
    fixes: [
      { description: { text: remediation || 'apply the fix' }, artifactChanges: [{ artifactLocation, replacements }] },
    ],
  }
}

function toNotification({ code, file, line, column, message }: InputError): Notification {
  const region =
    line === undefined ? {} : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } }
  const locations =
    file === '' ? {} : { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }] }
  return { descriptor: { id: code }, level: 'error', message: { text: message }, ...locations }
}

const LEVEL: Readonly<Record<Action, Result.level>> = { Deny: 'error', Warn: 'warning', Audit: 'note' }

function positionIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** Relative paths stay relative, so that the log means the same on another machine. */
function uriOf(file: string): string {
  if (file === '-') return 'stdin'
  if (isAbsolute(file)) return pathToFileURL(file).href
  return file.split(/[\\/]/).map(encodeURIComponent).join('/')
}

function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
