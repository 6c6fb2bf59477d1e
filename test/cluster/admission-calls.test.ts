import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startRecordingWebhook, type RecordingWebhook } from './harness/recording-webhook.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { urlClientConfig, webhookEntry } from './harness/webhook-entry.ts'

// What Meshward relies on when the API server calls it.

const rule: JsonObject = {
  apiGroups: ['networking.istio.io'],
  apiVersions: ['*'],
  resources: ['virtualservices'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
}

const virtualService = (namespace: string, name: string, version = 'v1') => `
apiVersion: networking.istio.io/${version}
kind: VirtualService
metadata: { ${name.endsWith('-') ? 'generateName' : 'name'}: ${name}, namespace: ${namespace} }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }
`

const labelFilled = Buffer.from(
  JSON.stringify([{ op: 'add', path: '/metadata/labels', value: { filled: 'yes' } }]),
).toString('base64')

describeCluster('a webhook called by the API server', (cluster) => {
  let namespace: string
  let webhook: RecordingWebhook
  let registration: Registration
  let answer: (url: string) => JsonObject | undefined

  beforeAll(async () => {
    namespace = await cluster.createNamespace()
    webhook = await startRecordingWebhook(({ url = '' }) => answer(url))
    const entry = (path: string) =>
      webhookEntry({
        name: `${path}.calls.meshward.io`,
        clientConfig: urlClientConfig(`${webhook.url}/${path}`, webhook.ca),
        rules: [rule],
        failurePolicy: 'Fail',
      })
    registration = await registerWebhook(cluster, {
      name: 'calls',
      validating: [entry('validate')],
      mutating: [entry('mutate')],
    })
  })
  afterAll(async () => {
    await registration.remove()
    await webhook.close()
  })
  beforeEach(() => {
    answer = () => ({ allowed: true })
    webhook.takeCalls()
  })

  const apply = (text: string, ...args: readonly string[]) =>
    cluster.kubectl(['apply', '-f', '-', ...args], { stdin: text })

  test('is posted to over HTTP/1.1 with the timeout in the query, first to mutate, then to validate', async () => {
    await apply(virtualService(namespace, 'post'))
    const calls = webhook.takeCalls()
    expect(calls.map(({ httpVersion, method, url }) => ({ httpVersion, method, url }))).toEqual([
      { httpVersion: '1.1', method: 'POST', url: '/mutate?timeout=3s' },
      { httpVersion: '1.1', method: 'POST', url: '/validate?timeout=3s' },
    ])
    expect(calls[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json, */*',
      'user-agent': 'kube-apiserver-admission',
    })
    expect(calls[0]?.request).toMatchObject({
      kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
      resource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
      name: 'post',
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      oldObject: null,
      dryRun: false,
    })
  })

  test('keeps one connection for one call after the other', async () => {
    for (const name of ['one', 'two', 'three']) await apply(virtualService(namespace, name))
    const connections = webhook.takeCalls().map(({ connection }) => connection)
    expect(connections).toHaveLength(6)
    expect(new Set(connections).size).toBe(1)
  })

  test('is told of a dry run, and nothing is stored', async () => {
    await apply(virtualService(namespace, 'dry'), '--dry-run=server')
    expect(webhook.takeCalls().map(({ request }) => request['dryRun'])).toEqual([true, true])
    expect((await cluster.kubectl(['get', 'virtualservice', 'dry', '-n', namespace])).stderr).toContain('NotFound')
  })

  test.each(['v1', 'v1beta1', 'v1alpha3'])('sees %s in the version that was sent', async (version) => {
    await apply(virtualService(namespace, `version-${version}`, version))
    expect(webhook.takeCalls().map(({ request }) => request['kind'])).toEqual([
      { group: 'networking.istio.io', version, kind: 'VirtualService' },
      { group: 'networking.istio.io', version, kind: 'VirtualService' },
    ])
  })

  test('sees the old object beside the new one on update, and only the old one on delete', async () => {
    await apply(virtualService(namespace, 'change'))
    webhook.takeCalls()
    await apply(virtualService(namespace, 'change').replace('[reviews]', '[ratings]'))
    expect(webhook.takeCalls()[1]?.request).toMatchObject({
      operation: 'UPDATE',
      object: { spec: { hosts: ['ratings'] } },
      oldObject: { spec: { hosts: ['reviews'] } },
    })
    await kubectlOutput(cluster.kubectl, ['delete', 'virtualservice', 'change', '-n', namespace])
    expect(webhook.takeCalls()[1]?.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { spec: { hosts: ['ratings'] } },
    })
  })

  test('is not called when the same manifest is applied again', async () => {
    await apply(virtualService(namespace, 'same'))
    webhook.takeCalls()
    expect((await apply(virtualService(namespace, 'same'))).stdout).toContain('same unchanged')
    expect(webhook.takeCalls()).toEqual([])
  })

  test('learns a generated name only when it validates', async () => {
    const created = await cluster.kubectl(['create', '-f', '-'], { stdin: virtualService(namespace, 'generated-') })
    const name = /generated-\w+/.exec(created.stdout)?.[0]
    const [mutate, validate] = webhook.takeCalls()
    expect([mutate?.request['name'], validate?.request['name']]).toEqual([undefined, name])
  })

  test('knows the user that somebody acts as', async () => {
    await apply(virtualService(namespace, 'as-jane'), '--as=jane', '--as-group=system:masters', '--as-group=mesh-team')
    expect(webhook.takeCalls()[0]?.request['userInfo']).toMatchObject({
      username: 'jane',
      groups: ['system:masters', 'mesh-team', 'system:authenticated'],
    })
  })

  test('has its denial printed word for word, line breaks included', async () => {
    const message = '2 findings in VirtualService "denied":\n  RES-01 spec.http[0].timeout: missing; set 15s'
    answer = (url) =>
      url.startsWith('/validate')
        ? { allowed: false, status: { code: 403, reason: 'Forbidden', message } }
        : { allowed: true }
    expect(await apply(virtualService(namespace, 'denied'))).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error from server (Forbidden): error when creating "STDIN": admission webhook "validate.calls.meshward.io" denied the request: ${message}\n`,
    })
  })

  test('has its warnings printed one to a line', async () => {
    answer = (url) => ({
      allowed: true,
      ...(url.startsWith('/validate') ? { warnings: ['RES-01 a', 'RES-04 b'] } : {}),
    })
    const { code, stderr } = await apply(virtualService(namespace, 'warned'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Warning: RES-01 a\nWarning: RES-04 b\n' })
  })

  test('has its patch stored, and validates what it patched', async () => {
    answer = (url) =>
      url.startsWith('/mutate') ? { allowed: true, patchType: 'JSONPatch', patch: labelFilled } : { allowed: true }
    await apply(virtualService(namespace, 'patched'))
    expect(webhook.takeCalls()[1]?.request).toMatchObject({ object: { metadata: { labels: { filled: 'yes' } } } })
    const read = ['get', 'virtualservice', 'patched', '-n', namespace, '-o', 'jsonpath={.metadata.labels.filled}']
    expect(await kubectlOutput(cluster.kubectl, read)).toBe('yes')
  })

  test('is given up after its timeout of three seconds, which its failure policy turns into a refusal', async () => {
    answer = (url) => (url.startsWith('/validate') ? undefined : { allowed: true })
    const started = performance.now()
    const { code, stderr } = await apply(virtualService(namespace, 'hanging'))
    const seconds = (performance.now() - started) / 1000
    expect(code).toBe(1)
    expect(stderr).toContain('failed calling webhook "validate.calls.meshward.io"')
    expect(stderr).toContain('context deadline exceeded')
    expect(seconds).toBeGreaterThan(2.9)
    // Ten seconds are what an entry has that says nothing.
    expect(seconds).toBeLessThan(10)
  })
})

describeCluster('registering a webhook', (cluster) => {
  test('is over when the API server enforces it, and removing it when it has forgotten it', async () => {
    const namespace = await cluster.createNamespace()
    const webhook = await startRecordingWebhook(() => ({ allowed: false, status: { message: 'no' } }))
    const clientConfig = urlClientConfig(webhook.url, webhook.ca)
    const entry = webhookEntry({ name: 'never.meshward.io', clientConfig, rules: [rule], failurePolicy: 'Fail' })
    const created: (number | null)[] = []
    for (let round = 0; round < 5; round++) {
      const stdin = virtualService(namespace, `round-${round}`)
      const registration = await registerWebhook(cluster, { name: 'never', validating: [entry], mutating: [] })
      created.push((await cluster.kubectl(['create', '-f', '-'], { stdin })).code)
      await registration.remove()
      created.push((await cluster.kubectl(['create', '-f', '-'], { stdin })).code)
    }
    await webhook.close()
    expect(created).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0])
  })

  test('leaves objects of other kinds alone', async () => {
    const webhook = await startRecordingWebhook(() => ({ allowed: true }))
    const clientConfig = urlClientConfig(webhook.url, webhook.ca)
    const entry = webhookEntry({ name: 'mesh.meshward.io', clientConfig, rules: [rule], failurePolicy: 'Fail' })
    const registration = await registerWebhook(cluster, { name: 'mesh', validating: [entry], mutating: [entry] })
    const namespace = await cluster.createNamespace()
    await kubectlOutput(cluster.kubectl, ['create', 'configmap', 'plain', '-n', namespace])
    expect(webhook.takeCalls()).toEqual([])
    await registration.remove()
    await webhook.close()
  })
})
