import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { asObject } from '../../src/kube/json.ts'
import { startCluster, type Cluster } from './harness/cluster.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { getObject } from './harness/owner-role.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { toldOf } from './harness/told.ts'
import { destinationRule, gateway, service, throughGateway, virtualService } from './mesh-manifests.ts'

// What a person may not remove because it is in use goes nevertheless with its namespace or its owner.

describeCluster('a cluster with controllers', () => {
  let cluster: Cluster
  let meshward: MeshwardServer
  let registration: Registration
  let namespace: string

  const kubectl = (args: readonly string[], stdin = '') => cluster.kubectl([...args, '-n', namespace], { stdin })
  const apply = (stdin: string) => kubectlOutput(cluster.kubectl, ['apply', '-n', namespace, '-f', '-'], { stdin })
  const expectKept = (object: string) =>
    expect
      .poll(async () => toldOf('VS-32', await kubectl(['delete', object, '--dry-run=server'])), { timeout: 10_000 })
      .toBe('denial')

  beforeAll(async () => {
    cluster = await startCluster({ controllers: 'all' })
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig])
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
    await cluster.stop()
  })
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
  })

  test('a namespace goes with all that routes of another one name', async () => {
    const other = await cluster.createNamespace({ 'istio-injection': 'enabled' })
    const destination = `host: cart.${namespace}.svc.cluster.local, subset: v2`
    await apply(service('cart') + destinationRule('v2') + gateway)
    await kubectlOutput(cluster.kubectl, ['apply', '-n', other, '-f', '-'], {
      stdin: virtualService('cart', { destination }) + throughGateway.replace('[web]', `[${namespace}/web]`),
    })
    for (const object of ['service/cart', 'destinationrule/cart', 'gateway.networking.istio.io/web'])
      await expectKept(object)
    await kubectlOutput(cluster.kubectl, ['delete', 'namespace', namespace, '--timeout=40s'])
    expect((await cluster.kubectl(['get', 'namespace', namespace])).stderr).toContain('NotFound')
  })

  test('what belonged to an object that is gone is collected, in use or not', async () => {
    await apply('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: owner }\n')
    const { metadata } = await getObject(cluster, 'configmap', 'owner', '-n', namespace)
    const owner = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: asObject(metadata).uid })
    await apply(
      service('cart').replace('name: cart,', `name: cart, ownerReferences: [${owner}],`) + virtualService('cart'),
    )
    await expectKept('service/cart')
    await kubectlOutput(cluster.kubectl, ['delete', 'configmap', 'owner', '-n', namespace])
    await eventually({ what: 'a collected Service', within: 20_000 }, async () =>
      (await kubectl(['get', 'service', 'cart'])).stderr.includes('NotFound') ? true : undefined,
    )
    expect((await kubectl(['get', 'virtualservice', 'cart'])).code).toBe(0)
  })
})
