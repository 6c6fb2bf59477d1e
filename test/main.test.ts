import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'node:https'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { ask, runServerProcess, startServerProcess, type ServerProcess } from './webhook/server-process.ts'
import { peerAuthenticationReview } from './webhook/sample-review.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshward-main-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function start(...args: readonly string[]): Promise<ServerProcess> {
  const server = await startServerProcess(folder, args)
  onTestFinished(async () => {
    server.child.kill('SIGKILL')
    await server.exited
  })
  return server
}

const PERMISSIVE = JSON.stringify(peerAuthenticationReview({ mtls: { mode: 'PERMISSIVE' } }))

test('it prints one line with its address, and the first answer after that is already right', async () => {
  const server = await start()
  const { status, body } = await ask(server, '/validate?timeout=3s', PERMISSIVE)
  expect(status).toBe(200)
  expect(JSON.parse(body).response).toMatchObject({
    allowed: false,
    status: { message: expect.stringContaining('MTLS-02 spec.mtls.mode: ') },
  })
  expect((await ask(server, '/readyz')).status).toBe(200)
  expect(server.stdout()).toBe(`Meshward 0.1.0 is ready on https://127.0.0.1:${server.port}\n`)
})

test('logs are JSON lines on standard error', async () => {
  const server = await start()
  await ask(server, '/validate', PERMISSIVE)
  await expect.poll(() => server.stderr()).toContain('admission request answered')
  const lines = server.stderr().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['policies in force', 'admission request answered'])
})

test('the mode of a file is followed while it runs', async () => {
  const file = join(folder, 'mode')
  await writeFile(file, 'enforce')
  const server = await start('--enforcement-file', file)
  const isAllowed = async (): Promise<boolean> =>
    JSON.parse((await ask(server, '/validate', PERMISSIVE)).body).response.allowed
  expect(await isAllowed()).toBe(false)
  await writeFile(file, 'warn')
  await expect.poll(isAllowed, { timeout: 5000 }).toBe(true)
})

test('--metrics-port: scrapes are answered over plain HTTP too, until the process ends', async () => {
  const server = await start('--metrics-port', '0')
  const told = (): string | undefined =>
    server
      .stderr()
      .split('\n')
      .find((text) => text.includes('metrics over plain HTTP'))
  await expect.poll(told).toBeDefined()
  const { address, port } = JSON.parse(told() ?? '{}')
  const scrape = async () => (await fetch(`http://${address}:${port}/metrics`)).text()
  expect(await scrape()).toMatch(/^meshward_policies_refused 0$/m)
  server.child.kill('SIGINT')
  expect(await server.exited).toBe(0)
  await expect(scrape()).rejects.toThrow()
})

describe('the end', () => {
  test('SIGTERM under load: unready at once, every request answered, exit 0', async () => {
    const server = await start('--shutdown-delay', '2s')
    const clients = Array.from({ length: 8 }, () => keepAsking(server))
    const fewestAnswers = (): number => Math.min(...clients.map((client) => client.answered()))
    await expect.poll(fewestAnswers, { timeout: 10_000 }).toBeGreaterThan(20)
    server.child.kill('SIGTERM')
    const asked = fewestAnswers()
    await expect
      .poll(() => ask(server, '/readyz'))
      .toMatchObject({ status: 503, body: expect.stringContaining('[-]shutdown: this server is shutting down') })
    expect(await server.exited).toBe(0)
    expect((await Promise.all(clients.map((client) => client.stop()))).flat()).toEqual([])
    // Until the delay is over it goes on answering.
    expect(fewestAnswers()).toBeGreaterThan(asked)
  })

  test('SIGINT needs no delay', async () => {
    const server = await start('--shutdown-delay', '30s')
    const asked = performance.now()
    server.child.kill('SIGINT')
    expect(await server.exited).toBe(0)
    expect(performance.now() - asked).toBeLessThan(15_000)
  })

  test('whoever asks a second time does not wait', async () => {
    const server = await start('--shutdown-delay', '30s')
    server.child.kill('SIGTERM')
    await expect.poll(async () => (await ask(server, '/readyz')).status).toBe(503)
    server.child.kill('SIGTERM')
    expect(await server.exited).not.toBe(0)
  })
})

describe('what keeps it from running is said in a sentence, with exit code 2', () => {
  test.each([
    ['a port that is taken', ['--port']],
    ['a port for scrapes that is taken', ['--port', '0', '--metrics-port']],
  ])('%s', async (_, args) => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const ended = await runServerProcess('--log-level', 'silent', ...args, String(port))
    expect(ended).toEqual({
      code: 2,
      stdout: '',
      stderr: `cannot listen on 127.0.0.1 port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
    })
  })

  test.each([
    ['a certificate without its key', ['--tls-cert', 'x.pem'], /^--tls-cert and --tls-key belong together/],
    ['a certificate that is not there', ['--tls-cert', 'no.pem', '--tls-key', 'no.pem'], /^ENOENT: .*no\.pem/],
    [
      'a folder that is not there',
      ['--policies', 'nowhere'],
      /^nowhere:1:1: POLICY-FILE: there is no such file or folder/,
    ],
    ['an unknown option', ['--prot', '1'], /^error: unknown option '--prot'\n\(Did you mean --port\?\)/],
    ['a port that is none', ['--port', '99999'], /Write a whole number from 0 to 65535\./],
    ['a mode that is none', ['--enforcement', 'on'], /Allowed choices are enforce, warn, off\./],
    ['a delay that is none', ['--shutdown-delay', 'soon'], /Write a duration such as 500ms, 3s, 1m, 12h or 90d\./],
  ])('%s', async (_, args, stderr) => {
    const ended = await runServerProcess('--port', '0', ...args)
    expect(ended).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) })
  })
})

/** Asks again and again as the API server does, on a connection that is kept, until the server takes no new one. */
function keepAsking(server: ServerProcess) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: server.ca })
  const lost: string[] = []
  let answered = 0
  const stopping = new AbortController()
  const done = (async () => {
    while (!stopping.signal.aborted) {
      const outcome = await once(server.port, agent)
      if (outcome === 'answered') answered += 1
      else if (outcome === 'ECONNREFUSED') break
      else lost.push(outcome)
    }
    agent.destroy()
  })()
  /** Resolves with what became of the requests that got no answer. */
  const stop = async () => {
    stopping.abort()
    await done
    return lost
  }
  return { stop, answered: () => answered }
}

function once(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': PERMISSIVE.length }
    const options = {
      port,
      agent,
      host: '127.0.0.1',
      servername: 'localhost',
      path: '/validate',
      method: 'POST',
      headers,
    }
    const outgoing = request(options, (incoming) => {
      incoming.resume()
      incoming.on('end', () => resolve(incoming.statusCode === 200 ? 'answered' : `HTTP ${incoming.statusCode}`))
      incoming.on('error', (error) => resolve(`answer: ${error.message}`))
    })
    let connected = false
    outgoing.on('socket', (socket) => {
      connected = outgoing.reusedSocket
      if (!connected) socket.once('secureConnect', () => (connected = true))
    })
    // A connection that is reset before it stands has carried no request: the listener was closed with it in the queue.
    outgoing.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNRESET' && !connected ? 'ECONNREFUSED' : (code ?? message)),
    )
    outgoing.end(PERMISSIVE)
  })
}
