import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts'
import { ask } from '../webhook/server-process.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'
import { freePort } from './harness/free-port.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { createOwnerRole, getObject, type OwnerRole } from './harness/owner-role.ts'

// A server that keeps its own lease, certificates and webhook configurations, reached by its URL.

const NAME = 'meshward-member'
const CONFIGURATIONS = ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration'] as const

describeCluster('a server that is a part of a cluster', (cluster) => {
  let owner: OwnerRole
  let meshward: MeshwardServer
  let own: string
  let namespace: string

  const kubectl = (...args: readonly string[]) => kubectlOutput(cluster.kubectl, args)
  const entries = async (kind: string): Promise<readonly JsonObject[]> =>
    asList((await getObject(cluster, kind, NAME)).webhooks).map((entry) => asObject(entry))
  const filled = async (kind: string): Promise<true | undefined> =>
    (await entries(kind)).length > 0 ? true : undefined
  const bundle = async (): Promise<string> => {
    const { data } = await getObject(cluster, 'secret', 'meshward-tls', '-n', own)
    return Buffer.from(String(Object(data)['ca.crt']), 'base64').toString('utf8')
  }
  const applyPermissive = () =>
    cluster.kubectl(['apply', '-n', namespace, '-f', '-'], {
      stdin: `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: PERMISSIVE } }
`,
    })

  beforeAll(async () => {
    own = await cluster.createNamespace()
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
    owner = await createOwnerRole(cluster, NAME)
    // As the chart renders them: no list of webhooks, and the marks of a release.
    for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])
      await kubectlOutput(cluster.kubectl, ['create', '-f', '-'], {
        stdin: JSON.stringify({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind,
          metadata: { name: NAME, labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { release: 'a' } },
        }),
      })
    const port = await freePort()
    const place = `--port ${port} --webhook-url https://127.0.0.1:${port} --webhook-name ${NAME} --namespace ${own}`
    const keeps = '--events --lease meshward --pod-name one --tls-secret meshward-tls'
    const lives = '--ca-validity 16s --leaf-validity 11s --rotate-before 8s'
    meshward = await startMeshward(
      [`--kubeconfig=${cluster.kubeconfig}`].concat(`${place} ${keeps} ${lives}`.split(' ')),
    )
    for (const kind of CONFIGURATIONS)
      await eventually({ what: `a filled ${kind}`, within: 60_000 }, () => filled(kind))
  })
  afterAll(async () => {
    await meshward.stop()
    for (const kind of CONFIGURATIONS) await cluster.kubectl(['delete', kind, NAME, '--ignore-not-found'])
    await owner.remove()
  })

  test('fills both configurations and leaves what Helm wrote on them', async () => {
    for (const kind of CONFIGURATIONS) {
      const { metadata } = await getObject(cluster, kind, NAME)
      expect(metadata).toMatchObject({
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { release: 'a' },
      })
    }
    const [entry] = await entries('validatingwebhookconfiguration')
    expect(asObject(entry?.namespaceSelector).matchExpressions).toEqual([
      { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', own] },
    ])
    expect((await applyPermissive()).stderr).toContain('MTLS-02 spec.mtls.mode')
  })

  test('owns its Secret through the ClusterRole, as a TLS Secret', async () => {
    const secret = await getObject(cluster, 'secret', 'meshward-tls', '-n', own)
    expect(secret.type).toBe('kubernetes.io/tls')
    expect(asList(asObject(secret.metadata).ownerReferences)).toMatchObject([{ kind: 'ClusterRole', name: NAME }])
    expect(Object.keys(asObject(secret.data)).sort()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
  })

  test('writes one Event about an object that is refused again and again', async () => {
    await applyPermissive()
    await applyPermissive()
    const events = await eventually({ what: 'an Event', within: 30_000 }, async () => {
      const { items } = await getObject(cluster, 'events', '-n', namespace)
      return asList(items).length > 0 ? asList(items) : undefined
    })
    expect(events).toMatchObject([
      {
        type: 'Warning',
        reason: 'Refused',
        involvedObject: { kind: 'PeerAuthentication', namespace, name: 'default' },
        message: expect.stringContaining('MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext'),
      },
    ])
  })

  test('shows on /metrics that it leads, and that its configurations are in sync', async () => {
    const { body } = await ask({ port: Number(new URL(meshward.url).port), ca: await bundle() }, '/metrics')
    const shown = body.split('\n').filter((line) => /^meshward_(?:leader|webhook_conf|certificate_auth)/.test(line))
    expect(shown).toEqual([
      'meshward_leader 1',
      'meshward_webhook_configuration_in_sync{configuration="validating"} 1',
      'meshward_webhook_configuration_in_sync{configuration="mutating"} 1',
      expect.stringMatching(/^meshward_certificate_authority_expiry_timestamp_seconds 1\d{9}/),
    ])
  })

  test('takes back what somebody changes in an entry, within seconds', async () => {
    const patch = '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]'
    await kubectl('patch', 'validatingwebhookconfiguration', NAME, '--type=json', '-p', patch)
    await eventually({ what: 'a repair', within: 30_000 }, async () =>
      (await entries('validatingwebhookconfiguration'))[0]?.failurePolicy === 'Fail' ? true : undefined,
    )
  })

  test('makes a configuration that was deleted again, owned by the ClusterRole', async () => {
    await kubectl('delete', 'validatingwebhookconfiguration', NAME)
    await eventually({ what: 'a new one', within: 30_000 }, () => filled('validatingwebhookconfiguration'))
    const { metadata } = await getObject(cluster, 'validatingwebhookconfiguration', NAME)
    expect(asObject(metadata).ownerReferences).toMatchObject([{ kind: 'ClusterRole', name: NAME }])
  })

  test('refuses and allows rightly while authority and leaf are replaced again and again', async () => {
    const seen = new Set([await bundle()])
    let asked = 0
    // Two rotations: one authority, two of them, the new one alone, and so on.
    while (asked < 20 || seen.size < 4) {
      const { code, stderr } = await applyPermissive()
      expect([code, stderr]).toEqual([1, expect.stringContaining('MTLS-02 spec.mtls.mode')])
      asked += 1
      seen.add(await bundle())
    }
  }, 180_000)

  test('mends a Secret with a key that does not fit, and serves on', async () => {
    const key = Buffer.from('no key').toString('base64')
    await kubectl('patch', 'secret', 'meshward-tls', '-n', own, '-p', JSON.stringify({ data: { 'tls.key': key } }))
    await eventually({ what: 'another key', within: 30_000 }, async () => {
      const { data } = await getObject(cluster, 'secret', 'meshward-tls', '-n', own)
      return asObject(data)['tls.key'] === key ? undefined : true
    })
    expect((await applyPermissive()).stderr).toContain('MTLS-02')
  })

  describe('being uninstalled', () => {
    test('leaves a configuration that the hook has emptied as it is', async () => {
      const patch = '{"metadata":{"annotations":{"meshward.io/uninstalling":"true"}},"webhooks":null}'
      for (const kind of CONFIGURATIONS) await kubectl('patch', kind, NAME, '--type=merge', '-p', patch)
      await sleep(5000)
      for (const kind of CONFIGURATIONS) expect(await entries(kind)).toEqual([])
      expect((await applyPermissive()).code).toBe(0)
    })

    test('makes nothing anew once the ClusterRole is gone', async () => {
      await owner.remove()
      for (const kind of CONFIGURATIONS) await kubectl('delete', kind, NAME)
      for (const [kind, name] of [
        ['lease', 'meshward'],
        ['secret', 'meshward-tls'],
      ] as const)
        await kubectl('delete', kind, name, '-n', own)
      await sleep(5000)
      const left = await kubectl('get', 'lease,secret', '-n', own, '-o', 'name')
      expect(left).toBe('')
      for (const kind of CONFIGURATIONS)
        expect((await cluster.kubectl(['get', kind, NAME])).stderr).toContain('NotFound')
    })
  })
})
