import { setTimeout as delay } from 'node:timers/promises'

import type { CoreV1Api, V1Pod } from '@kubernetes/client-node'

import { hasStatus } from './api-error.ts'

/** What a deletion that failed, since the API server is away, waits before the next try. */
const retry = 500

/** Ends a deletion: nothing of the pod is left on its node, so its object may go. Tries until the API server did it. */
export async function deletePod(core: CoreV1Api, { metadata }: V1Pod): Promise<void> {
  const { namespace = '', name = '', uid = '' } = metadata ?? {}
  for (;;) {
    try {
      // All of it in the body: with a body, the API server reads nothing from the query.
      await core.deleteNamespacedPod({ namespace, name, body: { gracePeriodSeconds: 0, preconditions: { uid } } })
      return
    } catch (error) {
      // It is gone (404), or another pod has its name already (409).
      if (hasStatus(error, 404, 409)) return
      await delay(retry)
    }
  }
}
