import { join } from 'node:path'

import type { TestProject } from 'vitest/node'

import { skipUnlessInCi, whyNoCluster } from './availability.ts'
import { createLauncher } from './launcher.ts'
import { buildMeshwardImage } from './meshward-image.ts'
import { whyNoNetwork } from './network.ts'

/** Builds the image that nodes have. Where there can be none, the tests are skipped, or fail under `CI=true`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const unavailable = (await whyNoCluster()) ?? whyNoNetwork()
  if (unavailable !== undefined) {
    skipUnlessInCi('tests on clusters with nodes', unavailable)
    project.provide('nodes', { unavailable })
    return undefined
  }
  const launcher = createLauncher()
  try {
    project.provide('nodes', { image: buildMeshwardImage(join(launcher.folder, 'image')) })
    return launcher.close
  } catch (error) {
    await launcher.close()
    throw error
  }
}
