import { CoordinationV1Api, V1MicroTime, type CoreV1Api, type KubeConfig, type V1Node } from '@kubernetes/client-node'

import { hasStatus } from './api-error.ts'
import { every } from './every.ts'

export interface NodesOptions {
  readonly core: CoreV1Api
  readonly client: KubeConfig
  readonly names: readonly string[]
  readonly address: string
  /** Where the API server asks for logs. */
  readonly port: number
  readonly signal: AbortSignal
}

/** As kubelets do it; the node controller gives a node up when its lease is four times as old. */
const leasePeriod = 10_000

/** Creates Node objects that are ready, and keeps their leases fresh until told to stop. */
export async function keepNodes({ core, client, names, address, port, signal }: NodesOptions): Promise<void> {
  const leases = client.makeApiClient(CoordinationV1Api)
  for (const name of names) await core.createNode({ body: node(name, address, port) })
  void every(leasePeriod, signal, async () => {
    for (const name of names) await renew(leases, name)
  })
}

function node(name: string, address: string, port: number): V1Node {
  const now = new Date()
  const capacity = { cpu: '64', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' }
  return {
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
        'topology.kubernetes.io/zone': `zone-of-${name}`,
      },
    },
    status: {
      capacity,
      allocatable: capacity,
      addresses: [{ type: 'InternalIP', address }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  }
}

const namespace = 'kube-node-lease'

async function renew(leases: CoordinationV1Api, name: string): Promise<void> {
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new V1MicroTime() }
  try {
    const { metadata = {} } = await leases.readNamespacedLease({ namespace, name })
    await leases.replaceNamespacedLease({ namespace, name, body: { metadata, spec } })
  } catch (error) {
    if (!hasStatus(error, 404)) throw error
    await leases.createNamespacedLease({ namespace, body: { metadata: { name }, spec } })
  }
}
