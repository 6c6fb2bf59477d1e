import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { eventually } from './harness/eventually.ts'
import { programsNaming } from './harness/programs-naming.ts'

const root = join(import.meta.dirname, '../..')

/** The playground as a person starts it, with a folder for everything temporary that it makes. */
export interface Session {
  readonly process: ChildProcess
  readonly temporary: string
  readonly output: () => string
  readonly exited: Promise<number | null>
}

export function startSession(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Session {
  const temporary = mkdtempSync(join(tmpdir(), 'meshward-playground-'))
  const playground = spawn(process.execPath, [join(root, 'tools/playground.ts'), ...args], {
    env: { ...process.env, ...env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [playground.stdout, playground.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const exited = new Promise<number | null>((resolve) => playground.once('exit', resolve))
  return { process: playground, temporary, output: () => output, exited }
}

/** Waits until the playground has printed a text, and returns where it matched. */
export async function printed(session: Session, text: RegExp, within = 60_000): Promise<RegExpExecArray> {
  const what = `${text} in the playground's output`
  return eventually({ what, within }, () => {
    const match = text.exec(session.output())
    if (match === null) throw new Error(session.output())
    return match
  })
}

/** Waits until no program and no file of the playground is left. */
export async function expectNothingLeft({ temporary }: Session): Promise<void> {
  await eventually({ what: 'an empty machine', within: 15_000 }, () =>
    programsNaming(temporary).length === 0 && readdirSync(temporary).length === 0 ? true : undefined,
  )
  rmSync(temporary, { recursive: true })
}
