import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

import { asObject } from '../../src/kube/json.ts'
import { nameOf, namespaceOf } from '../../src/kube/object.ts'
import { generateMesh, type MeshSize } from '../generate-mesh.ts'

/** What a command over a mesh of documents costs as a whole process, start and reading included. */
export interface CommandCost {
  readonly command: string
  /** On the clock. */
  readonly seconds: number
  /** Of processor time, of all threads. */
  readonly cpuSeconds: number
  /** MB, at the most. */
  readonly memory: number
  /** MB of standard output. */
  readonly output: number
}

const COMMANDS = ['check', 'check -o json', 'inspect', 'inspect -o json --no-hidden', 'inspect -o json']

/** Writes a mesh as YAML, a file for each namespace, and runs commands over it, each as a process of its own. */
export async function measureDocuments(
  size: MeshSize,
  commands: readonly string[] = COMMANDS,
): Promise<readonly CommandCost[]> {
  const folder = mkdtempSync(join(tmpdir(), 'meshward-bench-'))
  try {
    const documents = join(folder, 'mesh')
    writeMesh(documents, size)
    const costs: CommandCost[] = []
    for (const command of commands) costs.push(await run(command, documents, join(folder, 'usage')))
    return costs
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A mesh as a folder of manifests. */
function writeMesh(folder: string, size: MeshSize): void {
  mkdirSync(folder)
  for (const object of generateMesh(size)) {
    const file = join(folder, `${namespaceOf(object) || nameOf(object)}.yaml`)
    appendFileSync(file, `---\n${stringify(object, { aliasDuplicateObjects: false })}`)
  }
}

async function run(command: string, documents: string, usage: string): Promise<CommandCost> {
  const descriptor = openSync(usage, 'w')
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', REPORT_USAGE, COMMAND_LINE, ...command.split(' '), documents], {
    stdio: ['ignore', 'pipe', 'inherit', descriptor],
  })
  let printed = 0
  child.stdout?.on('data', (part: Buffer) => {
    printed += part.length
  })
  const [status] = await once(child, 'close')
  const seconds = (performance.now() - started) / 1000
  closeSync(descriptor)
  if (status !== 0 && status !== 1) throw new Error(`${command} ended with ${status}`)
  const used = asObject(JSON.parse(readFileSync(usage, 'utf8')))
  return {
    command,
    seconds,
    cpuSeconds: (Number(used.userCPUTime) + Number(used.systemCPUTime)) / 1e6,
    memory: Number(used.maxRSS) / 1024,
    output: printed / 1024 / 1024,
  }
}

const REPORT_USAGE = join(import.meta.dirname, 'report-usage.ts')
const COMMAND_LINE = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
