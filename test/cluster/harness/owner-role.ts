import { asObject, type JsonObject } from '../../../src/kube/json.ts'
import { createApiClient } from '../../../src/sources/cluster/api-client.ts'
import type { Owner } from '../../../src/webhook/cluster/kept-objects.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { kubectlOutput } from './kubectl.ts'

/** The ClusterRole that everything which a server keeps in the cluster belongs to, as the chart makes it. */
export interface OwnerRole extends Owner {
  readonly remove: () => Promise<void>
}

/** Makes an empty ClusterRole. */
export async function createOwnerRole(cluster: ClusterAccess, name: string): Promise<OwnerRole> {
  await kubectlOutput(cluster.kubectl, ['create', '-f', '-'], {
    stdin: JSON.stringify({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [],
    }),
  })
  return {
    api: createApiClient(cluster.client),
    name,
    remove: async () => {
      await kubectlOutput(cluster.kubectl, ['delete', 'clusterrole', name, '--ignore-not-found'])
    },
  }
}

/** An object as `kubectl get` has it. */
export async function getObject(cluster: ClusterAccess, ...args: readonly string[]): Promise<JsonObject> {
  const object: unknown = JSON.parse(await kubectlOutput(cluster.kubectl, ['get', ...args, '-o', 'json']))
  return asObject(object)
}
