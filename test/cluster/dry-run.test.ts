import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'

// Real tokens and real rights.

describeCluster('a dry run in a cluster', (cluster) => {
  let meshward: MeshwardServer
  let shop: string
  let other: string

  const kubectl = (...args: readonly string[]) => kubectlOutput(cluster.kubectl, args)
  const tokenOf = async (name: string): Promise<string> => (await kubectl('create', 'token', name, '-n', shop)).trim()

  beforeAll(async () => {
    shop = await cluster.createNamespace()
    other = await cluster.createNamespace()
    for (const name of ['team', 'stranger']) await kubectl('create', 'serviceaccount', name, '-n', shop)
    await kubectl(
      'create',
      'role',
      'team',
      '-n',
      shop,
      '--verb=create,list',
      '--resource=virtualservices.networking.istio.io',
    )
    await kubectl('create', 'rolebinding', 'team', '-n', shop, '--role=team', `--serviceaccount=${shop}:team`)
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig])
  })
  afterAll(() => meshward.stop())

  async function dryRun(token: string, namespace = shop) {
    const manifest = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a, namespace: ${namespace} }
spec: { hosts: [a], http: [{ route: [{ destination: { host: a } }] }] }
`
    const { ca, url } = meshward
    const headers = { 'Content-Type': 'application/yaml', Authorization: `Bearer ${token}` }
    const outgoing = request(`${url}/dry-run`, { method: 'POST', ca, headers, agent: false })
    outgoing.end(manifest)
    const [status, body] = await new Promise<[number | undefined, string]>((resolve, reject) => {
      outgoing.once('error', reject).once('response', (incoming) => {
        void text(incoming).then((answer) => resolve([incoming.statusCode, answer]), reject)
      })
    })
    return { status, body }
  }

  test('answers who may create the object', async () => {
    const { status, body } = await dryRun(await tokenOf('team'))
    expect([status, body]).toEqual([200, expect.stringContaining('"field":"spec.http[0].timeout"')])
  })

  test('refuses the same caller in a namespace where they may not', async () => {
    const { status, body } = await dryRun(await tokenOf('team'), other)
    expect(status).toBe(403)
    expect(body).toContain(
      `\\"system:serviceaccount:${shop}:team\\" may not create virtualservices.networking.istio.io`,
    )
  })

  test('refuses who may create nothing, and a token that is none', async () => {
    expect((await dryRun(await tokenOf('stranger'))).status).toBe(403)
    expect((await dryRun('mallory')).status).toBe(401)
  })
})
