import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { V1Pod } from '@kubernetes/client-node'

import { reasonOf } from './api-error.ts'
import type { ContainerSet, PodGround } from './container-set.ts'
import type { PodFacts } from './field-reference.ts'
import type { KubeletContext } from './kubelet-context.ts'
import type { PodNetwork } from './pod-network.ts'
import type { PodProgress } from './pod-status.ts'
import { writePodVolumes } from './pod-volumes.ts'

export interface RunPodOptions {
  readonly context: KubeletContext
  readonly pod: V1Pod
  /** The pod's own folder. */
  readonly folder: string
  readonly containers: ContainerSet
  /** The pod is to be stopped: nothing more is begun. */
  readonly stopping: AbortSignal
  readonly onProgress: (progress: Partial<PodProgress>) => void
}

// Between two looks at what is behind a pod's volumes. A kubelet takes a minute over it, and tests would wait for that.
const volumePeriod = 1000

/** Runs a pod from its network to the end of its last container. Rejects when it cannot have a network. */
export async function runPod(options: RunPodOptions): Promise<'Succeeded' | 'Failed'> {
  const { context, pod, onProgress } = options
  const network = await openNetwork(context, pod)
  const over = new AbortController()
  try {
    const facts = { address: network.address, hostAddress: context.hostAddress }
    onProgress({ facts })
    const volumes = await firstVolumes(options, facts)
    if (volumes === undefined) return 'Failed'
    void followVolumes(options, facts, over.signal)
    return await runContainers(options, { facts, networkPrefix: network.prefix, volumes })
  } finally {
    over.abort()
    network.close()
  }
}

function openNetwork({ networks, hostAddress }: KubeletContext, { spec }: V1Pod): Promise<PodNetwork> {
  if (spec?.hostNetwork === true) return Promise.resolve({ address: hostAddress, prefix: [], close: () => {} })
  return networks.open()
}

/** Waits until everything is there that the volumes need; undefined when the pod is stopped before. */
async function firstVolumes(options: RunPodOptions, facts: PodFacts): Promise<PodGround['volumes'] | undefined> {
  const { stopping, onProgress } = options
  while (!stopping.aborted) {
    try {
      const volumes = await writeVolumes(options, facts)
      onProgress({ problem: undefined })
      return volumes
    } catch (error) {
      const message = reasonOf(error)
      onProgress({ problem: { reason: 'ContainerCreating', message } })
      await delay(volumePeriod, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return undefined
}

/** Keeps the files of volumes as their Secrets, ConfigMaps and tokens are; the last good ones stay where these are gone. */
async function followVolumes(options: RunPodOptions, facts: PodFacts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(volumePeriod, undefined, { signal }).catch(() => {})
    if (!signal.aborted) await writeVolumes(options, facts).catch(() => {})
  }
}

function writeVolumes({ context, pod, folder }: RunPodOptions, facts: PodFacts): Promise<PodGround['volumes']> {
  const { core, tokens } = context
  return writePodVolumes(join(folder, 'volumes'), { core, pod, facts, tokens })
}

async function runContainers(options: RunPodOptions, ground: PodGround): Promise<'Succeeded' | 'Failed'> {
  const { pod, containers, stopping, onProgress } = options
  const restart = pod.spec?.restartPolicy ?? 'Always'
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy !== undefined) throw new Error(`sidecar container ${container.name} is not supported`)
    if (stopping.aborted) return 'Failed'
    const policy = restart === 'Never' ? 'Never' : 'OnFailure'
    if ((await containers.start(container, policy, ground).finished) !== 0) return 'Failed'
  }
  onProgress({ initialized: true })
  if (stopping.aborted) return 'Failed'
  const policy = restart === 'Never' || restart === 'OnFailure' ? restart : 'Always'
  const all = (pod.spec?.containers ?? []).map((container) => containers.start(container, policy, ground).finished)
  const codes = await Promise.all(all)
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed'
}
