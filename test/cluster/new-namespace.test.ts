import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { CustomObjectsApi } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'

// Where a policy applies is asked of the labels of a namespace: also of one that came, or changed, a moment ago.

const binding = `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicyBinding
metadata: { name: strict-in-web }
spec:
  policies: [MTLS-02]
  validationActions: [Deny]
  match: { namespaceSelector: { matchLabels: { tier: web } } }
`

describeCluster('a policy for namespaces with a label', (cluster) => {
  const folder = mkdtempSync(join(tmpdir(), 'meshward-bindings-'))
  const bindings = [join(folder, 'bindings.yaml')]
  let meshward: MeshwardServer
  let registration: Registration

  beforeAll(async () => {
    writeFileSync(join(folder, 'bindings.yaml'), binding)
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig, '--bindings', folder])
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks({ ...meshward, bindings }) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
    rmSync(folder, { recursive: true })
  })

  /** What the API server says to a PeerAuthentication that accepts plaintext: the message of a denial, or nothing. */
  const tried = async (namespace: string): Promise<string> => {
    const [group, version] = ['security.istio.io', 'v1']
    const body = {
      apiVersion: `${group}/${version}`,
      kind: 'PeerAuthentication',
      metadata: { name: 'default' },
      spec: { mtls: { mode: 'PERMISSIVE' } },
    }
    const where = { group, version, namespace, plural: 'peerauthentications' }
    try {
      await cluster.client
        .makeApiClient(CustomObjectsApi)
        .createNamespacedCustomObject({ ...where, body, dryRun: 'All' })
      return ''
    } catch (error) {
      return String(error)
    }
  }
  const isDenied = async (namespace: string): Promise<boolean> => {
    const message = await tried(namespace)
    // Neither another refusal nor one for want of knowledge will do.
    if (message !== '') expect(message).toContain('MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext')
    return message !== ''
  }

  test('applies at once in a namespace that was just made, and not in one without it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const verdicts: boolean[] = []
      for (const tier of ['web', 'db']) verdicts.push(await isDenied(await cluster.createNamespace({ tier })))
      expect(verdicts).toEqual([true, false])
    }
  })

  test('follows the label when it changes', async () => {
    const namespace = await cluster.createNamespace({ tier: 'web' })
    const label = (tier: string) =>
      kubectlOutput(cluster.kubectl, ['label', 'namespace', namespace, `tier=${tier}`, '--overwrite'])
    expect(await isDenied(namespace)).toBe(true)
    await label('db')
    await expect.poll(() => isDenied(namespace)).toBe(false)
    await label('web')
    await expect.poll(() => isDenied(namespace)).toBe(true)
  })
})
