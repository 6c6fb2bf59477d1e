import type { CliIo, ExitCode } from '../../src/cli/cli-io.ts'
import { runCli } from '../../src/cli/run-cli.ts'

/** What a command line did. */
export interface Run {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in this process, with rules of the tests' own in the place of the shipped ones. */
export async function run(
  args: readonly string[],
  lent: Partial<CliIo> & { readonly stdin?: string } = {},
): Promise<Run> {
  let stdout = ''
  let stderr = ''
  const code = await runCli(args, {
    print: (text) => {
      stdout += text
    },
    printParts: (parts) => {
      for (const part of parts) stdout += part
      return Promise.resolve()
    },
    comment: (line) => {
      stderr += `${line}\n`
    },
    standardInput: { read: () => new TextEncoder().encode(lent.stdin ?? '') },
    colour: false,
    onTerminal: false,
    progress: undefined,
    shippedPolicies: 'test/cli/fixtures/policies',
    version: '1.2.3',
    serve: () => Promise.resolve(0),
    ...lent,
  })
  return { code, stdout, stderr }
}

/** A thing that breaks no rule, and one that breaks all. */
export const CLEAN = 'test/cli/fixtures/manifests/clean.yaml'
export const THINGS = 'test/cli/fixtures/manifests/things.yaml'
