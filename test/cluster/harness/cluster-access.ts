import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'

import { createKubectl, type Kubectl } from './kubectl.ts'

/** What another process has to know to use a running cluster. All values are paths. */
export interface ClusterFiles {
  readonly kubeconfig: string
  readonly kubectlBinary: string
  /** The cluster's own folder: logs, kubectl's cache. */
  readonly folder: string
}

/** A running cluster as its users see it. */
export interface ClusterAccess {
  /** The path of a kubeconfig whose user is a member of system:masters. */
  readonly kubeconfig: string
  readonly kubectl: Kubectl
  /** The same cluster and user for @kubernetes/client-node. */
  readonly client: KubeConfig
  /** Creates a namespace with a name of its own, and returns the name. */
  readonly createNamespace: (labels?: Readonly<Record<string, string>>) => Promise<string>
}

/** Opens a running cluster from its files. */
export function openCluster({ kubeconfig, kubectlBinary, folder }: ClusterFiles): ClusterAccess {
  const client = new KubeConfig()
  client.loadFromFile(kubeconfig)
  const core = client.makeApiClient(CoreV1Api)
  return {
    kubeconfig,
    client,
    kubectl: createKubectl({ binary: kubectlBinary, kubeconfig, home: folder }),
    createNamespace: async (labels = {}) => {
      const created = await core.createNamespace({ body: { metadata: { generateName: 'test-', labels } } })
      const name = created.metadata?.name
      if (name === undefined) throw new Error('the API server made a namespace without a name')
      return name
    },
  }
}
