import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** A checked-out repository on a machine of a CI service. */
export interface Checkout {
  readonly folder: string
  /** Runs a script there, in the shell that services use: it ends at the first command that fails. */
  readonly shell: (script: string, environment?: NodeJS.ProcessEnv) => Ended
  readonly docker: (args: readonly string[]) => Ended
  readonly read: (path: string) => string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A repository whose commit holds these files, by path: their text, or the name of an example. On the machine are git,
 * a docker that has the image of this repository, and the `meshward` of that image. It is gone after the test.
 */
export function checkOut(files: Readonly<Record<string, string>>): Checkout {
  const machine = mkdtempSync(join(tmpdir(), 'meshward-pipeline-'))
  onTestFinished(() => rmSync(machine, { recursive: true }))
  const programs = join(machine, 'bin')
  mkdirSync(programs)
  writeProgram(join(programs, 'docker'), 'test/cli/docker-stand-in.ts')
  writeProgram(join(programs, 'meshward'), 'src/cli/main.ts')
  const folder = join(machine, 'repository')
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    if (/^[a-z-]+\.yaml$/.test(content)) cpSync(join(root, 'examples', content), join(folder, path))
    else writeFileSync(join(folder, path), content)
  }
  commit(folder)
  const spawn = (command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Ended => {
    const env = { ...environment, PATH: `${programs}:${process.env['PATH'] ?? ''}` }
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
    return { code: status, stdout, stderr }
  }
  return {
    folder,
    shell: (script, environment) => spawn('bash', ['--norc', '-e', '-o', 'pipefail', '-c', script], environment),
    docker: (args) => spawn('docker', args),
    read: (path) => readFileSync(join(folder, path), 'utf8'),
  }
}

function writeProgram(path: string, source: string): void {
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(root, source)}" "$@"\n`, { mode: 0o755 })
}

function commit(folder: string): void {
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' })
  git('init', '--quiet')
  git('add', '--all')
  git('-c', 'user.name=test', '-c', 'user.email=test@example.io', 'commit', '--quiet', '--message', 'first')
}
