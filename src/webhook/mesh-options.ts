import type { Command } from 'commander'

import { append, duration } from './option-values.ts'

/** How the mesh around requests is known; it is read from the cluster that the server is a part of. */
export interface MeshOptions {
  /** Milliseconds. */
  readonly maxStaleness: number
  readonly secretNamespace: readonly string[]
  /** Milliseconds. */
  readonly recheckAfter: number
}

/** Gives a command the options about the mesh around requests. */
export function addMeshOptions(command: Command): Command {
  return command
    .option(
      '--max-staleness <duration>',
      'without contact to the API server for longer, rules over the mesh answer by their failure policy',
      duration,
      5 * 60 * 1000,
    )
    .option(
      '--secret-namespace <name>',
      'a namespace where the names and keys of Secrets may be read, for gateways (repeatable)',
      append,
      [],
    )
    .option(
      '--recheck-after <duration>',
      'how long after an answer it is judged once more, with what changed meanwhile; 0 = never',
      duration,
      2000,
    )
}
