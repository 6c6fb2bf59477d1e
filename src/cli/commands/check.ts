import { Option, type Command } from 'commander'

import { checkDocuments, type CheckInput, type CheckResult } from '../../reports/check-documents.ts'
import { summarize } from '../../reports/check-report.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { addDocumentOptions, readDocuments, type DocumentOptions } from '../document-options.ts'
import { exitCodeOf, FAIL_ON, type FailOn } from '../exit-code.ts'
import type { CheckFormat } from '../formats/check-output.ts'
import { formatGithub } from '../formats/github.ts'
import { formatJson } from '../formats/json.ts'
import { formatJunit } from '../formats/junit.ts'
import { formatSarif } from '../formats/sarif.ts'
import { formatText } from '../formats/text.ts'
import { addPolicyOptions, loadPolicies, type PolicyOptions } from '../policy-options.ts'

const FORMATS = {
  text: formatText,
  json: formatJson,
  sarif: formatSarif,
  junit: formatJunit,
  github: formatGithub,
} satisfies Readonly<Record<string, CheckFormat>>

interface CheckOptions extends PolicyOptions, DocumentOptions {
  readonly output: keyof typeof FORMATS
  readonly failOn: FailOn
  readonly defaults: CheckInput['defaults']
  readonly color: boolean
}

/** `meshward check PATH…`: judges manifests as the webhook would when they are applied. */
export function addCheckCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  const command = program
    .command('check')
    .summary('judge manifests as the webhook would when they are applied')
    .argument('<paths...>', 'files, folders, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(Object.keys(FORMATS)).default('text'),
    )
    .addOption(
      new Option('--fail-on <level>', 'from what on findings lead to exit code 1').choices(FAIL_ON).default('deny'),
    )
    .addOption(
      new Option('--defaults <mode>', 'judge documents as written, or after defaults are filled')
        .choices(['off', 'inject'])
        .default('off'),
    )
    .option('--no-color', 'no colours, as with NO_COLOR')
  addDocumentOptions(addPolicyOptions(command)).action((paths: readonly string[], options: CheckOptions) => {
    exit(check(paths, options, io))
  })
}

function check(paths: readonly string[], options: CheckOptions, io: CliIo): ExitCode {
  const policies = loadPolicies(options, io)
  const format = FORMATS[options.output]
  const shared = { failOn: options.failOn, colour: io.colour && options.color, version: io.version }
  if (!policies.ok) {
    const { report, objects } = nothingChecked(policies.errors)
    io.print(format({ ...shared, report, objects, policies: [], texts: new Map() }))
    return exitCodeOf(report, options.failOn)
  }
  const { texts, input } = readDocuments(paths, policies.set, options, io)
  const { objects, report: judged } = checkDocuments(input)
  const report = { ...judged, errors: [...policies.errors, ...judged.errors] }
  io.print(
    format({
      ...shared,
      report,
      objects,
      policies: policies.set.policies,
      texts: new Map(texts.map(({ file, text }) => [file, text])),
    }),
  )
  return exitCodeOf(report, options.failOn)
}

function nothingChecked(errors: readonly InputError[]): CheckResult {
  return { report: { documents: 0, findings: [], errors, summary: summarize([], 0) }, objects: [] }
}
