import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { toldOf, type Told } from './harness/told.ts'
import { deployment } from './mesh-manifests.ts'

// What a namespace or the mesh has by default may not go, unless something else says the same.

const ROOT = 'istio-system'

const sidecar = (name: string, selector = '') => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: ${name} }
spec: { ${selector}egress: [{ hosts: ["./*", "istio-system/*"] }] }
---`

const authorizationPolicy = (name: string, spec: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name} }
spec: { ${spec} }
---`

const denies = authorizationPolicy('deny', '')
const alsoDenies = authorizationPolicy(
  'web',
  'rules: [{ from: [{ source: { principals: [cluster.local/ns/web/sa/web] } }] }]',
)

describeCluster('a server that knows what is there by default', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration
  let namespace: string

  beforeAll(async () => {
    await cluster.kubectl(['create', 'namespace', ROOT])
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig])
  })
  afterAll(() => meshward.stop())
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterEach(async () => {
    await registration.remove()
    const kinds = 'sidecars.networking.istio.io,authorizationpolicies.security.istio.io'
    await kubectlOutput(cluster.kubectl, ['delete', kinds, '--all', '-n', ROOT])
  })

  const apply = (where: string, stdin: string) =>
    kubectlOutput(cluster.kubectl, ['apply', '-n', where, '-f', '-'], { stdin })
  const remove = (where: string, object: string, ...more: readonly string[]) =>
    cluster.kubectl(['delete', object, '-n', where, ...more])
  /** What is said of a removal once the server has seen what was done before; then it is done, or refused. */
  const expectRemoved = async (code: string, where: string, object: string, told: Told) => {
    await expect
      .poll(async () => toldOf(code, await remove(where, object, '--dry-run=server')), { timeout: 10_000 })
      .toBe(told)
    const done = await remove(where, object)
    expect({ told: toldOf(code, done), isGone: done.code === 0 }).toEqual({ told, isGone: told !== 'denial' })
    const left = await cluster.kubectl(['get', object, '-n', where])
    expect(left.code === 0).toBe(told === 'denial')
  }

  test('the Sidecar that scopes a namespace stays, until the root namespace has one for all', async () => {
    await apply(namespace, sidecar('default') + sidecar('web', 'workloadSelector: { labels: { app: web } }, '))
    await expectRemoved('SCOPE-09', namespace, 'sidecar/default', 'denial')
    await expectRemoved('SCOPE-09', namespace, 'sidecar/web', 'nothing')
    await apply(ROOT, sidecar('default'))
    await expectRemoved('SCOPE-09', namespace, 'sidecar/default', 'nothing')
    await expectRemoved('SCOPE-09', ROOT, 'sidecar/default', 'denial')
  })

  test('of the policy that denies in a namespace by default one is warned, unless another one denies the rest too', async () => {
    await apply(namespace, denies + alsoDenies + deployment('web'))
    await expectRemoved('AUTHZ-02', namespace, 'authorizationpolicy/web', 'nothing')
    await apply(namespace, alsoDenies)
    await expectRemoved('AUTHZ-02', namespace, 'authorizationpolicy/deny', 'nothing')
    await expectRemoved('AUTHZ-02', namespace, 'authorizationpolicy/web', 'warning')
    await apply(namespace, denies)
    await apply(ROOT, denies)
    await expectRemoved('AUTHZ-02', namespace, 'authorizationpolicy/deny', 'nothing')
  })

  test('the policy that denies in the mesh by default stays, until another one denies too', async () => {
    await apply(ROOT, denies)
    await expectRemoved('AUTHZ-01', ROOT, 'authorizationpolicy/deny', 'denial')
    await apply(ROOT, alsoDenies)
    await expectRemoved('AUTHZ-01', ROOT, 'authorizationpolicy/deny', 'nothing')
    await expectRemoved('AUTHZ-01', ROOT, 'authorizationpolicy/web', 'denial')
  })
})
