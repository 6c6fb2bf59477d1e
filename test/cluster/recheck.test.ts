import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { asList, asObject } from '../../src/kube/json.ts'
import { ask } from '../webhook/server-process.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { getObject } from './harness/owner-role.ts'
import { startRecordingWebhook, type RecordingWebhook } from './harness/recording-webhook.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { urlClientConfig, webhookEntry } from './harness/webhook-entry.ts'
import { deployment, destinationRule, service, virtualService } from './mesh-manifests.ts'

// Two changes that are fine each for itself and wrong together, under way at once.

const shop = ['v1', 'v2', 'v3']
  .map((version) => deployment(`cart-${version}`, `app: cart, version: ${version}`))
  .concat(service('cart'))
  .join('')

describeCluster('two changes at once', (cluster) => {
  let meshward: MeshwardServer
  let slow: RecordingWebhook
  const registrations: Registration[] = []
  let namespace: string
  /** So many changes are under way before one of them is stored. */
  let together = 1
  let underWay = 0

  /** Keeps a change from being stored until the others are under way as well, and Meshward has had time to judge them. */
  const hold = async (): Promise<void> => {
    underWay++
    const all = () => (underWay >= together ? true : undefined)
    // Where they are not, the test finds nothing of what it looks for.
    await eventually({ what: 'changes at once', within: 8000, every: 20 }, all).catch(() => {})
    await sleep(1500)
    underWay--
  }

  beforeAll(async () => {
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig, '--events', '--recheck-after', '4s'])
    registrations.push(await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) }))
    slow = await startRecordingWebhook(() => ({ allowed: true }), { hold })
    const rules = [
      {
        apiGroups: ['networking.istio.io'],
        apiVersions: ['*'],
        resources: ['virtualservices', 'destinationrules'],
        operations: ['CREATE', 'UPDATE'],
      },
    ]
    const clientConfig = urlClientConfig(slow.url, slow.ca)
    const entry = webhookEntry({ name: 'slow.meshward.io', clientConfig, rules, failurePolicy: 'Fail' })
    registrations.push(
      await registerWebhook(cluster, { name: 'slow', validating: [{ ...entry, timeoutSeconds: 15 }], mutating: [] }),
    )
  })
  afterAll(async () => {
    for (const registration of registrations) await registration.remove()
    await slow.close()
    await meshward.stop()
  })
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
    together = 1
  })

  const apply = (manifest: string) =>
    kubectlOutput(cluster.kubectl, ['apply', '-n', namespace, '-f', '-'], { stdin: manifest })
  const found = async (code: string) => {
    const { body } = await ask({ port: Number(new URL(meshward.url).port), ca: meshward.ca }, '/metrics')
    return Number(new RegExp(`^meshward_recheck_findings_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0)
  }
  const logged = () =>
    meshward.process
      .logTail(Infinity)
      .split('\n')
      .filter((line) => line.includes('wrong by now') && line.includes(namespace))
  const events = async () => {
    const { items } = await getObject(cluster, 'events', '-n', namespace)
    return asList(items)
      .map(asObject)
      .filter(({ reason }) => reason === 'WrongByNow')
  }

  test('that are wrong together are told of, each on its object: by Event, log and metric', async () => {
    await apply(shop + destinationRule('v1', 'v2'))
    const before = [await found('VS-05'), await found('VS-32')]
    together = 2
    await Promise.all([
      apply(virtualService('cart', { destination: 'host: cart, subset: v2' })),
      apply(destinationRule('v1')),
    ])
    await expect.poll(async () => (await events()).length, { timeout: 20_000 }).toBe(2)
    const told = (await events()).map(({ involvedObject, message }) => [asObject(involvedObject).kind, message])
    expect(Object.fromEntries(told)).toEqual({
      DestinationRule: expect.stringMatching(/^allowed, and wrong .+:\n {2}VS-32 spec\.subsets: subset "v2" of .+/),
      VirtualService: expect.stringMatching(/^allowed, and wrong .+:\n {2}VS-05 spec\.http\[0\]\.route\[0\]\..+/),
    })
    expect([await found('VS-05'), await found('VS-32')]).toEqual(before.map((count) => count + 1))
    await expect.poll(logged).toHaveLength(2)
  })

  test('that are fine together are not', async () => {
    await apply(shop + destinationRule('v1', 'v2', 'v3'))
    together = 2
    await Promise.all([
      apply(virtualService('cart', { destination: 'host: cart, subset: v2' })),
      apply(destinationRule('v1', 'v2')),
    ])
    await sleep(8000)
    expect([await events(), logged()]).toEqual([[], []])
  })
})
