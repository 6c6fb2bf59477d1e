import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
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

const COMMANDS = ['check', 'check -o json', 'inspect', 'inspect -o json']

/** Writes a mesh as YAML, a file for each namespace, and runs commands over it, each as a process of its own. */
export function measureDocuments(size: MeshSize, commands: readonly string[] = COMMANDS): readonly CommandCost[] {
  const folder = mkdtempSync(join(tmpdir(), 'meshward-bench-'))
  try {
    const documents = join(folder, 'mesh')
    writeMesh(documents, size)
    return commands.map((command) => run(command, documents, folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A mesh as a folder of manifests. */
export function writeMesh(folder: string, size: MeshSize): void {
  mkdirSync(folder)
  for (const object of generateMesh(size)) {
    const file = join(folder, `${namespaceOf(object) || nameOf(object)}.yaml`)
    appendFileSync(file, `---\n${stringify(object, { aliasDuplicateObjects: false })}`)
  }
}

function run(command: string, documents: string, folder: string): CommandCost {
  const [printed, usage] = [join(folder, 'printed'), join(folder, 'usage')]
  const descriptors = [openSync(printed, 'w'), openSync(usage, 'w')] as const
  const started = performance.now()
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', REPORT_USAGE, COMMAND_LINE, ...command.split(' '), documents],
    { stdio: ['ignore', descriptors[0], 'pipe', descriptors[1]], encoding: 'utf8' },
  )
  const seconds = (performance.now() - started) / 1000
  descriptors.forEach(closeSync)
  if (status !== 0 && status !== 1) throw new Error(`${command} ended with ${status}: ${stderr}`)
  const used = asObject(JSON.parse(readFileSync(usage, 'utf8')))
  return {
    command,
    seconds,
    cpuSeconds: (Number(used.userCPUTime) + Number(used.systemCPUTime)) / 1e6,
    memory: Number(used.maxRSS) / 1024,
    output: statSync(printed).size / 1024 / 1024,
  }
}

const REPORT_USAGE = join(import.meta.dirname, 'report-usage.ts')
const COMMAND_LINE = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
