import { KubeConfig, Watch } from '@kubernetes/client-node'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { asObject } from '../../src/kube/json.ts'
import { createApiClient } from '../../src/sources/cluster/api-client.ts'
import { openLiveMesh } from '../../src/sources/cluster/live-mesh.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import type { MeshSize } from '../generate-mesh.ts'

export interface FirstSync {
  readonly objects: number
  /** On the clock, from the first request. */
  readonly seconds: number
  /** The longest turn of the event loop, in milliseconds: on the clock, and of processor time. */
  readonly longestTurn: number
  readonly longestWork: number
}

/** Fills a live mesh from an API server over HTTP, and looks how long the event loop is blocked meanwhile. */
export async function measureFirstSync(size: MeshSize, policies: PolicySet): Promise<FirstSync> {
  const child = fork(join(import.meta.dirname, 'paged-api.ts'), [JSON.stringify(size)])
  const [address] = await once(child, 'message')
  const config = new KubeConfig()
  const server = `http://127.0.0.1:${Number(asObject(address).port)}`
  config.loadFromClusterAndUser({ name: 'bench', server, skipTLSVerify: true }, { name: 'nobody' })
  const mesh = openLiveMesh({
    connection: { api: createApiClient(config), watch: new Watch(config) },
    istioNamespace: 'istio-system',
    secretNamespaces: [],
    maxStaleness: 600_000,
    now: () => performance.now(),
  })
  const started = performance.now()
  mesh.follow(policies)
  let [longestTurn, longestWork] = [0, 0]
  while (mesh.unsynced() !== undefined) {
    const [turn, work] = [performance.now(), process.threadCpuUsage()]
    await nextTurn()
    const { user, system } = process.threadCpuUsage(work)
    longestTurn = Math.max(longestTurn, performance.now() - turn)
    longestWork = Math.max(longestWork, (user + system) / 1000)
  }
  const result = {
    objects: mesh.current().size,
    seconds: (performance.now() - started) / 1000,
    longestTurn,
    longestWork,
  }
  mesh.stop()
  child.kill()
  return result
}
