import { dirname, join } from 'node:path'

import { chartFolder, helmOutput } from '../test/cluster/harness/helm.ts'
import { buildMeshwardImage } from '../test/cluster/harness/meshward-image.ts'
import { whyNoNetwork } from '../test/cluster/harness/network.ts'
import { openInstallation, type Installation } from '../test/cluster/helm/installation.ts'
import { provideBinary } from './cluster/binaries.ts'
import { createNamespaces } from './start-playground.ts'

export interface HelmPlayground {
  readonly site: Installation
  /** Folders with kubectl and helm. */
  readonly programs: readonly string[]
  /** What `helm install` tells to do next. */
  readonly notes: string
  /** Seconds from the command until a plaintext PeerAuthentication was refused. */
  readonly enforcedAfter: number
}

/** Starts a cluster whose nodes run pods, and installs the chart on it. Leaves nothing behind when a step fails. */
export async function startHelmPlayground(say: (line: string) => void): Promise<HelmPlayground> {
  const reason = whyNoNetwork()
  if (reason !== undefined) throw new Error(reason)
  const helm = await provideBinary('helm', { say })
  say('starting an API server, its controllers and two nodes …')
  const site = await openInstallation(buildMeshwardImage(join(import.meta.dirname, '../dist')), { say })
  try {
    await createNamespaces(site.cluster)
    say(`helm install meshward ${chartFolder} …`)
    const started = performance.now()
    await site.install()
    // a machine that has other work is patient
    await site.enforced(120_000)
    const enforcedAfter = (performance.now() - started) / 1000
    await site.rolledOut()
    const notes = await helmOutput(site.helm, ['get', 'notes', 'meshward', '-n', 'meshward-system'])
    return { site, programs: [dirname(site.cluster.files.kubectlBinary), dirname(helm)], notes, enforcedAfter }
  } catch (error) {
    await site.cluster.stop()
    throw error
  }
}
