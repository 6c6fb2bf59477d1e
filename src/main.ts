import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

import manifest from '../package.json' with { type: 'json' }
import type { ServeOptions } from './webhook/serve-options.ts'

// From source: what was compiled, and stripped of its types, is kept for the next start, which takes half the time. It
// holds for modules that are loaded after it, so everything else is.
if (import.meta.filename.endsWith('.ts'))
  enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'))
const { Command } = await import('commander')
const { createLogger } = await import('./webhook/create-logger.ts')
const { runServer } = await import('./webhook/run-server.ts')
const { addServeOptions } = await import('./webhook/serve-options.ts')

// A full disk, or a reader that is gone, keeps nobody from answering.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const command = addServeOptions(new Command('meshward-server'))
  .description('Serves the policies as an admission webhook over HTTPS.')
  .version(manifest.version)
  .allowExcessArguments(false)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(async (options: ServeOptions) => {
    const logger = createLogger(options.logLevel, process.stderr.fd)
    process.exitCode = await runServer(options, {
      version: manifest.version,
      shippedPolicies: join(import.meta.dirname, '../policies'),
      dryRunPage: join(import.meta.dirname, 'webhook/dry-run-page.html'),
      logger,
      print: (line) => process.stdout.write(`${line}\n`),
      complain: (line) => process.stderr.write(`${line}\n`),
      onStop: (stop) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal))
      },
    })
    logger.flush()
  })

await command.parseAsync()
