import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/**
 * The path of a Chromium. Where `CI` is set, so that nothing may be skipped, and Debian's packages can be installed, it is
 * installed; undefined: there is none.
 */
export function findChromium(): string | undefined {
  const known = fromEnvironment() ?? onPath()
  if (known !== undefined || process.env['CI'] === undefined || process.getuid?.() !== 0) return known
  apt('update')
  apt('install', '--yes', '--no-install-recommends', 'chromium')
  return onPath()
}

function fromEnvironment(): string | undefined {
  const named = process.env['CHROMIUM']
  return named === undefined || named === '' ? undefined : named
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function apt(...args: readonly string[]): void {
  spawnSync('apt-get', args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
}
