import { connectCluster, type ClusterConnection } from '../../sources/cluster/connect-cluster.ts'
import type { ServeOptions } from '../serve-options.ts'
import type { JoinOptions, Membership } from './join-cluster.ts'

export type OpenClusterOutcome =
  | {
      readonly ok: true
      readonly connection: ClusterConnection | undefined
      readonly membership: Membership | undefined
    }
  | { readonly ok: false; readonly reason: string }

/** The cluster that a server is a part of; none where no option says so. Talks to nobody yet. */
export async function openCluster(
  options: ServeOptions,
  parts: Omit<JoinOptions, 'options' | 'connection'>,
): Promise<OpenClusterOutcome> {
  if (options.inCluster !== true && options.kubeconfig === undefined)
    return { ok: true, connection: undefined, membership: undefined }
  const connected = await connectCluster(options)
  if (!connected.ok) return connected
  const { connection } = connected
  // Its libraries take 80 ms to load, which a server without a cluster need not spend.
  const { joinCluster } = await import('./join-cluster.ts')
  try {
    return { ok: true, connection, membership: await joinCluster({ options, connection, ...parts }) }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}
