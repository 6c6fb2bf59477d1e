import type { TestProject } from 'vitest/node'

import { whyNoCluster } from './availability.ts'
import { startCluster } from './cluster.ts'

/** Starts the cluster that the test files share. Where there can be none, the tests are skipped, or fail under `CI=true`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const reason = await whyNoCluster()
  if (reason !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(`cluster tests must not be skipped in CI: ${reason}`)
    process.stderr.write(`meshward: cluster tests are skipped: ${reason}\n`)
    project.provide('sharedCluster', { unavailable: reason })
    return undefined
  }
  const cluster = await startCluster()
  project.provide('sharedCluster', { files: cluster.files })
  return cluster.stop
}
