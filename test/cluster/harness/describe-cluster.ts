import { describe, inject } from 'vitest'

import { openCluster, type ClusterAccess, type ClusterFiles } from './cluster-access.ts'
import type { Image } from './kubelet/image.ts'

/** What the test files of the `cluster` project are given: the running cluster, or why there is none. */
export type SharedCluster = { readonly files: ClusterFiles } | { readonly unavailable: string }

/** What those of the `nodes` project are given: the image of Meshward that was built for this run, or why no node can run it. */
export type NodesGround = { readonly image: Image } | { readonly unavailable: string }

declare module 'vitest' {
  export interface ProvidedContext {
    sharedCluster: SharedCluster
    nodes: NodesGround
  }
}

/**
 * `describe` for tests on the shared cluster. Where there is no cluster every test of the block is reported as skipped,
 * with the reason in the block's name. Files run one after the other; a namespace of their own keeps their objects apart.
 */
export function describeCluster(name: string, tests: (cluster: ClusterAccess) => void): void {
  const shared = inject('sharedCluster')
  if ('files' in shared) describe(name, () => tests(openCluster(shared.files)))
  else describe.skip(`${name} (skipped: ${shared.unavailable})`, () => tests(noCluster(shared.unavailable)))
}

/**
 * `describe` for tests that start a cluster with nodes, of their own: files run beside each other. Where this machine cannot
 * have one, the tests are skipped with the reason in the block's name.
 */
export function describeNodes(name: string, tests: () => void): void {
  const ground = inject('nodes')
  if ('image' in ground) describe(name, tests)
  else describe.skip(`${name} (skipped: ${ground.unavailable})`, tests)
}

/** The image of Meshward that was built for this run. */
export function meshwardImage(): Image {
  const ground = inject('nodes')
  if ('image' in ground) return ground.image
  throw new Error(ground.unavailable)
}

/** For collecting the names of tests that are skipped: whoever would use it is told why it can't be. */
function noCluster(reason: string): ClusterAccess {
  const refuse = (): never => {
    throw new Error(reason)
  }
  return {
    get kubeconfig() {
      return refuse()
    },
    get client() {
      return refuse()
    },
    kubectl: refuse,
    createNamespace: refuse,
  }
}
