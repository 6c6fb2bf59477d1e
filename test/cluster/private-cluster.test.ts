import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { CoreV1Api } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { provideBinary } from '../../tools/cluster/binaries.ts'
import { startCluster, type Cluster } from './harness/cluster.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { programsNaming } from './harness/programs-naming.ts'

describeCluster('a cluster of one’s own', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ controllers: 'all', crds: [] })
  })
  afterAll(() => cluster.stop())

  test('has controllers that call as themselves: a deleted namespace goes, and pods get a service account', async () => {
    const namespace = await cluster.createNamespace()
    await eventually({ what: 'a default service account', within: 20_000 }, async () => {
      const { code } = await cluster.kubectl(['get', 'serviceaccount', 'default', '-n', namespace])
      return code === 0 ? true : undefined
    })
    await kubectlOutput(cluster.kubectl, ['delete', 'namespace', namespace, '--timeout=30s'])
    expect((await cluster.kubectl(['get', 'namespace', namespace])).stderr).toContain('NotFound')
  })

  test('keeps its data, its port and its certificate when the API server is killed and started again', async () => {
    const core = cluster.client.makeApiClient(CoreV1Api)
    const before = await core.readNamespace({ name: 'default' })
    await cluster.restartApiServer()
    expect(await core.readNamespace({ name: 'default' })).toEqual(before)
  })

  test('has none of the CRDs that it was not asked for', async () => {
    expect(await kubectlOutput(cluster.kubectl, ['get', 'crds', '-o', 'name'])).toBe('')
  })

  test('leaves no process and no file behind when it is stopped', async () => {
    const { folder } = cluster.files
    expect(programsNaming(folder)).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'sh'])
    await cluster.stop()
    expect(programsNaming(folder)).toEqual([])
    expect(existsSync(folder)).toBe(false)
  })
})

describeCluster('a cluster whose owner fails', () => {
  test('is gone with a process that was killed and had no chance to clean up', async () => {
    const module = join(import.meta.dirname, 'harness/cluster.ts')
    const program = `
      const { startCluster } = await import(${JSON.stringify(module)})
      console.log((await startCluster({ crds: [] })).kubeconfig)`
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line]: unknown[] = await once(owner.stdout, 'data')
    const folder = dirname(String(line))
    const programs = programsNaming(folder)
    owner.kill('SIGKILL')
    expect(programs).toEqual(['etcd', 'kube-apiserver', 'sh'])
    await eventually({ what: 'an empty machine', within: 10_000 }, () =>
      programsNaming(folder).length === 0 && !existsSync(folder) ? true : undefined,
    )
  })

  test('cleans up and shows the log when the API server ends while starting', async () => {
    const assets = mkdtempSync(join(tmpdir(), 'meshward-assets-'))
    for (const program of ['etcd', 'kubectl'] as const) symlinkSync(await provideBinary(program), join(assets, program))
    const broken = join(assets, 'kube-apiserver')
    const started = join(assets, 'started')
    writeFileSync(broken, `#!/bin/sh\necho "$@" > ${started}\necho "bad flag" >&2\nexit 3\n`)
    chmodSync(broken, 0o755)
    vi.stubEnv('KUBEBUILDER_ASSETS', assets)
    try {
      await expect(startCluster()).rejects.toThrow('kube-apiserver ended (3) while starting:\nbad flag')
      const folder = /--cert-dir=(\S+)\/api-server/.exec(readFileSync(started, 'utf8'))?.[1] ?? ''
      expect(folder).toContain('meshward-cluster-')
      expect(programsNaming(folder)).toEqual([])
      expect(existsSync(folder)).toBe(false)
    } finally {
      vi.unstubAllEnvs()
      rmSync(assets, { recursive: true })
    }
  })
})
