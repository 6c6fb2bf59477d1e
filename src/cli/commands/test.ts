import { Option, type Command } from 'commander'
import pico from 'picocolors'

import { missingExamples, runPolicyTests, type PolicyTestResult } from '../../engine/run-policy-tests.ts'
import { createPolicyCompiler } from '../../policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../policy/mesh-functions/all.ts'
import { readPolicyFolders, type PolicyFolder } from '../../sources/policy-folders.ts'
import { readSchemaFiles } from '../../sources/schema-files.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { CRDS_OPTION, noPolicies } from '../policy-options.ts'
import { printErrors } from '../print-errors.ts'

interface TestOptions {
  readonly output: 'text' | 'json'
  readonly crds: readonly string[]
  readonly color: boolean
}

/** `meshward test [PATH…]`: runs the examples of policies. */
export function addTestCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  program
    .command('test')
    .summary('run the examples of policies (tests.yaml)')
    .argument('[paths...]', 'folders of policies; those that come with the program when left out')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(['text', 'json']).default('text'),
    )
    .option(...CRDS_OPTION)
    .option('--no-color', 'no colours, as with NO_COLOR')
    .action((paths: readonly string[], options: TestOptions) => {
      exit(runTests(paths.length === 0 ? [io.shippedPolicies] : paths, options, io))
    })
}

/** The examples of one policy as they came out. */
interface TestedPolicy {
  readonly folder: PolicyFolder
  readonly results: readonly PolicyTestResult[]
  /** What its examples lack as a whole. */
  readonly missing: readonly string[]
}

function runTests(paths: readonly string[], options: TestOptions, io: CliIo): ExitCode {
  const known = readSchemaFiles(options.crds, io.standardInput)
  const { folders, issues } = readPolicyFolders(paths, createPolicyCompiler(MESH_FUNCTIONS, known.schemas))
  const problems = [...known.errors, ...issues]
  const errors = folders.length === 0 && problems.length === 0 ? [noPolicies(paths)] : problems
  const tested = folders.filter(({ policy }) => policy.program !== undefined).map(testPolicy)
  const colours = pico.createColors(io.colour && options.color)
  io.print(options.output === 'json' ? formatJson(tested, errors) : formatText(tested, colours))
  if (options.output === 'text') printErrors(errors, io)
  if (errors.length > 0) return 2
  return tested.some(({ results, missing }) => missing.length > 0 || results.some(isFailed)) ? 1 : 0
}

function testPolicy(folder: PolicyFolder): TestedPolicy {
  const { policy, tests } = folder
  return { folder, results: runPolicyTests(policy, tests), missing: tests.length === 0 ? [] : missingExamples(tests) }
}

function isFailed({ problems }: PolicyTestResult): boolean {
  return problems.length > 0
}

function formatText(tested: readonly TestedPolicy[], colours: ReturnType<typeof pico.createColors>): string {
  const lines = tested.flatMap(({ folder, results, missing }) => {
    const failed = results.filter(isFailed)
    const { code, name } = folder.policy
    const passed = `${results.length - failed.length}/${results.length}`
    const verdict = failed.length + missing.length === 0 ? colours.green('ok  ') : colours.red('FAIL')
    return [
      `${verdict} ${code} ${name} ${colours.dim(passed)}`,
      ...missing.map((problem) => `       ${problem}`),
      ...failed.flatMap(({ test, problems }) => [
        `     ${test.name} ${colours.dim(`(${folder.folder}/tests.yaml:${test.position.line})`)}`,
        ...problems.map((problem) => `       ${problem}`),
      ]),
    ]
  })
  const results = tested.flatMap((one) => one.results)
  const failed = results.filter(isFailed).length
  const summary = `${tested.length} policies, ${results.length} examples: ${results.length - failed} passed, ${failed} failed`
  return `${[...lines, summary].join('\n')}\n`
}

function formatJson(tested: readonly TestedPolicy[], errors: readonly InputError[]): string {
  const policies = tested.map(({ folder, results, missing }) => ({
    code: folder.policy.code,
    policy: folder.policy.name,
    file: `${folder.folder}/tests.yaml`,
    missing,
    tests: results.map(({ test, problems }) => ({
      name: test.name,
      line: test.position.line,
      passed: problems.length === 0,
      problems,
    })),
  }))
  return `${JSON.stringify({ policies, errors }, null, 2)}\n`
}
