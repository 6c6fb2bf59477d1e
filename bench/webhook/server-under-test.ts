import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ServerSpec {
  readonly name: string
  readonly path: '/validate' | '/mutate'
  /** Of the command line of Node, below the project's root. */
  readonly args: readonly string[]
}

/** A server that runs in a process of its own, and what it costs. */
export interface ServerUnderTest extends ServerSpec {
  readonly port: number
  /** Milliseconds from spawn to the line with its address. */
  readonly startup: number
  /** PEM of the authority that it printed; empty where it printed none. */
  ca(): string
  /** Milliseconds of processor time so far, user and system. */
  cpu(): number
  /** Resident memory in MB. */
  memory(): number
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '../..')

/** Starts a server and waits until it prints its address. Its log goes where the logs of a container go: to a reader. */
export async function startServer(spec: ServerSpec): Promise<ServerUnderTest> {
  const started = performance.now()
  const child = spawn(process.execPath, spec.args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 2000) complaint += chunk.toString('utf8')
  })
  let printed = ''
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8')
      const address = /https:\/\/127\.0\.0\.1:(\d+)\n/.exec(printed)
      if (address !== null) resolve(Number(address[1]))
    })
    child.once('exit', (code) => reject(new Error(`${spec.name} ended with ${code}: ${complaint}`)))
  })
  const startup = performance.now() - started
  const ca = (): string => /-----BEGIN[^]*-----END CERTIFICATE-----\n/.exec(printed)?.[0] ?? ''
  return { ...spec, port, startup, ca, cpu: () => cpuOf(child), memory: () => memoryOf(child), stop: () => stop(child) }
}

/** Linux counts in ticks of 10 ms. */
function cpuOf({ pid }: ChildProcess): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function memoryOf({ pid }: ChildProcess): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? Number.NaN) / 1024
}

function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.kill('SIGKILL')
  return ended
}
