import { afterAll, beforeAll, expect, test } from 'vitest'

import { matchConditions } from '../../src/webhook/match-conditions.ts'
import { DEFAULT_SETTINGS } from '../../src/webhook/webhook-settings.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { startRecordingWebhook, type RecordingWebhook } from './harness/recording-webhook.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { urlClientConfig, webhookEntry } from './harness/webhook-entry.ts'

describeCluster('the conditions of an entry, to an API server', (cluster) => {
  let namespace: string
  let webhook: RecordingWebhook
  let registration: Registration

  beforeAll(async () => {
    namespace = await cluster.createNamespace()
    webhook = await startRecordingWebhook(() => ({ allowed: true }))
    const entry = webhookEntry({
      name: 'conditions.meshward.io',
      clientConfig: urlClientConfig(webhook.url, webhook.ca),
      rules: [
        {
          apiGroups: ['networking.istio.io'],
          apiVersions: ['*'],
          resources: ['sidecars', 'gateways'],
          operations: ['CREATE', 'UPDATE', 'DELETE'],
        },
      ],
      failurePolicy: 'Fail',
    })
    const settings = {
      ...DEFAULT_SETTINGS,
      excludedUsers: ['jane', 'system:serviceaccount:ci:*', String.raw`o'"\d*`],
      excludedGroups: ['mesh-*'],
    }
    registration = await registerWebhook(cluster, {
      name: 'conditions',
      validating: [{ ...entry, matchConditions: matchConditions(namespace, settings) }],
      mutating: [],
    })
  })
  afterAll(async () => {
    await registration.remove()
    await webhook.close()
  })

  /** Operations that the webhook is asked about, of a Sidecar that somebody makes, changes and deletes. */
  const askedAbout = async (...as: readonly string[]): Promise<readonly unknown[]> => {
    webhook.takeCalls()
    const sidecar = (host: string) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      metadata: { name: 'asked', namespace },
      spec: { egress: [{ hosts: [host] }] },
    })
    const admin = [...as, '--as-group=system:masters']
    for (const host of ['./*', '~/*'])
      expect(
        await cluster.kubectl(['apply', '-f', '-', ...admin], { stdin: JSON.stringify(sidecar(host)) }),
      ).toMatchObject({ code: 0 })
    expect(await cluster.kubectl(['delete', 'sidecar', 'asked', '-n', namespace, ...admin])).toMatchObject({ code: 0 })
    return webhook.takeCalls().map(({ request }) => request['operation'])
  }

  test.each([
    ['by name', ['--as=jane']],
    ['by a pattern', ['--as=system:serviceaccount:ci:bot']],
    ['by a name that CEL and regular expressions would read otherwise', [String.raw`--as=o'"\dd`]],
    ['by a group', ['--as=joe', '--as-group=mesh-team']],
  ])('whoever is excluded is not asked about: %s', async (_, as) => {
    expect(await askedAbout(...as)).toEqual([])
  })

  test.each([
    ['a longer name', ['--as=janet']],
    ['a group that is a user', ['--as=joe', '--as-group=jane']],
    ['another service account', ['--as=system:serviceaccount:cd:bot']],
  ])('everybody else is: %s', async (_, as) => {
    expect(await askedAbout(...as)).toEqual(['CREATE', 'UPDATE', 'DELETE'])
  })

  test('the probe of istiod is not asked about, the same in earnest is', async () => {
    webhook.takeCalls()
    const probe = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: {
        name: 'invalid-gateway',
        namespace,
        annotations: { 'internal.istio.io/webhook-always-reject': 'true' },
      },
      spec: {},
    }
    const create = (...args: readonly string[]) =>
      cluster.kubectl(['create', '-f', '-', ...args], { stdin: JSON.stringify(probe) })
    expect(await create('--dry-run=server')).toMatchObject({ code: 0 })
    expect(webhook.takeCalls()).toEqual([])
    expect(await create()).toMatchObject({ code: 0 })
    expect(webhook.takeCalls()).toHaveLength(1)
  })
})
