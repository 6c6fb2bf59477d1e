import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Json, JsonObject } from '../../../src/kube/json.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { openInstallation, plaintext, type Installation } from './installation.ts'

const ACCOUNT = 'system:serviceaccount:meshward-system:meshward'

/** A policy of one's own; `expression` of what must hold. */
const own = (expression: string): JsonObject => ({
  apiVersion: 'meshward.io/v1alpha1',
  kind: 'MeshPolicy',
  metadata: { name: 'ours' },
  spec: {
    code: 'OWN-01',
    title: 'Sidecars have an owner',
    severity: 'error',
    matchConstraints: {
      resourceRules: [
        { apiGroups: ['networking.istio.io'], apiVersions: ['*'], resources: ['sidecars'], operations: ['CREATE'] },
      ],
    },
    validations: [{ expression, field: 'metadata.labels', message: 'nobody owns it' }],
  },
})

const sidecar = (labels: JsonObject): JsonObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Sidecar',
  metadata: { name: 'own', namespace: 'default', labels },
  spec: { egress: [{ hosts: ['./*'] }] },
})

describeNodes('values that take effect without a restart', () => {
  let site: Installation
  let pods: readonly string[]

  const upgrade = (values: Readonly<Record<string, Json>>) =>
    site.upgrade(
      '--reuse-values',
      ...Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
    )
  const judged = async (object: JsonObject | object, ...as: readonly string[]) => {
    const { code, stderr } = await site.cluster.kubectl(['apply', '--dry-run=server', '-f', '-', ...as], {
      stdin: JSON.stringify(object),
    })
    return code === 0 ? 'allowed' : stderr
  }
  const until = (what: string, holds: () => Promise<boolean>) =>
    eventually({ what, within: 45_000, every: 250 }, async () => ((await holds()) ? true : undefined))
  const entries = async () =>
    site.kubectl('get', 'validatingwebhookconfiguration', 'meshward', '-o', 'jsonpath={.webhooks[*].name}')
  const mayList = async (resource: string) =>
    (await site.cluster.kubectl(['auth', 'can-i', 'list', resource, `--as=${ACCOUNT}`])).stdout.trim()
  const scrape = () =>
    site.kubectl('get', '--raw', '/api/v1/namespaces/meshward-system/services/meshward:metrics/proxy/metrics')

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    await site.install('--set', 'metrics.port=9090')
    await site.enforced()
    await site.rolledOut()
    pods = await site.pods()
  })
  afterAll(() => site?.cluster.stop())

  test('a user who is excluded is not judged, everybody else is', async () => {
    const jane = ['--as=jane', '--as-group=system:masters']
    expect(await judged(plaintext('jane'), ...jane)).toContain('MTLS-02')
    await upgrade({ 'webhook.excludedUsers': ['jane'] })
    await until('nothing said to jane', async () => (await judged(plaintext('jane'), ...jane)) === 'allowed')
    expect(await judged(plaintext('joe'))).toContain('MTLS-02')
  })

  test('a profile says what policies do', async () => {
    await upgrade({ profile: 'baseline' })
    await until('plaintext only warned of', async () => (await judged(plaintext('mild'))) === 'allowed')
    await upgrade({ profile: ['baseline', 'strict'] })
    expect(await site.kubectl('get', 'configmap', 'meshward-config', '-o', 'jsonpath={.data.profile}')).toBe(
      'baseline\nstrict',
    )
    await upgrade({ profile: '' })
    await until('plaintext refused again', async () => (await judged(plaintext('mild'))).includes('MTLS-02'))
  })

  test("a policy of one's own is in force, as an object and then as a text", async () => {
    await upgrade({ 'policies.own': { 'ours.yaml': own("'owner' in object.metadata.?labels.orValue({})") } })
    await until('a Sidecar without an owner is refused', async () => (await judged(sidecar({}))).includes('OWN-01'))
    expect(await judged(sidecar({ owner: 'x' }))).not.toContain('OWN-01')
    await upgrade({
      'policies.own': { 'ours.yaml': JSON.stringify(own("'team' in object.metadata.?labels.orValue({})")) },
    })
    await until('a Sidecar without a team is refused', async () =>
      (await judged(sidecar({ owner: 'x' }))).includes('OWN-01'),
    )
  })

  test('what is no set of policies changes nothing, and shows in a scrape over plain HTTP', async () => {
    await until('metrics of a good set', async () => /^meshward_policies_refused 0$/m.test(await scrape()))
    await upgrade({ 'policies.settings': [{ policies: ['OWN-99'] }] })
    await until('a refusal in both replicas', async () => {
      const scrapes = await Promise.all(Array.from({ length: 6 }, scrape))
      return scrapes.every((text) => /^meshward_policies_refused 1$/m.test(text))
    })
    expect(await judged(sidecar({ owner: 'x' }))).toContain('OWN-01')
    await upgrade({ 'policies.settings': [], 'policies.own': {} })
    await until('metrics of a good set', async () => /^meshward_policies_refused 0$/m.test(await scrape()))
  })

  test('a disabled policy judges nothing more, and what nobody reads may not be read', async () => {
    expect(await mayList('pods')).toBe('yes')
    await upgrade({ 'policies.disabled': ['*'] })
    await until('nothing is asked', async () => (await entries()) === '')
    expect(await judged(plaintext('free'))).toBe('allowed')
    expect(await mayList('pods')).toBe('no')
    await upgrade({ 'policies.disabled': [] })
    await site.enforced()
    expect(await mayList('pods')).toBe('yes')
  })

  test('all this in the pods of the beginning', async () => {
    expect(await site.pods()).toEqual(pods)
    expect(
      await site.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}'),
    ).toBe('0 0')
  })
})
