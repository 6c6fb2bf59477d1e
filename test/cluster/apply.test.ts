import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import type { KubectlResult } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'

// What people and controllers do with kubectl, and what is stored in the end.

describeCluster('objects applied through Meshward', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration
  let namespace: string

  beforeAll(async () => {
    meshward = await startMeshward()
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
  })
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
  })

  const kubectl = (args: readonly string[], stdin = ''): Promise<KubectlResult> =>
    cluster.kubectl([...args, '-n', namespace], { stdin })
  const apply = (manifest: string, ...args: readonly string[]): Promise<KubectlResult> =>
    kubectl(['apply', ...args, '-f', '-'], manifest)
  const stored = async (kind: string, name: string): Promise<JsonObject> => {
    const { stdout } = await kubectl(['get', kind, name, '-o', 'json'])
    const object: unknown = JSON.parse(stdout)
    return asObject(object)
  }

  const destinationRule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews }
`
  const completed = {
    host: 'reviews',
    trafficPolicy: {
      connectionPool: {
        tcp: { maxConnections: 10000 },
        http: { http1MaxPendingRequests: 10000, http2MaxRequests: 10000 },
      },
      outlierDetection: {
        consecutiveGatewayErrors: 5,
        consecutive5xxErrors: 0,
        interval: '10s',
        baseEjectionTime: '30s',
        maxEjectionPercent: 50,
      },
      retryBudget: { percent: 20, minRetryConcurrency: 3 },
    },
  }
  const virtualService = (more = '', version = 'v1') => `
apiVersion: networking.istio.io/${version}
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - route: [{ destination: { host: reviews } }]
${more}`

  test('a bare DestinationRule is stored with pool limits, outlier detection and a retry budget, and says so', async () => {
    const { code, stderr } = await apply(destinationRule)
    expect(code).toBe(0)
    expect((await stored('destinationrule', 'reviews')).spec).toEqual(completed)
    for (const rule of ['RES-05', 'RES-06', 'RES-07']) expect(stderr).toContain(`Warning: ${rule} spec.trafficPolicy.`)
  })

  test('the same manifest again is unchanged, its diff is empty, and nobody is told twice', async () => {
    await apply(destinationRule)
    const diff = await kubectl(['diff', '-f', '-'], destinationRule)
    expect([diff.code, diff.stdout]).toEqual([0, ''])
    const { stdout, stderr } = await apply(destinationRule)
    expect(stdout).toBe('destinationrule.networking.istio.io/reviews unchanged\n')
    expect(stderr).toBe('')
  })

  test('a default in a list is filled anew by the next apply without storing anything new', async () => {
    const first = await apply(virtualService())
    expect(first.stderr).toContain('Warning: RES-01 spec.http[0].timeout: was absent, is now 15s')
    const before = await stored('virtualservice', 'reviews')
    const second = await apply(virtualService())
    expect([second.code, second.stderr]).toEqual([0, ''])
    const after = await stored('virtualservice', 'reviews')
    expect(after.spec).toEqual(before.spec)
    expect(asObject(after.metadata).resourceVersion).toBe(asObject(before.metadata).resourceVersion)
    const diff = await kubectl(['diff', '-f', '-'], virtualService())
    expect([diff.code, diff.stdout]).toEqual([0, ''])
  })

  test('a second manager applies server-side without a conflict over what was filled in maps', async () => {
    await apply(destinationRule, '--server-side', '--field-manager=team')
    const { code, stderr } = await apply(
      destinationRule.replace('host: reviews }', 'host: reviews, exportTo: ["."] }'),
      '--server-side',
      '--field-manager=platform',
    )
    expect([code, stderr]).toEqual([0, ''])
    expect((await stored('destinationrule', 'reviews')).spec).toEqual({ ...completed, exportTo: ['.'] })
  })

  test.each(['v1', 'v1beta1', 'v1alpha3'])(
    'a route without timeout is completed in networking.istio.io/%s',
    async (version) => {
      await apply(virtualService('', version))
      expect((await stored('virtualservice', 'reviews')).spec).toMatchObject({ http: [{ timeout: '15s' }] })
    },
  )

  test('an object with generateName is completed and named by the API server', async () => {
    const { code, stdout } = await kubectl(
      ['create', '-f', '-'],
      destinationRule.replace('name: reviews }', 'generateName: reviews- }'),
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^destinationrule\.networking\.istio\.io\/reviews-\w+ created\n$/)
  })

  test('--dry-run=server refuses and stores nothing', async () => {
    const { code, stderr } = await apply(virtualService('      timeout: 10m\n'), '--dry-run=server')
    expect(code).toBe(1)
    expect(stderr).toContain('RES-01 spec.http[0].timeout:')
    expect((await kubectl(['get', 'virtualservice', 'reviews'])).code).toBe(1)
  })

  test('a patch that brings in a fault is refused with the field, and the object stays as it was', async () => {
    await apply(virtualService('      timeout: 5s\n'))
    const patch = '[{"op":"replace","path":"/spec/http/0/timeout","value":"10m"}]'
    const { code, stderr } = await kubectl(['patch', 'virtualservice', 'reviews', '--type=json', '-p', patch])
    expect(code).toBe(1)
    expect(stderr).toContain('RES-01 spec.http[0].timeout: ')
    expect((await stored('virtualservice', 'reviews')).spec).toMatchObject({ http: [{ timeout: '5s' }] })
  })

  test('a PERMISSIVE PeerAuthentication is refused with a text that says which field to change to what', async () => {
    const { code, stderr } = await apply(`
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: PERMISSIVE } }
`)
    expect(code).toBe(1)
    expect(stderr).toContain('denied the request: 1 problem in PeerAuthentication')
    expect(stderr).toContain(
      '\n  MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext, which carries no identity; set mode to STRICT, or remove it to inherit',
    )
  })
})

describeCluster('objects that are older than Meshward', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration
  let namespace: string

  // Two routes without a timeout, stored before there was a webhook.
  const old = (weight: number, more = '') => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: canary }
spec:
  hosts: [shop]
  http:
    - match: [{ uri: { prefix: /new } }]
      timeout: 10m
      route: [{ destination: { host: shop } }]
    - timeout: 10m
      route:
        - { destination: { host: shop }, weight: ${100 - weight} }
        - { destination: { host: shop-canary }, weight: ${weight} }
${more}`

  beforeAll(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { stdin: old(0) })
    meshward = await startMeshward()
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
  })

  const apply = (manifest: string): Promise<KubectlResult> =>
    cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { stdin: manifest })

  test('a controller that moves weights goes through, with a warning for each old finding', async () => {
    for (const weight of [10, 50, 100]) {
      const { code, stderr } = await apply(old(weight))
      expect(code).toBe(0)
      expect(stderr).toContain('Warning: RES-01 spec.http[0].timeout: ')
      expect(stderr).toContain('Warning: RES-01 spec.http[1].timeout: ')
    }
  })

  test('a rollback goes through', async () => {
    const { code } = await apply(old(0))
    expect(code).toBe(0)
  })

  test('a new route with the same fault is refused', async () => {
    const { code, stderr } = await apply(
      old(0, '    - { name: more, timeout: 10m, route: [{ destination: { host: shop } }] }\n'),
    )
    expect(code).toBe(1)
    expect(stderr).toContain('1 problem in VirtualService')
    expect(stderr).toContain('RES-01 spec.http[2].timeout: ')
  })

  test('a label that somebody adds is no reason to judge the rest anew', async () => {
    const { code } = await cluster.kubectl(['label', 'virtualservice', 'canary', 'team=shop', '-n', namespace])
    expect(code).toBe(0)
  })
})
