import { spawn } from 'node:child_process'

/** A process that outlives this one by a moment, to end what this one started and to remove its folder. */
export interface Reaper {
  /** The process groups to kill when this process is gone: each call replaces the list. */
  readonly watch: (pids: readonly number[]) => void
  /** Removes the folder (and kills what is still watched); resolves when that is done. */
  readonly finish: () => Promise<void>
}

// Reads lists of process groups until its input ends: that happens when this process closes it, and just as well when this
// process is killed. Plain sh, since it has to be small and to run on every Unix. What is being killed may still write
// files, hence the tries.
const script = `
while read -r line; do groups=$line; done
for group in $groups; do kill -9 "-$group"; done
for try in 1 2 3 4 5; do rm -rf "$1" && break; sleep 1; done
`

/** Starts a reaper for a folder. It has a session of its own: Ctrl-C in a terminal and signals to our group pass it by. */
export function startReaper(folder: string): Reaper {
  const child = spawn('sh', ['-c', script, 'meshward-reaper', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  // Should the reaper itself be killed, writing to it must not end this process too.
  child.stdin.on('error', () => {})
  return {
    watch: (pids) => void child.stdin.write(`${pids.join(' ')}\n`),
    finish: () => {
      child.stdin.end()
      return exited
    },
  }
}
