import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

import type { ProgramSource } from './programs.ts'

export interface GoBuildOptions {
  readonly source: ProgramSource
  /** The file to make: complete at once or not at all. */
  readonly path: string
  readonly say: (line: string) => void
}

// Compiling Kubernetes takes minutes: a sign of life, not a scroll of two thousand package names.
const progressInterval = 15_000

/** Builds a program with `go build`, at low priority. Rejects with the end of Go's own output when that fails. */
export async function goBuild({ source, path, say }: GoBuildOptions): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = mkdtempSync(join(dirname(path), '.building-'))
  const discard = () => rmSync(unfinished, { recursive: true, force: true })
  process.once('exit', discard)
  try {
    await runGo(source, join(unfinished, source.program), say)
    renameSync(join(unfinished, source.program), path)
  } finally {
    process.removeListener('exit', discard)
    discard()
  }
}

async function runGo(source: ProgramSource, output: string, say: (line: string) => void): Promise<void> {
  const title = `${source.program} ${source.version}`
  say(`building ${title} from Go modules; this happens once and can take some minutes`)
  const started = performance.now()
  const seconds = () => Math.round((performance.now() - started) / 1000)
  const go = spawn('go', ['build', '-v', '-trimpath', '-ldflags', source.ldflags, '-o', output, source.goPackage], {
    cwd: source.folder,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (go.pid !== undefined) setPriority(go.pid, 10)
  const kill = () => void go.kill()
  process.once('exit', kill)
  const lines: string[] = []
  createInterface(go.stderr).on('line', (line) => lines.push(line))
  const ticker = setInterval(() => say(`  ${title}: ${lines.length} packages in ${seconds()} s`), progressInterval)
  try {
    const code = await new Promise((resolve, reject) => go.on('error', reject).on('close', resolve))
    if (code !== 0) throw new Error(`go build of ${title} failed:\n${lines.slice(-15).join('\n')}`)
    say(`built ${title} in ${seconds()} s`)
  } finally {
    clearInterval(ticker)
    process.removeListener('exit', kill)
  }
}
