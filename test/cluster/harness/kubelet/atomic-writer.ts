import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { chmodSync, chownSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface VolumeFile {
  readonly content: Buffer
  readonly mode: number
}

/** Files of a volume by their path in it. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>

const data = '..data'

/**
 * Makes a folder show exactly these files, all at once, as a kubelet does: the files lie in a hidden folder, the link
 * `..data` names it, and what people see are links through that. Does nothing when nothing changed. Files belong to
 * `group` when that is given. kubernetes: pkg/volume/util/atomic_writer.go
 */
export function writeAtomically(folder: string, files: VolumeFiles, group?: number): void {
  mkdirSync(folder, { recursive: true })
  const link = join(folder, data)
  const before = existsSync(link) ? join(folder, readlinkSync(link)) : undefined
  if (before !== undefined && holds(before, files)) return

  const next = mkdtempSync(`${folder}/..`)
  chmodSync(next, 0o755)
  for (const [path, file] of files) writeOne(next, path, file, group)
  symlinkSync(basename(next), `${link}_tmp`)
  renameSync(`${link}_tmp`, link)

  const visible = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''))
  for (const name of visible) {
    if (!existsSync(join(folder, name))) symlinkSync(join(data, name), join(folder, name))
  }
  for (const name of readdirSync(folder)) {
    if (!name.startsWith('..') && !visible.has(name)) rmSync(join(folder, name))
  }
  if (before !== undefined) rmSync(before, { recursive: true })
}

function writeOne(folder: string, path: string, { content, mode }: VolumeFile, group: number | undefined): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  if (group !== undefined) chownSync(file, 0, group)
  // Not at creation, where the process's umask would have a say.
  chmodSync(file, group === undefined ? mode : mode | ((mode & 0o400) >> 3))
}

function holds(folder: string, files: VolumeFiles): boolean {
  const present = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  )
  return (
    present.length === files.size &&
    present.every((path) => files.get(path)?.content.equals(readFileSync(join(folder, path))) ?? false)
  )
}
