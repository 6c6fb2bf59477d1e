import type { Command } from 'commander'

import { KINDS, type KindName } from '../mesh/kinds.ts'
import { connectCluster, type ConnectOptions } from '../sources/cluster/connect-cluster.ts'
import { narrowKinds } from '../sources/cluster/policy-kinds.ts'
import { readCluster, whyUnreachable, type ClusterRead } from '../sources/cluster/read-cluster.ts'
import { append } from '../webhook/option-values.ts'
import type { CliIo } from './cli-io.ts'
import { trackProgress } from './progress.ts'

/** Whether a live cluster is the mesh, and which. */
export interface ClusterOptions extends ConnectOptions {
  readonly cluster?: true
  readonly istioNamespace: string
  readonly secretNamespace: readonly string[]
}

/** Gives a command the options about a live cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('--cluster', 'the mesh is what is in the cluster; documents, where given, replace what is there')
    .option('--kubeconfig <file>', 'the kubeconfig of that cluster; KUBECONFIG or ~/.kube/config when left out')
    .option('--kube-context <name>', 'the context of the kubeconfig; its current one when left out')
    .option('--istio-namespace <name>', "Istio's root namespace, where the mesh configuration is", 'istio-system')
    .option('--secret-namespace <name>', 'a namespace whose Secrets are read, names and keys (repeatable)', append, [])
}

const NOTHING_READ: ClusterRead = { manifests: [], mesh: [], knowledge: 'partial', errors: [] }

/**
 * Reads the objects of these kinds from the cluster that the options name: `judged` as manifests, `read` as the mesh
 * around them. Nothing where the options name none; an error where it cannot be read. Never rejects.
 */
export async function readClusterOf(
  options: ClusterOptions,
  kinds: { readonly judged: ReadonlySet<KindName>; readonly read: ReadonlySet<KindName> },
  io: CliIo,
): Promise<ClusterRead> {
  if (options.cluster !== true) return NOTHING_READ
  const connected = await connectCluster(options)
  const problem = connected.ok ? await whyUnreachable(connected.connection.api) : connected.reason
  if (!connected.ok || problem !== undefined)
    return { ...NOTHING_READ, errors: [{ code: 'CLUSTER-01', file: '', message: `--cluster: ${problem}` }] }
  const progress = trackProgress(io.progress, 'reading kinds', new Set([...kinds.judged, ...kinds.read]).size)
  const read = await readCluster({
    api: connected.connection.api,
    ...kinds,
    onlyIn: narrowKinds(options.istioNamespace, options.secretNamespace),
    onKind: progress.step,
  })
  progress.done()
  return read
}

/** Every kind that a mesh is made of. */
export function allKinds(): ReadonlySet<KindName> {
  return new Set(Object.values(KINDS))
}
