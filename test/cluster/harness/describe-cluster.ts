import { describe, inject } from 'vitest'

import { openCluster, type ClusterAccess, type ClusterFiles } from './cluster-access.ts'
import { whyNoNetwork } from './network.ts'

/** What the test files of the `cluster` project are given: the running cluster, or why there is none. */
export type SharedCluster = { readonly files: ClusterFiles } | { readonly unavailable: string }

declare module 'vitest' {
  export interface ProvidedContext {
    sharedCluster: SharedCluster
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
 * `describe` for tests that start a cluster with nodes. Where this machine cannot have one, the tests are skipped with the
 * reason in the block's name, or fail under `CI=true`.
 */
export function describeNodes(name: string, tests: () => void): void {
  const shared = inject('sharedCluster')
  const reason = 'unavailable' in shared ? shared.unavailable : whyNoNetwork()
  if (reason === undefined) describe(name, tests)
  else if (process.env['CI'] === 'true') throw new Error(`cluster tests must not be skipped in CI: ${reason}`)
  else describe.skip(`${name} (skipped: ${reason})`, tests)
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
