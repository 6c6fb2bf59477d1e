import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'node:https'

/** A server in a process of its own, as `npm start` runs it. */
export interface ServerProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly ca: string
  /** Milliseconds from spawn to the line with the address. */
  readonly startup: number
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exited: Promise<number | null>
}

/** What a process printed when it ended by itself. */
export interface EndedProcess {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** Starts a server on a free port and waits until it says where it is ready. */
export async function startServerProcess(
  folder: string,
  args: readonly string[],
  command: readonly string[] = [MAIN],
): Promise<ServerProcess> {
  const started = performance.now()
  const caFile = join(folder, `ca-${started}.pem`)
  const running = run([...command, '--port', '0', '--write-ca', caFile, ...args])
  const ready = new Promise<string>((resolve) => {
    running.child.stdout?.on('data', () => {
      const line = /^Meshward .* is ready on https:\/\/127\.0\.0\.1:(\d+)$/m.exec(running.stdout())
      if (line?.[1] !== undefined) resolve(line[1])
    })
  })
  const gaveUp = running.exited.then((code) => {
    throw new Error(`the server ended with ${code}: ${running.stderr()}`)
  })
  const port = Number(await Promise.race([ready, gaveUp]))
  const startup = performance.now() - started
  return { ...running, port, startup, ca: await readFile(caFile, 'utf8') }
}

/** Runs the server with arguments under which it ends by itself. */
export async function runServerProcess(...args: readonly string[]): Promise<EndedProcess> {
  const running = run([MAIN, ...args])
  return { code: await running.exited, stdout: running.stdout(), stderr: running.stderr() }
}

function run(args: readonly string[]) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, exited, stdout: () => stdout, stderr: () => stderr }
}

/** Asks a server process over HTTPS, trusting its own CA. */
export function ask(
  { port, ca }: Pick<ServerProcess, 'port' | 'ca'>,
  path: string,
  body?: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, ca, path, host: '127.0.0.1', servername: 'localhost', agent: false }
    const method = body === undefined ? 'GET' : 'POST'
    const outgoing = request({ ...options, method, headers: { 'Content-Type': 'application/json' } }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text })).on('error', reject)
    })
    outgoing.on('error', reject).end(body)
  })
}
