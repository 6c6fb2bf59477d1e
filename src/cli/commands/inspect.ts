import { Option, type Command } from 'commander'

import { asList, asObject, isList } from '../../kube/json.ts'
import { nearestName } from '../../kube/nearest-name.ts'
import { parseRequest, type Request } from '../../mesh/request.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import { allWorkloads } from '../../mesh/workloads.ts'
import { inspectMesh, narrowFacts, workloadsCalled, type Inspection } from '../../reports/inspect-mesh.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { allKinds, readClusterOf } from '../cluster-options.ts'
import { addDocumentOptions, readContext, type DocumentOptions } from '../document-options.ts'
import { formatInspection } from '../formats/inspection.ts'
import { printErrors } from '../print-errors.ts'
import { trackProgress } from '../progress.ts'
import { readOne } from '../read-one.ts'

interface InspectOptions extends DocumentOptions {
  readonly output: 'text' | 'json'
  readonly requests?: string
  readonly workload?: string
  readonly to?: string
  readonly color: boolean
}

/** `meshward inspect PATH…`: what the mesh of some documents really does, with the objects that decide. */
export function addInspectCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  const command = program
    .command('inspect')
    .summary('what a mesh really does, with the objects that decide')
    .argument('[paths...]', 'files, folders, or - for standard input; all of them together are the mesh')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(['text', 'json']).default('text'),
    )
    .option(
      '--requests <file>',
      'sample requests to judge: a list of {id, principal, ip, method, path, host, headers, jwt}',
    )
    .option('--workload <namespace/name>', 'only this pod, or the pods of this Deployment or Service')
    .option('--to <host:port>', 'only what is done towards this host and port')
    .option('--no-color', 'no colours, as with NO_COLOR')
  addDocumentOptions(command).action(async (paths: readonly string[], options: InspectOptions) => {
    exit(await inspect(paths, options, io))
  })
}

async function inspect(paths: readonly string[], options: InspectOptions, io: CliIo): Promise<ExitCode> {
  const cluster = await readClusterOf(options, { judged: new Set(), read: allKinds() }, io)
  const { mesh, errors, notes } = readContext({ ...options, context: [...paths, ...options.context] }, io, cluster)
  const requests = readRequests(options.requests, io)
  const workloads = options.workload === undefined ? undefined : workloadsCalled(mesh, options.workload)
  for (const note of notes) io.comment(note)
  const problems = [...errors, ...requests.errors, ...(mesh.size === 0 && errors.length === 0 ? [NOTHING] : [])]
  if (workloads?.size === 0) problems.push(unknownWorkload(mesh, options.workload ?? ''))
  if (requests.errors.length === 0 && mesh.size > 0 && workloads?.size !== 0) {
    const { facts, deciders } = workOut(mesh, requests.requests, options.output === 'json' ? 'null' : 'left-out', io)
    const narrowed = { facts: narrowFacts(facts, workloads, targetsCalled(options.to)), deciders }
    io.print(
      options.output === 'json'
        ? `${JSON.stringify({ facts: narrowed.facts }, null, 2)}\n`
        : formatInspection(narrowed, io.colour && options.color),
    )
  }
  printErrors(problems, io)
  return problems.length > 0 ? 2 : 0
}

function workOut(mesh: MeshSnapshot, requests: readonly Request[], hidden: 'null' | 'left-out', io: CliIo): Inspection {
  const steps = inspectMesh(mesh, requests, hidden)
  let step = steps.next()
  const progress = trackProgress(io.progress, 'inspecting', step.done === true ? 0 : step.value.total)
  while (step.done !== true) {
    progress.step()
    step = steps.next()
  }
  progress.done()
  return step.value
}

/** `reviews:9080` is every host that begins with `reviews.`, and that host itself. */
function targetsCalled(asked: string | undefined): ((target: string) => boolean) | undefined {
  if (asked === undefined) return undefined
  const [, host = asked, port] = /^(.*?)(?::(\d+))?$/.exec(asked) ?? []
  return (target) => {
    const at = target.lastIndexOf(':')
    const isHost = target.slice(0, at) === host || target.startsWith(`${host}.`)
    return isHost && (port === undefined || target.slice(at + 1) === port)
  }
}

function readRequests(
  file: string | undefined,
  io: CliIo,
): { readonly requests: readonly Request[]; readonly errors: readonly InputError[] } {
  const { value, errors } = readOne(file, io)
  if (file === undefined || errors.length > 0) return { requests: [], errors }
  const list = isList(value) ? value : asObject(value).requests
  if (!isList(list)) {
    const message = 'this holds no list of requests; write a list of {id, principal, ip, method, path, host}'
    return { requests: [], errors: [{ code: 'CLI-04', file, message }] }
  }
  const requests = asList(list).flatMap((item, index) => {
    const request = parseRequest(item)
    return request === undefined ? [] : [{ ...request, id: request.id || String(index) }]
  })
  return { requests, errors: [] }
}

function unknownWorkload(mesh: MeshSnapshot, asked: string): InputError {
  const nearest = nearestName(
    asked,
    allWorkloads(mesh).map(({ namespace, name }) => `${namespace}/${name}`),
  )
  const hint = nearest === undefined ? 'write it as namespace/name' : `did you mean "${nearest}"?`
  return { code: 'CLI-05', file: '', message: `--workload: nothing here is called "${asked}"; ${hint}` }
}

const NOTHING: InputError = {
  code: 'DOC-10',
  file: '',
  message: 'there is no Kubernetes object in what was given; give at least one manifest',
}
