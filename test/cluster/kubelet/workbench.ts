import {
  CoreV1Api,
  type V1Container,
  type V1ContainerStatus,
  type V1Pod,
  type V1PodSpec,
} from '@kubernetes/client-node'

import { startCluster, type Cluster } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { kubectlOutput } from '../harness/kubectl.ts'
import { nodeImage } from '../harness/node-image.ts'

/** A cluster with two nodes, a namespace in it, and short ways to make pods and look at them. */
export interface Workbench {
  readonly cluster: Cluster
  readonly namespace: string
  readonly apply: (...objects: readonly object[]) => Promise<void>
  /** Creates a pod with one container `main` that runs a shell command. */
  readonly runPod: (name: string, shell: string, more?: PodParts) => Promise<void>
  readonly pod: (name: string) => Promise<V1Pod>
  /** Waits until a pod is as it should be, and returns it. */
  readonly waitFor: (name: string, what: string, holds: (pod: V1Pod) => boolean) => Promise<V1Pod>
  readonly logs: (name: string, ...args: readonly string[]) => Promise<string>
}

export interface PodParts {
  readonly container?: Partial<V1Container>
  readonly spec?: Partial<V1PodSpec>
  readonly labels?: Readonly<Record<string, string>>
}

/** The name that pods give the tests' image. */
export const image = 'registry.test/node:1'

export async function openWorkbench(): Promise<Workbench> {
  const nodes = { names: ['node-1', 'node-2'], images: { 'registry.test/node': nodeImage } }
  const cluster = await startCluster({ crds: [], nodes })
  const namespace = await cluster.createNamespace()
  await eventually({ what: 'a default service account', within: 20_000 }, () =>
    kubectlOutput(cluster.kubectl, ['get', 'serviceaccount', 'default', '-n', namespace]),
  )
  const core = cluster.client.makeApiClient(CoreV1Api)

  const apply = async (...objects: readonly object[]): Promise<void> => {
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await kubectlOutput(cluster.kubectl, ['apply', '-n', namespace, '-f', '-'], { stdin })
  }
  const pod = (name: string): Promise<V1Pod> => core.readNamespacedPod({ namespace, name })
  return {
    cluster,
    namespace,
    apply,
    pod,
    runPod: (name, shell, { container = {}, spec = {}, labels = {} } = {}) =>
      apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image, command: ['sh', '-c', shell], ...container }],
          ...spec,
        },
      }),
    waitFor: (name, what, holds) =>
      eventually({ what: `pod ${name}: ${what}`, within: 30_000 }, async () => {
        const current = await pod(name)
        return holds(current) ? current : undefined
      }),
    logs: (name, ...args) => kubectlOutput(cluster.kubectl, ['logs', name, '-n', namespace, ...args]),
  }
}

export function mainStatus({ status }: V1Pod): V1ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === 'main')
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false
}

export function isOver({ status }: V1Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}
