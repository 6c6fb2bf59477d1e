// npm run playground: a real API server with Meshward in front of it, until Ctrl-C. Takes the options of `npm start`.
import { Command } from 'commander'

import { addServeOptions, type ServeOptions } from '../src/webhook/serve-options.ts'
import { playgroundGuide } from './playground-guide.ts'
import { startPlayground } from './start-playground.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

// While it starts there is nothing to end in order: what was started until then ends with this process.
let onSignal = (): void => process.exit(130)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal())

const command = addServeOptions(new Command('playground'))
  .description('Starts a local API server with the CRDs of Istio and Gateway API, and Meshward as its webhook.')
  .allowExcessArguments(false)
  .action(async (options: ServeOptions) => {
    const playground = await startPlayground({ ...options, args: process.argv.slice(2), say })
    process.stdout.write(playgroundGuide(playground))
    const signalled = new Promise<'signal'>((resolve) => {
      onSignal = () => {
        onSignal = () => process.exit(130)
        resolve('signal')
      }
    })
    const ended = playground.meshward.process.exited.then((exit) => exit)
    const reason = await Promise.race([signalled, ended])
    if (reason === 'signal') say('stopping …')
    else say(`Meshward ended (${reason.code ?? reason.signal}):\n${playground.meshward.process.logTail()}`)
    await playground.stop()
    process.exitCode = reason === 'signal' ? 0 : 1
  })

try {
  await command.parseAsync()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
