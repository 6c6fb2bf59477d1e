// npm run playground: a real API server with Meshward in front of it, until Ctrl-C. Takes the options of `npm start`.
// npm run playground -- --helm: a cluster with nodes, and the chart installed on it.
import { Command } from 'commander'

import { addServeOptions, type ServeOptions } from '../src/webhook/serve-options.ts'
import { helmPlaygroundGuide } from './helm-playground-guide.ts'
import { playgroundGuide } from './playground-guide.ts'
import { startHelmPlayground } from './start-helm-playground.ts'
import { startPlayground } from './start-playground.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

// While it starts there is nothing to end in order: what was started until then ends with this process.
let onSignal = (): void => process.exit(130)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal())

/** A playground that runs. */
interface Running {
  readonly guide: string
  /** Resolves with the reason when it ends by itself. */
  readonly ended?: Promise<string>
  readonly stop: () => Promise<void>
}

const command = addServeOptions(new Command('playground'))
  .description('Starts a local API server with the CRDs of Istio and Gateway API, and Meshward as its webhook.')
  .option('--helm', 'a cluster with nodes instead, with the chart installed on it; takes no other option', false)
  .allowExcessArguments(false)
  .action(async (options: ServeOptions & { readonly helm: boolean }) => {
    const args = process.argv.slice(2)
    if (options.helm && args.length > 1) throw new Error('--helm takes no other option; use helm upgrade once it runs')
    const { guide, ended, stop } = options.helm ? await startInstalled() : await startInFront(options, args)
    process.stdout.write(guide)
    const signalled = new Promise<undefined>((resolve) => {
      onSignal = () => {
        onSignal = () => process.exit(130)
        resolve(undefined)
      }
    })
    const reason = await Promise.race(ended === undefined ? [signalled] : [signalled, ended])
    say(reason ?? 'stopping …')
    await stop()
    process.exitCode = reason === undefined ? 0 : 1
  })

async function startInFront(options: ServeOptions, args: readonly string[]): Promise<Running> {
  const playground = await startPlayground({ ...options, args, say })
  const { exited, logTail } = playground.meshward.process
  const ended = exited.then(({ code, signal }) => `Meshward ended (${code ?? signal}):\n${logTail()}`)
  return { guide: playgroundGuide(playground), ended, stop: playground.stop }
}

async function startInstalled(): Promise<Running> {
  const playground = await startHelmPlayground(say)
  return { guide: helmPlaygroundGuide(playground), stop: playground.site.cluster.stop }
}

try {
  await command.parseAsync()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
