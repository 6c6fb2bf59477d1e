import type { TestProject } from 'vitest/node'

import { skipUnlessInCi, whyNoCluster } from './availability.ts'
import { startCluster } from './cluster.ts'

/** Starts the cluster that the test files share. Where there can be none, the tests are skipped, or fail under `CI=true`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const unavailable = await whyNoCluster()
  if (unavailable !== undefined) {
    skipUnlessInCi('cluster tests', unavailable)
    project.provide('sharedCluster', { unavailable })
    return undefined
  }
  const cluster = await startCluster()
  project.provide('sharedCluster', { files: cluster.files })
  return cluster.stop
}
