import { readFileSync } from 'node:fs'

import type { Images } from './image.ts'
import type { Backoff } from './run-container.ts'

/** What the process of a kubelet is told, in a file of JSON. */
export interface KubeletConfig {
  readonly kubeconfig: string
  /** The names of its nodes: one process stands in for all of them. */
  readonly nodes: readonly string[]
  readonly images: Images
  readonly backoff: Backoff
}

/** Reads a file that `JSON.stringify` wrote from a `KubeletConfig`. */
export function readKubeletConfig(path: string): KubeletConfig {
  const config: KubeletConfig = JSON.parse(readFileSync(path, 'utf8'))
  return config
}
