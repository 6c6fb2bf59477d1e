import type { Command } from 'commander'

import { buildSnapshot, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { CheckInput } from '../reports/check-documents.ts'
import { definedKinds, toJudgedObject } from '../reports/judged-object.ts'
import { readTexts } from '../sources/documents.ts'
import type { InputError } from '../sources/input-error.ts'
import { readManifests, type SourceText } from '../sources/manifests.ts'
import type { CliIo } from './cli-io.ts'
import { append } from './policy-options.ts'
import { trackProgress } from './progress.ts'

/** What is judged, and in what surroundings. */
export interface DocumentOptions {
  readonly context: readonly string[]
  readonly namespace: string
}

/** Gives a command the options about documents. */
export function addDocumentOptions(command: Command): Command {
  return command
    .option('--context <path>', 'more of the mesh, which is not judged: file, folder or - (repeatable)', append, [])
    .option('-n, --namespace <name>', 'the namespace of documents that name none', 'default')
}

/** Documents ready to be judged. What could not be read is among the errors of `input.read`. */
export interface Documents {
  readonly texts: readonly SourceText[]
  readonly input: CheckInput
}

/** Reads the documents of a command and the mesh around them; tells of what was passed over. */
export function readDocuments(
  paths: readonly string[],
  policies: PolicySet,
  options: DocumentOptions & { readonly defaults: CheckInput['defaults'] },
  io: CliIo,
): Documents {
  const { texts, errors } = readTexts(paths, io.standardInput)
  const progress = trackProgress(io.progress, 'reading', texts.length)
  const read = readManifests(texts, progress.step)
  progress.done()
  const context = readContext(options, io)
  for (const note of [...read.notes, ...context.notes]) io.comment(note)
  const input: CheckInput = {
    read: { ...read, errors: [...errors, ...read.errors, ...context.errors] },
    policies,
    context: context.mesh,
    contextKinds: context.kinds,
    knowledge: options.context.length === 0 ? 'partial' : 'whole',
    namespace: options.namespace,
    defaults: options.defaults,
  }
  return { texts, input }
}

/** What `--context` names: more of the mesh. */
export interface Context {
  readonly mesh: MeshSnapshot
  readonly kinds: CheckInput['contextKinds']
  readonly errors: readonly InputError[]
  readonly notes: readonly string[]
}

/** Reads the mesh around the documents. */
export function readContext({ context, namespace }: DocumentOptions, io: CliIo): Context {
  const { texts, errors } = readTexts(context, io.standardInput)
  const read = readManifests(texts)
  const kinds = definedKinds(read.manifests.map(({ object }) => object))
  const objects = read.manifests.map((manifest) => toJudgedObject(manifest, kinds, namespace).object)
  return { mesh: buildSnapshot(objects), kinds, errors: [...errors, ...read.errors], notes: read.notes }
}
