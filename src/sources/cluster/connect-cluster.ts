import type { KubeConfig, Watch } from '@kubernetes/client-node'

import { createApiClient, type ApiClient } from './api-client.ts'

/** How a program is told of its cluster. */
export interface ConnectOptions {
  /** Use the service account of the pod. */
  readonly inCluster?: boolean
  /** A kubeconfig; where it is left out, `KUBECONFIG` and then `~/.kube/config`, as kubectl does. */
  readonly kubeconfig?: string
  /** The context of the kubeconfig; its current one when left out. */
  readonly kubeContext?: string
}

/** A cluster that can be talked to. */
export interface ClusterConnection {
  readonly config: KubeConfig
  readonly api: ApiClient
  readonly watch: Watch
  /** The namespace of the service account or of the context; `default` where it names none. */
  readonly namespace: string
}

export type ConnectOutcome =
  | { readonly ok: true; readonly connection: ClusterConnection }
  | { readonly ok: false; readonly reason: string }

/**
 * Reads the addresses and credentials of a cluster; talks to nobody yet. Not ok where they cannot be read. The
 * library is loaded here: it takes 100 ms, which programs without a cluster need not spend.
 */
export async function connectCluster(options: ConnectOptions): Promise<ConnectOutcome> {
  const { KubeConfig, Watch } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (options.inCluster === true) config.loadFromCluster()
    else if (options.kubeconfig !== undefined) config.loadFromFile(options.kubeconfig)
    else config.loadFromDefault()
  } catch (error) {
    return {
      ok: false,
      reason: `the kubeconfig cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
  if (options.kubeContext !== undefined) {
    const known = config.getContexts().map(({ name }) => name)
    if (!known.includes(options.kubeContext))
      return {
        ok: false,
        reason: `the kubeconfig has no context "${options.kubeContext}"; it has ${known.join(', ') || 'none'}`,
      }
    config.setCurrentContext(options.kubeContext)
  }
  if (config.getCurrentCluster() === null) return { ok: false, reason: 'the kubeconfig has no current cluster' }
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
  return { ok: true, connection: { config, api: createApiClient(config), watch: new Watch(config), namespace } }
}
