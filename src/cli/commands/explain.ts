import { Option, type Command } from 'commander'
import pico from 'picocolors'

import { runPolicyTests } from '../../engine/run-policy-tests.ts'
import { nearestName } from '../../kube/nearest-name.ts'
import { createPolicyCompiler } from '../../policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../policy/mesh-functions/all.ts'
import { describePolicy } from '../../reports/describe-policy.ts'
import { readPolicyFolders, type PolicyFolder } from '../../sources/policy-folders.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { ERROR_CODES } from '../error-codes.ts'
import { formatExplanation } from '../formats/explanation.ts'
import { append } from '../../webhook/option-values.ts'

interface ExplainOptions {
  readonly output: 'text' | 'json'
  readonly policies: readonly string[]
  readonly color: boolean
}

/** `meshward explain CODE`: what a rule or an error means, with examples. */
export function addExplainCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  program
    .command('explain')
    .summary('what a rule or an error means, with examples')
    .argument('<code>', 'code or name of a rule (MTLS-02), or code of an error (DOC-01)')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(['text', 'json']).default('text'),
    )
    .option(
      '--policies <path>',
      'folder or file of policies, beside the shipped ones or instead of them by name or code (repeatable)',
      append,
      [],
    )
    .option('--no-color', 'no colours, as with NO_COLOR')
    .action((code: string, options: ExplainOptions) => {
      exit(explain(code, options, io))
    })
}

function explain(code: string, options: ExplainOptions, io: CliIo): ExitCode {
  const { folders } = readPolicyFolders([io.shippedPolicies, ...options.policies], createPolicyCompiler(MESH_FUNCTIONS))
  const folder = folders.find(({ policy }) => isCalled(policy, code))
  if (folder !== undefined) return explainPolicy(folder, options, io)
  const [errorCode, error] = Object.entries(ERROR_CODES).find(([known]) => known === code.toUpperCase()) ?? []
  if (error !== undefined) {
    io.print(
      options.output === 'json'
        ? `${JSON.stringify({ code: errorCode, ...error }, null, 2)}\n`
        : `${errorCode}: ${error.title}\n\n${error.remedy}\n`,
    )
    return 0
  }
  const known = [...folders.flatMap(({ policy }) => [policy.code, policy.name]), ...Object.keys(ERROR_CODES)]
  const nearest = nearestName(code, known)
  const hint = nearest === undefined ? 'list the rules with `meshward list`' : `did you mean "${nearest}"?`
  io.comment(`"${code}" is the code of no rule and no error; ${hint}`)
  return 2
}

function explainPolicy({ policy, tests }: PolicyFolder, options: ExplainOptions, io: CliIo): ExitCode {
  const description = describePolicy(policy, runPolicyTests(policy, tests))
  const colours = pico.createColors(io.colour && options.color)
  io.print(
    options.output === 'json' ? `${JSON.stringify(description, null, 2)}\n` : formatExplanation(description, colours),
  )
  return 0
}

function isCalled({ code, name }: { readonly code: string; readonly name: string }, asked: string): boolean {
  return code.toLowerCase() === asked.toLowerCase() || name.toLowerCase() === asked.toLowerCase()
}
