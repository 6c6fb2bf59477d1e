#!/usr/bin/env node
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

import manifest from '../../package.json' with { type: 'json' }
import type { ServeOptions } from '../webhook/serve-options.ts'
import type { ExitCode } from './cli-io.ts'
import { runCli } from './run-cli.ts'

const shippedPolicies = join(import.meta.dirname, '../../policies')

// a reader that has seen enough (`| head`) is no error
process.stdout.on('error', (error) => {
  if (!isUnread(error)) throw error
})

const args = process.argv.slice(2)
// read ahead, since a pipe may not be ready when it is asked
const standardInput = args.includes('-') ? await buffer(process.stdin) : Buffer.alloc(0)

process.exitCode = await runCli(args, {
  print: (text) => process.stdout.write(text),
  printParts,
  comment: (line) => process.stderr.write(`${line}\n`),
  standardInput: { read: () => standardInput },
  colour: isColourful(),
  onTerminal: process.stdout.isTTY,
  progress: process.stderr.isTTY ? process.stderr : undefined,
  shippedPolicies,
  version: manifest.version,
  serve,
})

async function printParts(parts: Iterable<string>): Promise<void> {
  try {
    await pipeline(parts, process.stdout, { end: false })
  } catch (error) {
    if (!isUnread(error)) throw error
  }
}

function isUnread(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}

/** https://no-color.org, and FORCE_COLOR as everywhere else in Node. */
function isColourful(): boolean {
  if (process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== '') return false
  return process.stdout.isTTY || (process.env.FORCE_COLOR ?? '0') !== '0'
}

/** The server takes 200 ms to load, which no other command needs to wait for. */
async function serve(options: ServeOptions): Promise<ExitCode> {
  const { createLogger } = await import('../webhook/create-logger.ts')
  const { runServer } = await import('../webhook/run-server.ts')
  // A full disk, or a reader that is gone, keeps nobody from answering.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => undefined)
  const logger = createLogger(options.logLevel, process.stderr.fd)
  const code = await runServer(options, {
    version: manifest.version,
    shippedPolicies,
    dryRunPage: join(import.meta.dirname, '../webhook/dry-run-page.html'),
    logger,
    print: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
    onStop: (stop) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal))
    },
  })
  logger.flush()
  return code
}
