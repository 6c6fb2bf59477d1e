import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface FileLockOptions {
  readonly path: string
  /** Called once when somebody else holds the lock. */
  readonly onWait: (holder: number) => void
}

/**
 * Runs `action` while this process holds the lock file, so that two test runs on one machine do not build the same program twice.
 * The lock of a process that died is taken over. Should two takers of a dead lock meet, both run: what they protect is
 * completed by an atomic rename, so that costs time and nothing else.
 */
export async function withFileLock<T>(options: FileLockOptions, action: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(options.path), { recursive: true })
  for (let waited = false; !tryLock(options.path); waited = true) {
    const holder = holderOf(options.path)
    if (!waited && holder !== undefined) options.onWait(holder)
    await delay(500)
  }
  try {
    return await action()
  } finally {
    rmSync(options.path, { force: true })
  }
}

function tryLock(path: string): boolean {
  const holder = holderOf(path)
  if (holder !== undefined && isAlive(holder)) return false
  if (holder !== undefined) rmSync(path, { force: true })
  // A link of a written file: the lock never exists without its holder's process id in it.
  const own = `${path}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isSystemError(error, 'EPERM')
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
