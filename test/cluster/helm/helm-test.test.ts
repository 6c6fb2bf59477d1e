import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:https'

import { afterEach, beforeAll, expect, test } from 'vitest'

import { makeCertificate } from '../../../src/webhook/self-made-certificate.ts'
import { freePort } from '../harness/free-port.ts'
import { openRenderer, textOf } from './render.ts'

// The program that `helm test` runs in a pod, run here.

let program: string
let server: Server | undefined

beforeAll(async () => {
  const rendered = await (await openRenderer('4')).render()
  const argument = (index: number) => textOf(rendered, 'test Pod/meshward-test', 'spec', 'containers', 0, 'args', index)
  expect([argument(0), argument(2)]).toEqual(['-e', 'https://meshward.meshward-system.svc:443/readyz'])
  program = argument(1)
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

/** Answers with one status after the other, and with the last one from then on. */
async function answering(port: number, statuses: readonly number[]): Promise<void> {
  const { source } = await makeCertificate({ names: ['meshward.meshward-system.svc'], problem: () => {} })
  let asked = 0
  server = createServer(source.current(), (_, response) => {
    response.writeHead(statuses[Math.min(asked++, statuses.length - 1)] ?? 200).end()
  }).listen(port, '127.0.0.1')
}

/** Its exit code and the reasons that it writes. */
function ask(port: number, patience: number): Promise<readonly [code: number | null, reasons: string]> {
  const args = ['-e', program, `https://127.0.0.1:${port}/readyz`, String(patience)]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, (_error, _stdout, stderr) => resolve([child.exitCode, stderr]))
  })
}

test('a replica that is ready passes at once', async () => {
  const port = await freePort()
  await answering(port, [200])
  expect(await ask(port, 0)).toEqual([0, ''])
})

test('one that becomes ready in a moment is waited for', async () => {
  const port = await freePort()
  await answering(port, [503, 200])
  expect(await ask(port, 30)).toEqual([0, 'answered 503\n'])
})

test('one that does not, or is not there, fails with the reason', async () => {
  const port = await freePort()
  expect(await ask(port, 0)).toEqual([1, expect.stringMatching(/^connect ECONNREFUSED .*\n$/)])
  await answering(port, [503])
  expect(await ask(port, 1)).toEqual([1, expect.stringMatching(/^(answered 503\n){2,}$/)])
})
