import { Option, type Command } from 'commander'

import type { KindName } from '../mesh/kinds.ts'
import { buildSnapshot, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { CheckInput } from '../reports/check-documents.ts'
import { definedKinds, toJudgedObject } from '../reports/judged-object.ts'
import { judgedKinds, watchedKinds } from '../sources/cluster/policy-kinds.ts'
import type { ClusterRead } from '../sources/cluster/read-cluster.ts'
import { readTexts } from '../sources/documents.ts'
import type { InputError } from '../sources/input-error.ts'
import { readManifests, type SourceText } from '../sources/manifests.ts'
import { append } from '../webhook/option-values.ts'
import type { CliIo } from './cli-io.ts'
import { addClusterOptions, readClusterOf, type ClusterOptions } from './cluster-options.ts'
import { trackProgress } from './progress.ts'

/** What is judged, and in what surroundings. */
export interface DocumentOptions extends ClusterOptions {
  readonly context: readonly string[]
  readonly namespace: string
}

/** Gives a command the options about documents. */
export function addDocumentOptions(command: Command): Command {
  return addClusterOptions(command)
    .option('--context <path>', 'more of the mesh, which is not judged: file, folder or - (repeatable)', append, [])
    .option('-n, --namespace <name>', 'the namespace of documents that name none', 'default')
}

/** Options of commands that are given files as they come, such as those of a commit. */
export interface OtherFilesOptions {
  readonly skipOthers: boolean
}

/** `--skip-others`: named files are taken as those that lie in a folder are, and none that holds an object is no error. */
export function skipOthersOption(): Option {
  const description = 'pass over named files that are no Kubernetes objects, as those in folders; none is fine too'
  return new Option('--skip-others', description).default(false)
}

/** Documents ready to be judged. What could not be read is among the errors of `input.read`. */
export interface Documents {
  readonly texts: readonly SourceText[]
  readonly input: CheckInput
}

/**
 * Reads the documents of a command and the mesh around them; tells of what was passed over. Without a path, the
 * objects of the cluster are the documents.
 */
export async function readDocuments(
  paths: readonly string[],
  policies: PolicySet,
  options: DocumentOptions & OtherFilesOptions & { readonly defaults: CheckInput['defaults'] },
  io: CliIo,
): Promise<Documents> {
  const { texts: named, errors } = readTexts(paths, io.standardInput)
  const texts = options.skipOthers ? named.map((text) => ({ ...text, origin: 'found' as const })) : named
  const progress = trackProgress(io.progress, 'reading', texts.length)
  const written = readManifests(texts, progress.step)
  progress.done()
  const judged = paths.length === 0 ? judgedKinds(policies) : new Set<KindName>()
  const cluster = await readClusterOf(options, { judged, read: watchedKinds(policies) }, io)
  const read = { ...written, manifests: [...written.manifests, ...cluster.manifests] }
  const context = readContext(options, io, cluster)
  for (const note of [...read.notes, ...context.notes]) io.comment(note)
  const input: CheckInput = {
    read: { ...read, errors: [...errors, ...read.errors, ...context.errors] },
    policies,
    context: context.mesh,
    contextKinds: context.kinds,
    knowledge: options.cluster === true || options.context.length === 0 ? cluster.knowledge : 'whole',
    namespace: options.namespace,
    defaults: options.defaults,
  }
  return { texts, input }
}

/** Was everything that was given passed over, where that is fine? */
export function isAllOther({ skipOthers }: OtherFilesOptions, { read }: CheckInput): boolean {
  return skipOthers && read.manifests.length === 0 && read.errors.length === 0
}

/** What `--context` names: more of the mesh. */
export interface Context {
  readonly mesh: MeshSnapshot
  readonly kinds: CheckInput['contextKinds']
  readonly errors: readonly InputError[]
  readonly notes: readonly string[]
}

/** Reads the mesh around the documents; what is in files wins over what is in the cluster. */
export function readContext(
  { context, namespace, istioNamespace, secretNamespace }: DocumentOptions,
  io: CliIo,
  cluster?: ClusterRead,
): Context {
  const { texts, errors } = readTexts(context, io.standardInput)
  const progress = trackProgress(io.progress, 'reading', texts.length)
  const read = readManifests(texts, progress.step)
  progress.done()
  const kinds = definedKinds(read.manifests.map(({ object }) => object))
  const objects = read.manifests.map((manifest) => toJudgedObject(manifest, kinds, namespace).object)
  const mesh = buildSnapshot([...(cluster?.mesh ?? []), ...objects], {
    istioNamespace,
    ...(cluster === undefined ? {} : { secretNamespaces: secretNamespace }),
  })
  return { mesh, kinds, errors: [...errors, ...read.errors, ...(cluster?.errors ?? [])], notes: read.notes }
}
