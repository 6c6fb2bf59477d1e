import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import type { V1Pod, V1PodStatus } from '@kubernetes/client-node'

import { reasonOf } from './api-error.ts'
import { createContainerSet, type ContainerSet } from './container-set.ts'
import { deletePod } from './delete-pod.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { podStatus, type PodProgress } from './pod-status.ts'
import { runPod } from './run-pod.ts'
import { createStatusWriter } from './status-writer.ts'

/** The life of one pod on its node. */
export interface PodWorker {
  /** Takes a newer version of the object: a deletion begins with one. */
  readonly update: (pod: V1Pod) => void
  /** The object is gone: everything ends at once. */
  readonly remove: () => void
  readonly logs: ContainerSet['logs']
  /** Resolves when the pod was deleted and nothing of it is left. */
  readonly finished: Promise<void>
}

/** Runs a pod that is bound to this node, and ends its deletion when there is one. */
export function startPodWorker(context: KubeletContext, first: V1Pod): PodWorker {
  const { namespace = '', name = '', uid = '' } = first.metadata ?? {}
  const { core } = context
  const folder = join(context.launcher.folder, 'pods', uid)
  const writer = createStatusWriter({ core, namespace, name, uid })
  const stopping = new AbortController()
  let pod = first
  let status: V1PodStatus | undefined = first.status
  let removed = false
  let progress: PodProgress = {
    facts: undefined,
    startTime: new Date(),
    initialized: false,
    problem: { reason: 'ContainerCreating', message: '' },
    reports: new Map(),
    outcome: undefined,
  }

  const advance = (next: Partial<PodProgress>): void => {
    progress = { ...progress, ...next, reports: containers.reports() }
    status = podStatus({ pod, progress, previous: status, now: new Date() })
    writer.write(status)
  }
  const containers = createContainerSet({ context, pod, folder, onChange: () => advance({}) })

  const run = async (): Promise<void> => {
    mkdirSync(folder, { recursive: true })
    const { signal } = stopping
    try {
      advance({ outcome: await runPod({ context, pod, folder, containers, stopping: signal, onProgress: advance }) })
    } catch (error) {
      const message = reasonOf(error)
      advance({ outcome: 'Failed', problem: { reason: 'Failed', message } })
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    await writer.flushed()
    // What is done stays to be looked at, as the pods of Jobs do, until somebody deletes it.
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve())
    })
    if (!removed) await deletePod(core, pod)
    context.tokens.forget(pod)
  }

  const update = (next: V1Pod): void => {
    pod = next
    const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = next.metadata ?? {}
    if (deletionTimestamp === undefined || stopping.signal.aborted) return
    stopping.abort()
    containers.stop(deletionGracePeriodSeconds)
  }
  const finished = run()
  update(first)
  return {
    update,
    remove: () => {
      removed = true
      stopping.abort()
      containers.kill()
    },
    logs: containers.logs,
    finished,
  }
}
