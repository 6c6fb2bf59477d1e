import { spawnSync } from 'node:child_process'
import { basename } from 'node:path'

/**
 * The running programs that name a path in their arguments, by their names and in order of these. Every program of a
 * cluster names the cluster's folder, so none is left when this is empty.
 */
export function programsNaming(path: string): readonly string[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
  const commands = stdout.split('\n').filter((line) => line.includes(path))
  return commands.map((line) => basename(line.split(' ')[0] ?? '')).toSorted()
}
