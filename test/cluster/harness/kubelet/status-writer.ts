import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'

import { PatchStrategy, setHeaderOptions, type CoreV1Api, type V1PodStatus } from '@kubernetes/client-node'

import { hasStatus } from './api-error.ts'

export interface StatusWriter {
  /** Has a status written soon; one that comes after it before then takes its place. */
  readonly write: (status: V1PodStatus) => void
  /** Resolves when the last status is written, or the pod is gone. */
  readonly flushed: () => Promise<void>
}

export interface StatusWriterOptions {
  readonly core: CoreV1Api
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** What a write that failed, since the API server is away, waits before the next try. */
const retry = 500

/** Writes the statuses of one pod in their order, until the API server has taken the last. */
export function createStatusWriter({ core, namespace, name, uid }: StatusWriterOptions): StatusWriter {
  let written: V1PodStatus | undefined
  let wanted: V1PodStatus | undefined
  let busy = false
  let drained = Promise.resolve()

  const patch = async (status: V1PodStatus): Promise<void> => {
    // The uid keeps a later pod of the same name from getting this one's status. Strategic, since others write
    // conditions too.
    const body = { metadata: { uid }, status }
    const options = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch)
    await core.patchNamespacedPodStatus({ namespace, name, body }, options)
  }

  const drain = async (): Promise<void> => {
    while (wanted !== undefined && !isDeepStrictEqual(wanted, written)) {
      const status = wanted
      try {
        await patch(status)
        written = status
      } catch (error) {
        // It is gone (404), or another pod has its name already (409).
        if (hasStatus(error, 404, 409)) wanted = undefined
        else await delay(retry)
      }
    }
    busy = false
  }

  return {
    write: (status) => {
      wanted = status
      if (busy) return
      busy = true
      drained = drain()
    },
    flushed: () => drained,
  }
}
