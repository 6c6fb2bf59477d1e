import { spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { eventually } from '../cluster/harness/eventually.ts'
import { freePort } from '../cluster/harness/free-port.ts'

// A server that can print nothing answers all the same, and ends when it is told to.

const PROGRAMS = [
  { program: 'npm start', command: [join(import.meta.dirname, '../../src/main.ts')] },
  { program: 'meshward serve', command: [join(import.meta.dirname, '../../src/cli/main.ts'), 'serve'] },
]

/** Starts a server and resolves with its exit code, after it has answered and was told to end. */
async function life(command: readonly string[], output: 'full disk' | 'reader that is gone'): Promise<number | null> {
  const port = await freePort()
  const to = output === 'full disk' ? openSync('/dev/full', 'w') : 'pipe'
  const args = [...command, '--port', String(port), '--log-level', 'trace', '--shutdown-delay', '0s']
  const child = spawn(process.execPath, args, { stdio: ['ignore', to, to] })
  child.stdout?.destroy()
  child.stderr?.destroy()
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    await eventually({ what: 'a ready server', within: 20_000 }, () => ready(port))
    // Long enough for several batches of its log.
    for (let round = 0; round < 20; round++) expect(await ready(port)).toBe(true)
    child.kill('SIGTERM')
    return await Promise.race([exited, expired(10_000)])
  } finally {
    child.kill('SIGKILL')
  }
}

function ready(port: number): Promise<true | undefined> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }
    const outgoing = request(options, (incoming) => resolve(incoming.resume().statusCode === 200 ? true : undefined))
    outgoing.on('error', reject).end()
  })
}

function expired(milliseconds: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('it does not end')), milliseconds).unref())
}

test.each(PROGRAMS)('$program goes on when the reader of its log is gone', async ({ command }) => {
  expect(await life(command, 'reader that is gone')).toBe(0)
})

test.skipIf(!existsSync('/dev/full')).each(PROGRAMS)('$program goes on when the disk is full', async ({ command }) => {
  expect(await life(command, 'full disk')).toBe(0)
})
