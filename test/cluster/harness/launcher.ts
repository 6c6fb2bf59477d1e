import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startReaper } from './reaper.ts'

export interface LaunchOptions {
  /** Names the log file, `<name>.log` in the launcher's folder; programs of one name write to one log. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running program: the leader of a process group of its own, which ends with it. */
export interface Launched {
  readonly pid: number
  /** Resolves when the program has ended, however that came. */
  readonly exited: Promise<Exit>
  /** Sends a signal to the program and everything it started; nothing happens once it has ended. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Sends a signal to the program alone. */
  readonly signalLeader: (signal: NodeJS.Signals) => void
  /** Everything it prints goes there. */
  readonly logFile: string
  /** The end of its log. */
  readonly logTail: (lines?: number) => string
}

/** Starts programs that share a folder and never outlive this process. */
export interface Launcher {
  readonly folder: string
  readonly launch: (options: LaunchOptions) => Launched
  /** Kills what still runs and removes the folder. */
  readonly close: () => Promise<void>
}

/** A launcher with a fresh folder. */
export function createLauncher(): Launcher {
  const folder = mkdtempSync(join(tmpdir(), 'meshward-cluster-'))
  const reaper = startReaper(folder)
  const running = new Set<Launched>()
  const report = () => reaper.watch([...running].map(({ pid }) => pid))

  return {
    folder,
    launch: (options) => {
      const launched = launch(folder, options)
      running.add(launched)
      report()
      void launched.exited.then(() => {
        running.delete(launched)
        report()
      })
      return launched
    },
    close: async () => {
      const ending = [...running]
      for (const launched of ending) launched.signal('SIGKILL')
      await Promise.all(ending.map(({ exited }) => exited))
      await reaper.finish()
    },
  }
}

function launch(folder: string, { name, command, args, env }: LaunchOptions): Launched {
  const logFile = join(folder, `${name}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], env: env ?? process.env })
  closeSync(log)
  const { pid } = child
  if (pid === undefined) {
    child.once('error', () => {})
    throw new Error(`${name}: "${command}" cannot be started`)
  }
  let ended = false
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true
      send(-pid, 'SIGKILL')
      resolve({ code, signal })
    })
  })
  return {
    pid,
    exited,
    logFile,
    signal: (signal) => {
      if (!ended) send(-pid, signal)
    },
    signalLeader: (signal) => {
      if (!ended) send(pid, signal)
    },
    logTail: (lines = 20) => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
  }
}

/** `target`: a process id, or that of a process group's leader made negative. */
function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
