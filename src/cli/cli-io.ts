import type { Writable } from 'node:stream'

import type { StandardInput } from '../sources/documents.ts'
import type { ServeOptions } from '../webhook/serve-options.ts'

/** 0 clean, 1 findings that count, 2 could not run. The same in every format. */
export type ExitCode = 0 | 1 | 2

/** What the process lends to a command: everything that a command reads from or writes to the world, files aside. */
export interface CliIo {
  /** Writes a part of the answer, as it is. */
  readonly print: (text: string) => void
  /** Writes an answer that need not fit into memory, as fast as it is read; asks for no more parts when nobody reads on. */
  readonly printParts: (parts: Iterable<string>) => Promise<void>
  /** Writes a line of commentary. */
  readonly comment: (line: string) => void
  readonly standardInput: StandardInput
  /** Whether the answer may be coloured. */
  readonly colour: boolean
  /** Whether the answer appears on a terminal, as it is printed. */
  readonly onTerminal: boolean
  /** Where progress may be drawn; undefined where nobody watches. */
  readonly progress: Writable | undefined
  /** The folder of the policies that come with the program. */
  readonly shippedPolicies: string
  readonly version: string
  /** Runs the server until the process is asked to end. */
  readonly serve: (options: ServeOptions) => Promise<ExitCode>
}
