import { spawn } from 'node:child_process'
import { cp, glob, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

/** An image as far as its folders and settings go: what a Dockerfile's instructions leave behind. */
export interface Replayed {
  /** The root of the last stage. */
  readonly root: string
  readonly workdir: string
  readonly environment: Readonly<Record<string, string>>
  readonly user: string
  readonly command: readonly string[]
}

interface Stage {
  readonly root: string
  workdir: string
  environment: Record<string, string>
  user: string
  entrypoint: readonly string[]
  command: readonly string[]
}

/**
 * Carries out a Dockerfile without a container engine: each stage is an empty folder, COPY honours `.dockerignore`,
 * RUN runs in the stage's work directory. Paths of a stage that commands are told of are mapped into its folder.
 */
export async function replayDockerfile(context: string, into: string): Promise<Replayed> {
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const { keyword, rest } of instructionsOf(await readFile(join(context, 'Dockerfile'), 'utf8'))) {
    if (keyword === 'FROM') {
      const name = / AS (\S+)$/i.exec(rest)?.[1] ?? String(stages.size)
      const root = join(into, name)
      await mkdir(root, { recursive: true })
      stage = { root, workdir: '/', environment: {}, user: 'root', entrypoint: [], command: [] }
      stages.set(name, stage)
      continue
    }
    if (stage === undefined) throw new Error(`${keyword} before FROM`)
    await carryOut({ keyword, rest }, stage, stages, context)
  }
  if (stage === undefined) throw new Error('no stage')
  const { root, workdir, environment, user, entrypoint, command } = stage
  return {
    root,
    workdir: join(root, workdir),
    environment: mapped(environment, root),
    user,
    command: [...entrypoint, ...command],
  }
}

interface Instruction {
  readonly keyword: string
  readonly rest: string
}

function instructionsOf(text: string): readonly Instruction[] {
  const joined = text.replaceAll(/\\\n/g, ' ')
  const lines = joined.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, keyword = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? []
    return { keyword: keyword.toUpperCase(), rest }
  })
}

async function carryOut(
  { keyword, rest }: Instruction,
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
  context: string,
): Promise<void> {
  switch (keyword) {
    case 'WORKDIR':
      stage.workdir = rest
      await mkdir(join(stage.root, rest), { recursive: true })
      return
    case 'COPY':
      return copy(rest, stage, stages, context)
    case 'RUN':
      return run(rest, stage)
    case 'ENV':
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) {
        stage.environment[name] = expanded(value, stage.environment)
      }
      return
    case 'USER':
      stage.user = rest
      return
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest)
      return
    case 'CMD':
      stage.command = JSON.parse(rest)
      return
    case 'EXPOSE':
      return
    default:
      throw new Error(`this replay does not know ${keyword}`)
  }
}

async function copy(rest: string, stage: Stage, stages: ReadonlyMap<string, Stage>, context: string): Promise<void> {
  const words = rest.split(/\s+/)
  const from = /^--from=(\S+)$/.exec(words[0] ?? '')?.[1]
  const sources = words.slice(from === undefined ? 0 : 1, -1)
  const target = join(stage.root, stage.workdir, words.at(-1) ?? '')
  const other = from === undefined ? undefined : stages.get(from)
  for (const source of sources) {
    if (other !== undefined) await cp(join(other.root, source), target, { recursive: true })
    else if (source === '.') await copyContext(context, target)
    else await cp(join(context, source), join(target, source))
  }
}

/** What `.dockerignore` lets through, which here is a list of exceptions from "nothing". */
async function copyContext(context: string, target: string): Promise<void> {
  const ignore = await readFile(join(context, '.dockerignore'), 'utf8')
  const patterns = ignore.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1).trim()] : []))
  for (const pattern of patterns) {
    for await (const path of glob(pattern, { cwd: context })) {
      const to = join(target, normalize(path))
      await mkdir(dirname(to), { recursive: true })
      await cp(join(context, path), to, { recursive: (await stat(join(context, path))).isDirectory() })
    }
  }
}

function run(command: string, stage: Stage): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], {
      cwd: join(stage.root, stage.workdir),
      env: { ...cleanEnvironment(), ...mapped(stage.environment, stage.root) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`RUN ${command}: ${code}\n${output}`))))
  })
}

/** As an image's: only what finds programs and the package registry. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(?:PATH|HOME|npm_config_.*|.*_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
  )
  return Object.fromEntries(kept)
}

/** With `$NAME` as the image has it so far; its base has the programs that this machine has. */
function expanded(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$(\w+)/g, (_, name: string) => environment[name] ?? process.env[name] ?? '')
}

/** Absolute paths of the image, as they are below its folder. */
function mapped(environment: Readonly<Record<string, string>>, root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.startsWith('/') ? join(root, value) : value]),
  )
}
