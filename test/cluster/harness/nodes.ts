import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { eventually } from './eventually.ts'
import { kubectlOutput, type Kubectl } from './kubectl.ts'
import type { Images } from './kubelet/image.ts'
import type { KubeletConfig } from './kubelet/kubelet-config.ts'
import type { Backoff } from './kubelet/run-container.ts'
import type { Launcher } from './launcher.ts'

/** The nodes of a cluster, which run pods as processes of this machine. */
export interface NodesOptions {
  readonly names: readonly string[]
  readonly images: Images
  /** Seconds; those of Kubernetes (10 and 300) are too patient for most tests. */
  readonly backoff?: Backoff
}

export interface StartNodesOptions extends NodesOptions {
  /** Starts programs in the cluster's network. */
  readonly launcher: Launcher
  /** Of the cluster as it is seen from in there. */
  readonly kubeconfig: string
  readonly kubectl: Kubectl
}

export interface Nodes {
  readonly ready: Promise<unknown>
  /** Ends the kubelet and every pod of it. */
  readonly stop: () => Promise<void>
}

/** Starts the small kubelet. Does not wait for its nodes. */
export function startNodes(options: StartNodesOptions): Nodes {
  const { launcher, kubeconfig, kubectl, names, images, backoff = { first: 1, most: 10 } } = options
  const config: KubeletConfig = { kubeconfig, nodes: names, images, backoff }
  const file = join(launcher.folder, 'kubelet.json')
  writeFileSync(file, JSON.stringify(config))
  const main = join(import.meta.dirname, 'kubelet/main.ts')
  const kubelet = launcher.launch({ name: 'kubelet', command: process.execPath, args: [main, file] })
  const died = new AbortController()
  void kubelet.exited.then(({ code, signal }) =>
    died.abort(new Error(`the kubelet ended (${code ?? signal}) while starting:\n${kubelet.logTail()}`)),
  )
  const ready = ['wait', '--for=condition=Ready', '--timeout=5s', ...names.map((name) => `node/${name}`)]
  const signal = died.signal
  return {
    ready: eventually({ what: 'ready nodes', within: 60_000, every: 200, signal }, () => kubectlOutput(kubectl, ready)),
    stop: async () => {
      kubelet.signal('SIGTERM')
      await kubelet.exited
    },
  }
}
