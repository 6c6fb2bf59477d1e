import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { asList, asObject, type JsonObject } from '../../../src/kube/json.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { helmOutput } from '../harness/helm.ts'
import { argoPrediction, differs, dryRunPrediction, itemsOf } from './gitops-tools.ts'
import { openInstallation, type Installation } from './installation.ts'

// What docs/gitops.md says of Meshward's own release.

const KINDS = 'validatingwebhookconfigurations,mutatingwebhookconfigurations'

describeNodes('the webhook configurations of the chart', () => {
  let site: Installation
  let rendered: readonly JsonObject[]

  const live = async (): Promise<readonly JsonObject[]> =>
    itemsOf(
      await site.kubectl('get', KINDS, '-l', 'app.kubernetes.io/name=meshward', '-o', 'json', '--show-managed-fields'),
    )
  const desired = ({ kind }: JsonObject): JsonObject => rendered.find((object) => object['kind'] === kind) ?? {}

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    await site.install()
    await site.enforced()
    const manifest = await helmOutput(site.helm, ['get', 'manifest', 'meshward', '-n', 'meshward-system'])
    rendered = parseAllDocuments(manifest)
      .map((document) => asObject(document.toJS()))
      .filter(({ kind }) => typeof kind === 'string' && kind.endsWith('WebhookConfiguration'))
  })
  afterAll(() => site?.cluster.stop())

  test('are filled by the leader, and no tool sees a difference from what Git renders', async () => {
    const objects = await live()
    expect(objects.map(({ kind }) => kind)).toEqual(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])
    for (const object of objects) {
      expect(asList(object['webhooks']).length).toBeGreaterThan(0)
      expect(differs(object, argoPrediction(object, desired(object)))).toBe(false)
      const manifest = JSON.stringify(desired(object))
      const request = { manager: 'argocd-controller', manifest, namespace: 'meshward-system' }
      for (const predicted of await dryRunPrediction(site.cluster.kubectl, request)) {
        expect(differs(object, predicted)).toBe(false)
      }
    }
  })

  test('are left alone by an upgrade to the same', async () => {
    const before = await live()
    await site.upgrade()
    await site.rolledOut()
    expect(await live()).toEqual(before)
  })

  test('follow the new authority that the leader makes when somebody deletes the Secret', async () => {
    const bundle = async () => {
      const [{ webhooks } = {}] = await live()
      const [entry] = asList(webhooks)
      return asObject(asObject(entry)['clientConfig'])['caBundle']
    }
    const before = await bundle()
    expect(before).toEqual(expect.any(String))
    await site.kubectl('delete', 'secret', 'meshward-tls')
    await eventually({ what: 'a bundle of another authority', within: 30_000, every: 250 }, async () => {
      const now = await bundle()
      return typeof now === 'string' && now !== before ? true : undefined
    })
    await site.enforced()
  })
})
