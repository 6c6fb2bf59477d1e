import { startCluster, type Cluster } from '../test/cluster/harness/cluster.ts'
import { kubectlOutput } from '../test/cluster/harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from '../test/cluster/harness/meshward-server.ts'
import { meshwardWebhooks } from '../test/cluster/harness/meshward-webhooks.ts'
import { registerWebhook } from '../test/cluster/harness/register-webhook.ts'

export interface PlaygroundOptions {
  /** As `--policies` and `--bindings` of the server. */
  readonly policies: readonly string[]
  readonly bindings: readonly string[]
  /** The whole command line, which is handed to the server. */
  readonly args: readonly string[]
  readonly say: (line: string) => void
}

export interface Playground {
  readonly cluster: Cluster
  readonly meshward: MeshwardServer
  /** Ends both and removes every file of theirs. */
  readonly stop: () => Promise<void>
}

const namespaces = [
  { name: 'istio-system', labels: {} },
  { name: 'shop', labels: { 'istio-injection': 'enabled' } },
]

/** Starts a cluster and Meshward, and registers the one with the other. Leaves nothing behind when a step fails. */
export async function startPlayground({ policies, bindings, args, say }: PlaygroundOptions): Promise<Playground> {
  const meshward = await startMeshward(args)
  try {
    say('starting an API server …')
    const cluster = await startCluster({ say })
    const stop = async (): Promise<void> => {
      await cluster.stop()
      await meshward.stop()
    }
    try {
      await createNamespaces(cluster)
      const webhooks = meshwardWebhooks({ url: meshward.url, ca: meshward.ca, policies, bindings })
      await registerWebhook(cluster, { name: 'meshward', ...webhooks })
      return { cluster, meshward, stop }
    } catch (error) {
      await cluster.stop()
      throw error
    }
  } catch (error) {
    await meshward.stop()
    throw error
  }
}

/** The namespaces that the examples are for. */
export async function createNamespaces({ kubectl }: Pick<Cluster, 'kubectl'>): Promise<void> {
  const items = namespaces.map((metadata) => ({ apiVersion: 'v1', kind: 'Namespace', metadata }))
  await kubectlOutput(kubectl, ['create', '-f', '-'], {
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  })
}
