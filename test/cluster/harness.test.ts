import { ApiextensionsV1Api, CustomObjectsApi } from '@kubernetes/client-node'
import { beforeAll, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'

const strict = (namespace: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: ${namespace} }
spec: { mtls: { mode: STRICT } }
`

describeCluster('the shared cluster', (cluster) => {
  let namespace: string
  beforeAll(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
  })

  test.each([
    ['networking.istio.io', 'destinationrules', ['v1', 'v1alpha3', 'v1beta1']],
    ['networking.istio.io', 'gateways', ['v1', 'v1alpha3', 'v1beta1']],
    ['networking.istio.io', 'sidecars', ['v1', 'v1alpha3', 'v1beta1']],
    ['networking.istio.io', 'virtualservices', ['v1', 'v1alpha3', 'v1beta1']],
    ['security.istio.io', 'authorizationpolicies', ['v1', 'v1beta1']],
    ['security.istio.io', 'peerauthentications', ['v1', 'v1beta1']],
    ['telemetry.istio.io', 'telemetries', ['v1', 'v1alpha1']],
    ['gateway.networking.k8s.io', 'gateways', ['v1', 'v1beta1']],
    ['gateway.networking.k8s.io', 'httproutes', ['v1', 'v1beta1']],
  ])('serves %s %s in every version', async (group, plural, versions) => {
    const crd = await cluster.client
      .makeApiClient(ApiextensionsV1Api)
      .readCustomResourceDefinition({ name: `${plural}.${group}` })
    expect(
      crd.spec.versions
        .filter(({ served }) => served)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(versions)
    for (const version of versions) {
      const listed = await kubectlOutput(cluster.kubectl, ['get', '--raw', `/apis/${group}/${version}/${plural}`])
      expect(JSON.parse(listed)).toMatchObject({
        apiVersion: `${group}/${version}`,
        kind: `${crd.spec.names.kind}List`,
      })
    }
  })

  test('stores what kubectl applies, and client-node reads it back', async () => {
    expect(await cluster.kubectl(['apply', '-f', '-'], { stdin: strict(namespace) })).toEqual({
      code: 0,
      stdout: 'peerauthentication.security.istio.io/default created\n',
      stderr: '',
    })
    const stored: unknown = await cluster.client.makeApiClient(CustomObjectsApi).getNamespacedCustomObject({
      group: 'security.istio.io',
      version: 'v1beta1',
      namespace,
      plural: 'peerauthentications',
      name: 'default',
    })
    expect(stored).toMatchObject({ spec: { mtls: { mode: 'STRICT' } } })
  })

  test('answers for what the CRD schema refuses with its exit code and its words', async () => {
    const stdin = strict(namespace).replace('STRICT', 'STRICTER')
    const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { stdin })
    expect(code).toBe(1)
    expect(stderr).toContain('spec.mtls.mode: Unsupported value: "STRICTER"')
  })

  test('checks RBAC: a user who was granted nothing is refused', async () => {
    const { code, stderr } = await cluster.kubectl(['get', 'pods', '-n', namespace, '--as=jane'])
    expect(code).toBe(1)
    expect(stderr).toContain('User "jane" cannot list resource "pods"')
  })

  test('accepts pods without a controller that makes service accounts', async () => {
    const result = await cluster.kubectl(['run', 'web', '--image=web', '-n', namespace])
    expect(result).toEqual({ code: 0, stdout: 'pod/web created\n', stderr: '' })
  })

  test('gives every caller a namespace of its own', async () => {
    expect(await cluster.createNamespace()).not.toBe(await cluster.createNamespace())
    expect(
      await kubectlOutput(cluster.kubectl, ['get', 'ns', namespace, '-o', 'jsonpath={.metadata.labels}']),
    ).toContain('"istio-injection":"enabled"')
  })
})
