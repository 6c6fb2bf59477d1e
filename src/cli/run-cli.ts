import { Command, CommanderError } from 'commander'

import { addServeOptions, type ServeOptions } from '../webhook/serve-options.ts'
import type { CliIo, ExitCode } from './cli-io.ts'
import { addCelCommand } from './commands/cel.ts'
import { addCheckCommand } from './commands/check.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addFixCommand } from './commands/fix.ts'
import { addInspectCommand } from './commands/inspect.ts'
import { addListCommand } from './commands/list.ts'
import { addTestCommand } from './commands/test.ts'

const COMMANDS = [
  addCheckCommand,
  addFixCommand,
  addTestCommand,
  addListCommand,
  addExplainCommand,
  addInspectCommand,
  addCelCommand,
]

/** Runs one command line, without the name of the program. Returns what the process is to exit with. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = 0
  const exit = (result: ExitCode): void => {
    code = result
  }
  const program = new Command('meshward')
    .description(
      'Policy as code for an Istio mesh: the webhook that knows what configuration means, on the command line.',
    )
    .version(io.version)
    .configureOutput({
      writeOut: io.print,
      writeErr: (text) => io.comment(text.trimEnd()),
      getOutHasColors: () => io.colour,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText('after', '\nExit code: 0 clean, 1 findings that count, 2 could not run.')
  for (const add of COMMANDS) add(program, io, exit)
  addServeOptions(program.command('serve').summary('serve the policies as an admission webhook')).action(
    async (options: ServeOptions) => {
      exit(await io.serve(options))
    },
  )
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  return code
}
