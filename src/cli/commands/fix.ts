import { Option, type Command } from 'commander'
import { writeFileSync } from 'node:fs'

import { checkDocuments, type CheckInput } from '../../reports/check-documents.ts'
import type { CheckReport } from '../../reports/check-report.ts'
import { unifiedDiff } from '../../reports/describe-objects.ts'
import { fixDocuments, type FixedObject } from '../../reports/fix-documents.ts'
import { rewriteText } from '../../reports/rewrite-text.ts'
import type { InputError } from '../../sources/input-error.ts'
import { locateField, readManifests, type Manifest, type SourceText } from '../../sources/manifests.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import {
  addDocumentOptions,
  isAllOther,
  readDocuments,
  skipOthersOption,
  type DocumentOptions,
  type OtherFilesOptions,
} from '../document-options.ts'
import { exitCodeOf, FAIL_ON, type FailOn } from '../exit-code.ts'
import { leftLines, mendedLines, refusedLine } from '../formats/mended.ts'
import { addPolicyOptions, loadPolicies, type PolicyOptions } from '../policy-options.ts'
import { printErrors } from '../print-errors.ts'

interface FixOptions extends PolicyOptions, DocumentOptions, OtherFilesOptions {
  readonly output: 'diff' | 'patch' | 'yaml'
  readonly write: boolean
  readonly failOn: FailOn
  readonly defaults: CheckInput['defaults']
}

/** `meshward fix PATH…`: fills defaults and applies the safe fixes, as a patch, a diff, whole, or in the files. */
export function addFixCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  const command = program
    .command('fix')
    .summary('fill defaults and apply the safe fixes of what is found')
    .argument('<paths...>', 'files, folders, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'a unified diff, JSON Patches, or the documents as they would be')
        .choices(['diff', 'patch', 'yaml'])
        .default('diff'),
    )
    .option('--write', 'change the files in place; comments, order and quoting stay', false)
    .addOption(
      new Option('--fail-on <level>', 'from what on findings that are left lead to exit code 1')
        .choices(FAIL_ON)
        .default('deny'),
    )
    .addOption(
      new Option('--defaults <mode>', 'fill defaults, or apply the fixes of findings only')
        .choices(['inject', 'off'])
        .default('inject'),
    )
    .addOption(skipOthersOption())
  addDocumentOptions(addPolicyOptions(command)).action(async (paths: readonly string[], options: FixOptions) => {
    exit(await fix(paths, options, io))
  })
}

/** A text before and after, with the objects in it. */
interface FixedText {
  readonly before: SourceText
  readonly after: SourceText
  readonly objects: readonly FixedObject[]
  /** Objects whose changes cannot be written in place. */
  readonly refused: readonly FixedObject[]
}

async function fix(paths: readonly string[], options: FixOptions, io: CliIo): Promise<ExitCode> {
  if (options.write && paths.includes('-')) {
    const message = 'standard input cannot be written in place; leave out --write and use -o yaml'
    printErrors([{ code: 'CLI-02', file: '-', message }], io)
    return 2
  }
  const policies = loadPolicies(options, io)
  if (!policies.ok) {
    printErrors(policies.errors, io)
    return 2
  }
  const { texts, input } = await readDocuments(paths, policies.set, options, io)
  if (isAllOther(options, input)) {
    printErrors(policies.errors, io)
    return policies.errors.length > 0 ? 2 : 0
  }
  const fixed = fixTexts(texts, fixDocuments(input))
  const left = whatIsLeft(fixed, input, options.write)
  const writeErrors = options.write ? writeFiles(fixed, io) : []
  if (!options.write) io.print(formatFixed(fixed, options.output))
  const tell = options.write ? (line: string) => io.print(`${line}\n`) : io.comment
  for (const { objects, refused } of fixed) {
    for (const object of objects) if (!refused.includes(object)) mendedLines(object).forEach(tell)
    for (const object of refused) tell(refusedLine(object))
  }
  leftLines(left.findings).forEach(tell)
  const errors = [...policies.errors, ...left.errors, ...writeErrors]
  printErrors(errors, io)
  return exitCodeOf({ ...left, errors }, options.failOn)
}

function fixTexts(texts: readonly SourceText[], objects: readonly FixedObject[]): readonly FixedText[] {
  return texts.map((before) => {
    const here = objects.filter(({ manifest }) => manifest.place.file === before.file)
    const { text, refused } = rewriteText(before.text, here)
    return {
      before,
      after: { ...before, text },
      objects: here,
      refused: here.filter((object) => refused.includes(object)),
    }
  })
}

/** What is found and cannot be read in the documents as they are now, at its places in the texts that the person has. */
function whatIsLeft(fixed: readonly FixedText[], input: CheckInput, written: boolean): CheckReport {
  const now = readManifests(fixed.map(({ after }) => after))
  const files = new Set(fixed.map(({ before }) => before.file))
  const elsewhere = input.read.errors.filter(({ file, document }) => document === undefined || !files.has(file))
  const read = { ...now, errors: written ? [...elsewhere, ...now.errors] : input.read.errors }
  const { objects, report } = checkDocuments({ ...input, read, defaults: 'off' })
  if (written) return report
  const before = new Map(input.read.manifests.map((manifest) => [placeKey(manifest), manifest]))
  const findings = objects.flatMap((object) =>
    object.findings.map(({ reported, path }) => {
      const manifest = before.get(placeKey(object.manifest)) ?? object.manifest
      return { ...reported, source: { ...manifest.place, ...locateField(manifest, path) } }
    }),
  )
  return { ...report, findings }
}

function placeKey({ place: { file, document, item } }: Manifest): string {
  return JSON.stringify([file, document, item])
}

function writeFiles(fixed: readonly FixedText[], io: CliIo): readonly InputError[] {
  const errors: InputError[] = []
  for (const { before, after } of fixed) {
    if (before.text === after.text) continue
    try {
      writeFileSync(after.file, after.text)
      io.comment(`${after.file} written`)
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      errors.push({
        code: 'FILE-05',
        file: after.file,
        message: `this cannot be written (${reason}); nothing in it has changed`,
      })
    }
  }
  return errors
}

function formatFixed(fixed: readonly FixedText[], output: FixOptions['output']): string {
  switch (output) {
    case 'diff':
      return fixed.map(({ before, after }) => unifiedDiff(before.file, before.text, after.text)).join('')
    case 'patch':
      return `${JSON.stringify(
        fixed.flatMap(({ objects }) => objects.map(toPatch)),
        null,
        2,
      )}\n`
    case 'yaml':
      return joinDocuments(fixed.map(({ after }) => after.text))
  }
}

function toPatch({ ref, manifest, patch }: FixedObject): object {
  return { object: ref, source: manifest.place, patch }
}

/** Several texts as one stream. */
function joinDocuments(texts: readonly string[]): string {
  let stream = ''
  for (const text of texts) {
    if (stream !== '' && !stream.endsWith('\n')) stream += '\n'
    if (stream !== '' && !/^---(?:\s|$)/.test(text)) stream += '---\n'
    stream += text
  }
  return stream
}
