import type { JsonObject } from '../../../src/kube/json.ts'
import { defaultVersions } from '../../../tools/cluster/programs.ts'
import { startCluster, type Cluster, type ClusterOptions } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { chartFolder, createHelm, helmOutput, type Helm } from '../harness/helm.ts'
import { kubectlOutput, type KubectlResult } from '../harness/kubectl.ts'
import type { Image } from '../harness/kubelet/image.ts'

const namespace = 'meshward-system'

/** A cluster with nodes on which the chart can be installed, and short ways to do so and to look what came of it. */
export interface Installation {
  readonly cluster: Cluster
  readonly helm: Helm
  /** `helm install` or `helm upgrade` with these values. Does not wait for pods. */
  readonly install: (...args: readonly string[]) => Promise<void>
  readonly upgrade: (...args: readonly string[]) => Promise<void>
  readonly uninstall: () => Promise<void>
  /** Waits until nothing in the cluster bears the name of the release. */
  readonly nothingLeft: () => Promise<void>
  readonly kubectl: (...args: readonly string[]) => Promise<string>
  /** `kubectl apply`, whatever comes of it. */
  readonly apply: (...objects: readonly object[]) => Promise<KubectlResult>
  /** Waits until a PeerAuthentication that accepts plaintext is refused, and returns the milliseconds that took. */
  readonly enforced: (within?: number) => Promise<number>
  readonly rolledOut: () => Promise<void>
  readonly pods: () => Promise<readonly string[]>
  /** The pod that holds the lease; empty where none does. */
  readonly leader: () => Promise<string>
  /** Sends a signal to the process of a pod, which nobody else hears of. */
  readonly signal: (pod: string, signal: NodeJS.Signals) => Promise<void>
}

/** Everything that could be left of a release. */
const KINDS = [
  'validatingwebhookconfigurations,mutatingwebhookconfigurations,clusterroles,clusterrolebindings',
  'leases,secrets,roles,rolebindings,deployments,services,serviceaccounts,configmaps,poddisruptionbudgets,networkpolicies',
]

/** Starts a cluster with nodes that have the image, of the versions asked for, for the Helm of them. */
export async function openInstallation(image: Image, options: ClusterOptions = {}): Promise<Installation> {
  const nodes = { names: ['node-1', 'node-2'], images: { 'ghcr.io/meshward/meshward': image } }
  const cluster = await startCluster({ ...options, nodes })
  try {
    return await installationBy((options.versions ?? defaultVersions).helm, cluster)
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** The same in such a cluster for this major version of Helm. */
export async function installationBy(major: string, cluster: Cluster): Promise<Installation> {
  return describeInstallation(cluster, await createHelm({ cluster, home: cluster.files.folder, major }))
}

/** An object that the shipped policies refuse (MTLS-02). */
export function plaintext(name: string, inNamespace = 'default'): JsonObject {
  return peerAuthentication(name, inNamespace, 'PERMISSIVE')
}

/** Who may talk to an app of this name, and how. */
export function peerAuthentication(name: string, namespace: string, mode: 'PERMISSIVE' | 'STRICT'): JsonObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: { app: name } }, mtls: { mode } },
  }
}

function describeInstallation(cluster: Cluster, helm: Helm): Installation {
  const kubectl = (...args: readonly string[]) => kubectlOutput(cluster.kubectl, ['-n', namespace, ...args])
  const apply = (...items: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  const release = ['meshward', chartFolder, '-n', namespace]
  return {
    cluster,
    helm,
    install: async (...args) => void (await helmOutput(helm, ['install', ...release, '--create-namespace', ...args])),
    upgrade: async (...args) => void (await helmOutput(helm, ['upgrade', ...release, ...args])),
    uninstall: async () => void (await helmOutput(helm, ['uninstall', 'meshward', '-n', namespace])),
    nothingLeft: async () => {
      await eventually({ what: 'a cluster as it was', within: 30_000, every: 250 }, async () => {
        const lists = await Promise.all(KINDS.map((kinds) => kubectl('get', kinds, '-A', '-o', 'name')))
        const left = lists.flatMap((list) => list.split('\n')).filter((name) => name.includes('meshward'))
        if (left.length > 0) throw new Error(`still there: ${left.join(' ')}`)
        return true
      })
    },
    kubectl,
    apply,
    rolledOut: async () => void (await kubectl('rollout', 'status', 'deployment/meshward', '--timeout=60s')),
    pods: async () =>
      (await kubectl('get', 'pods', '-l', 'app.kubernetes.io/name=meshward', '-o', 'name')).trim().split('\n'),
    leader: () => kubectl('get', 'lease', 'meshward', '-o', 'jsonpath={.spec.holderIdentity}'),
    signal: async (pod, signal) => {
      const id = await kubectl('get', pod, '-o', 'jsonpath={.status.containerStatuses[0].containerID}')
      process.kill(Number(id.replace('process://', '')), signal)
    },
    enforced: async (within = 30_000) => {
      const started = performance.now()
      await eventually({ what: 'the refusal of plaintext', within, every: 200 }, async () => {
        const { code, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], {
          stdin: JSON.stringify(plaintext('probe')),
        })
        if (code === 0) throw new Error('it was accepted')
        if (!stderr.includes('MTLS-02')) throw new Error(stderr)
        return true
      })
      return performance.now() - started
    },
  }
}
