import type { V1Pod } from '@kubernetes/client-node'

import type { ContainerLogs } from './container-set.ts'
import { chooseNode } from './choose-node.ts'
import { every } from './every.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { startPodWorker, type PodWorker } from './pod-worker.ts'

/** The pods that run here. */
export interface KeptPods {
  /** Undefined: there is no such container here. */
  readonly logs: (namespace: string, pod: string, container: string) => ContainerLogs | undefined
}

/** Between two looks at all pods. A list of a few pods costs the API server and us a few milliseconds. */
const period = 200

/**
 * Binds pods to nodes and runs those that are bound to `nodeNames`, until told to stop. Compares what there is with what
 * runs, again and again: nothing can be missed, whatever happens to the API server in between.
 */
export function keepPods(context: KubeletContext, nodeNames: readonly string[], signal: AbortSignal): KeptPods {
  const workers = new Map<string, { readonly pod: V1Pod; readonly worker: PodWorker }>()
  // Those that a list from the API server's cache, or a finalizer, may go on showing.
  const finished = new Set<string>()
  void every(period, signal, async () => {
    const { items: pods } = await context.core.listPodForAllNamespaces({ resourceVersion: '0' })
    await bindPods(context, pods)
    const here = pods.filter(({ spec }) => nodeNames.includes(spec?.nodeName ?? ''))
    const present = new Set(here.map(({ metadata }) => metadata?.uid))
    for (const [uid, { worker }] of workers) if (!present.has(uid)) worker.remove()
    for (const uid of finished) if (!present.has(uid)) finished.delete(uid)
    for (const pod of here) {
      const uid = pod.metadata?.uid ?? ''
      const known = workers.get(uid)
      if (known !== undefined) known.worker.update(pod)
      else if (!finished.has(uid)) workers.set(uid, { pod, worker: startWorker(uid, pod) })
    }
  })

  const startWorker = (uid: string, pod: V1Pod): PodWorker => {
    const worker = startPodWorker(context, pod)
    void worker.finished.finally(() => {
      workers.delete(uid)
      finished.add(uid)
    })
    return worker
  }

  return {
    logs: (namespace, name, container) =>
      [...workers.values()]
        .find(({ pod: { metadata } }) => metadata?.namespace === namespace && metadata.name === name)
        ?.worker.logs(container),
  }
}

async function bindPods({ core }: KubeletContext, pods: readonly V1Pod[]): Promise<void> {
  const waiting = pods.filter(
    ({ spec, metadata }) =>
      spec?.nodeName === undefined && spec?.schedulingGates === undefined && metadata?.deletionTimestamp === undefined,
  )
  if (waiting.length === 0) return
  const { items: nodes } = await core.listNode()
  const placed = [...pods]
  for (const pod of waiting) {
    const target = chooseNode(pod, nodes, placed)
    const { namespace = '', name = '' } = pod.metadata ?? {}
    if (target === undefined) continue
    const body = { metadata: { name, namespace }, target: { apiVersion: 'v1', kind: 'Node', name: target } }
    // It may be gone or bound by now: the next round sees.
    await core.createNamespacedPodBinding({ namespace, name, body }).catch(() => {})
    placed.push({ metadata: { labels: pod.metadata?.labels ?? {} }, spec: { containers: [], nodeName: target } })
  }
}
