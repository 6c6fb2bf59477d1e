import { Option, type Command } from 'commander'

import { checkDocuments, type CheckedObject, type CheckInput, type CheckResult } from '../../reports/check-documents.ts'
import { summarize } from '../../reports/check-report.ts'
import { clusterText, isOfCluster } from '../../sources/cluster/cluster-manifest.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { SourceText } from '../../sources/manifests.ts'
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
import type { CheckFormat } from '../formats/check-output.ts'
import { formatGithub } from '../formats/github.ts'
import { formatJson } from '../formats/json.ts'
import { formatJunit } from '../formats/junit.ts'
import { formatSarif } from '../formats/sarif.ts'
import { formatText } from '../formats/text.ts'
import { addPolicyOptions, loadPolicies, type PolicyOptions } from '../policy-options.ts'
import { printErrors } from '../print-errors.ts'
import { trackProgress } from '../progress.ts'

const FORMATS = {
  text: formatText,
  json: formatJson,
  sarif: formatSarif,
  junit: formatJunit,
  github: formatGithub,
} satisfies Readonly<Record<string, CheckFormat>>

interface CheckOptions extends PolicyOptions, DocumentOptions, OtherFilesOptions {
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
    .argument('[paths...]', 'files, folders, or - for standard input; with --cluster none, to judge what is there')
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
    .addOption(skipOthersOption())
    .option('--no-color', 'no colours, as with NO_COLOR')
  addDocumentOptions(addPolicyOptions(command)).action(async (paths: readonly string[], options: CheckOptions) => {
    exit(await check(paths, options, io))
  })
}

async function check(paths: readonly string[], options: CheckOptions, io: CliIo): Promise<ExitCode> {
  if (paths.length === 0 && options.cluster !== true) {
    printErrors([{ code: 'CLI-06', file: '', message: NO_PATH }], io)
    return 2
  }
  const policies = loadPolicies(options, io)
  const format = FORMATS[options.output]
  const shared = { failOn: options.failOn, colour: io.colour && options.color, version: io.version }
  if (!policies.ok) {
    const { report, objects } = nothingChecked(policies.errors)
    io.print(format({ ...shared, report, objects, policies: [], texts: new Map() }))
    return exitCodeOf(report, options.failOn)
  }
  const { texts, input } = await readDocuments(paths, policies.set, options, io)
  const { objects, report: judged } = isAllOther(options, input) ? nothingChecked([]) : judge(input, io)
  const report = { ...judged, errors: [...policies.errors, ...judged.errors] }
  io.print(
    format({
      ...shared,
      report,
      objects,
      policies: policies.set.policies,
      texts: new Map([...texts, ...clusterTexts(objects)].map(({ file, text }) => [file, text])),
    }),
  )
  return exitCodeOf(report, options.failOn)
}

function judge(input: CheckInput, io: CliIo): CheckResult {
  const progress = trackProgress(io.progress, 'judging', input.read.manifests.length)
  const result = checkDocuments(input, progress.step)
  progress.done()
  return result
}

const NO_PATH = 'there is nothing to judge; name a file, a folder or -, or give --cluster for what is in a cluster'

/** The objects of a cluster that have findings, as texts to quote from. */
function clusterTexts(objects: readonly CheckedObject[]): readonly SourceText[] {
  return objects.flatMap(({ manifest, findings }) =>
    findings.length > 0 && isOfCluster(manifest) ? [clusterText(manifest)] : [],
  )
}

function nothingChecked(errors: readonly InputError[]): CheckResult {
  return { report: { documents: 0, findings: [], errors, summary: summarize([], 0) }, objects: [] }
}
