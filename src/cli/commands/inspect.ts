import { Option, type Command } from 'commander'

import { asList, asObject, isList } from '../../kube/json.ts'
import { nearestName } from '../../kube/nearest-name.ts'
import { COLUMNS } from '../../mesh/facts.ts'
import { parseRequest, type Request } from '../../mesh/request.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import { allWorkloads } from '../../mesh/workloads.ts'
import { callersCalled, conversationFact, converse, type ToldConversation } from '../../reports/converse.ts'
import { inspectMesh, workloadsCalled, type Inspection } from '../../reports/inspect-mesh.ts'
import type { InputError } from '../../sources/input-error.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { allKinds, readClusterOf } from '../cluster-options.ts'
import { addDocumentOptions, readContext, type DocumentOptions } from '../document-options.ts'
import { formatConversation } from '../formats/conversation.ts'
import { formatInspection } from '../formats/inspection.ts'
import { inspectionJson } from '../formats/inspection-json.ts'
import { printErrors } from '../print-errors.ts'
import { trackProgress } from '../progress.ts'
import { readOne } from '../read-one.ts'

interface InspectOptions extends DocumentOptions {
  readonly output: 'text' | 'json'
  readonly requests?: string
  readonly workload?: string
  readonly to?: string
  readonly hidden: boolean
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
    .option('--to <host:port>', 'only what is done towards this host and port; with --workload, the whole conversation')
    .option('--no-hidden', 'in JSON, leave out the hosts that a workload does not see, which are null otherwise')
    .option('--no-color', 'no colours, as with NO_COLOR')
  addDocumentOptions(command).action(async (paths: readonly string[], options: InspectOptions) => {
    exit(await inspect(paths, options, io))
  })
}

async function inspect(paths: readonly string[], options: InspectOptions, io: CliIo): Promise<ExitCode> {
  const cluster = await readClusterOf(options, { judged: new Set(), read: allKinds() }, io)
  const { mesh, errors, notes } = readContext({ ...options, context: [...paths, ...options.context] }, io, cluster)
  const requests = readRequests(options.requests, io)
  const called = options.to === undefined ? workloadsCalled : callersCalled
  const workloads = options.workload === undefined ? undefined : called(mesh, options.workload)
  for (const note of notes) io.comment(note)
  const problems = [...errors, ...requests.errors, ...(mesh.size === 0 && errors.length === 0 ? [NOTHING] : [])]
  if (workloads?.size === 0) problems.push(unknownWorkload(mesh, options.workload ?? ''))
  if (requests.errors.length === 0 && mesh.size > 0 && workloads?.size !== 0) {
    const isTarget = targetsCalled(options.to)
    const hidden = options.output === 'json' && options.hidden ? 'null' : 'left-out'
    const told =
      workloads === undefined || options.to === undefined
        ? undefined
        : converse(mesh, { workloads, to: options.to, requests: requests.requests })
    if (told !== undefined && options.output === 'text') writeConversations(told, options, io)
    else await write(inspectMesh(mesh, { requests: requests.requests, hidden, workloads, isTarget }), told, options, io)
  }
  printErrors(problems, io)
  return problems.length > 0 ? 2 : 0
}

function writeConversations(told: readonly ToldConversation[], { color }: InspectOptions, io: CliIo): void {
  io.print(told.map((each) => formatConversation(each, io.colour && color)).join('\n'))
}

function write(
  inspection: Inspection,
  told: readonly ToldConversation[] | undefined,
  { output, color }: InspectOptions,
  io: CliIo,
): Promise<void> {
  const { length } = inspection.sidecars.workloads
  // on a terminal the answer itself shows how far it is
  const stream = io.onTerminal ? undefined : io.progress
  return output === 'json'
    ? io.printParts(
        withProgress(inspectionJson(inspection, told?.map(conversationFact)), stream, length * COLUMNS.length),
      )
    : io.printParts(withProgress(formatInspection(inspection, io.colour && color), stream, length))
}

function* withProgress(parts: Iterable<string>, stream: CliIo['progress'], total: number): Generator<string> {
  const progress = trackProgress(stream, 'inspecting', total)
  for (const part of parts) {
    progress.step()
    yield part
  }
  progress.done()
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
