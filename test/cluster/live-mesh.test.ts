import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput, type Kubectl } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { toldOf, type Told } from './harness/told.ts'
import {
  deployment,
  destinationRule,
  gateway,
  peerAuthentication,
  service,
  serviceEntry,
  throughGateway,
  virtualService,
} from './mesh-manifests.ts'

// The verdict on one object changes because another one came, changed or went.

const tries = ', retries: { attempts: 2, perTryTimeout: 2s, retryOn: "gateway-error" }'

/** A chain of calls in which every hop but the first is known by an annotation. */
const chain = [
  ...['web', 'cart', 'stock', 'db'].map((name) => deployment(name)),
  service('web'),
  service('cart', { calls: 'stock' }),
  service('stock', { calls: 'db' }),
  service('db'),
  virtualService('cart', { more: tries }),
  virtualService('stock', { more: tries }),
].join('')

/** Istio takes the hosts of a Sidecar as they are written, so that a short name matches nothing. */
const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: web }
spec:
  workloadSelector: { labels: { app: web } }
  egress: [{ hosts: [${['cart', 'stock', 'db'].map((name) => `./${name}.NAMESPACE.svc.cluster.local`).join(', ')}] }]
---`

describeCluster('a server that follows the mesh of its cluster', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration
  let namespace: string

  beforeAll(async () => {
    await cluster.kubectl(['create', 'namespace', 'istio-system'])
    meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig])
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
  })
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
  })

  const kubectl: Kubectl = (args, { stdin = '' } = {}) =>
    cluster.kubectl([...args, '-n', namespace], { stdin: stdin.replaceAll('NAMESPACE', namespace) })
  const apply = (manifests: string) => kubectlOutput(kubectl, ['apply', '-f', '-'], { stdin: manifests })
  const remove = (...names: readonly string[]) => kubectlOutput(kubectl, ['delete', ...names])
  /** What a rule says of an object, or of its deletion, once the server has seen what was done before. */
  const expectTold = (code: string, args: readonly string[], manifest: string, told: Told) =>
    expect.poll(async () => toldOf(code, await kubectl([...args, '--dry-run=server'], { stdin: manifest }))).toBe(told)
  const expectJudged = (code: string, manifest: string, told: Told) =>
    expectTold(code, ['apply', '-f', '-'], manifest, told)
  const expectDeleted = (code: string, object: readonly string[], told: Told) =>
    expectTold(code, ['delete', ...object], '', told)

  test.each<{
    what: string
    code: string
    judged: string
    around?: string
    comes: string
    goes: readonly string[]
    told: readonly [Told, Told]
  }>([
    {
      what: 'a route to a host is warned of until its Service is there',
      code: 'VS-01',
      judged: virtualService('cart'),
      comes: service('cart'),
      goes: ['service/cart'],
      told: ['warning', 'nothing'],
    },
    {
      what: 'a route to a subset is warned of until a DestinationRule defines it',
      code: 'VS-05',
      judged: virtualService('cart', { destination: 'host: cart, subset: v2' }),
      around: service('cart'),
      comes: destinationRule('v1', 'v2'),
      goes: ['destinationrule/cart'],
      told: ['warning', 'nothing'],
    },
    {
      what: 'a DestinationRule for a host is warned of until a ServiceEntry has it',
      code: 'DR-01',
      judged: destinationRule().replace('host: cart', 'host: pay.example.com'),
      around: service('cart'),
      comes: serviceEntry('pay.example.com'),
      goes: ['serviceentry/pay'],
      told: ['warning', 'nothing'],
    },
    {
      what: 'a host is refused while another VirtualService claims it',
      code: 'VS-10',
      judged: virtualService('cart'),
      around: service('cart'),
      comes: virtualService('rival', { host: 'cart', destination: 'host: cart' }),
      goes: ['virtualservice/rival'],
      told: ['nothing', 'denial'],
    },
    {
      what: 'retries are refused while a Sidecar tells of one more hop before them',
      code: 'RES-12',
      judged: virtualService('db', { more: tries }),
      around: chain,
      comes: sidecar,
      goes: ['sidecar/web'],
      told: ['nothing', 'denial'],
    },
    {
      what: 'a Gateway that a route names is warned of until it is there',
      code: 'VS-06',
      judged: throughGateway,
      around: service('cart'),
      comes: gateway,
      goes: ['gateway.networking.istio.io/web'],
      told: ['warning', 'nothing'],
    },
    {
      what: 'plaintext to a namespace is refused while its PeerAuthentication is STRICT',
      code: 'MTLS-18',
      judged: destinationRule().replace(
        'host: cart,',
        'host: "*.NAMESPACE.svc.cluster.local", trafficPolicy: { tls: { mode: DISABLE } },',
      ),
      comes: peerAuthentication(),
      goes: ['peerauthentication/default'],
      told: ['nothing', 'denial'],
    },
    {
      what: 'a PeerAuthentication of the namespace is refused while there is another',
      code: 'MTLS-06',
      judged: peerAuthentication('second'),
      comes: peerAuthentication(),
      goes: ['peerauthentication/default'],
      told: ['nothing', 'denial'],
    },
  ])('$what', async ({ code, judged, around, comes, goes, told: [without, withIt] }) => {
    if (around !== undefined) await apply(around)
    await expectJudged(code, judged, without)
    await apply(comes)
    await expectJudged(code, judged, withIt)
    await remove(...goes)
    await expectJudged(code, judged, without)
  })

  test.each([
    { what: 'a Service', objects: service('cart'), goes: 'service/cart' },
    { what: 'a ServiceEntry', objects: serviceEntry('cart.NAMESPACE.svc.cluster.local'), goes: 'serviceentry/pay' },
    {
      what: 'a DestinationRule whose subset',
      objects: service('cart') + destinationRule('v2'),
      destination: 'host: cart, subset: v2',
      goes: 'destinationrule/cart',
    },
  ])('$what that a route still names may not go before it', async ({ objects, destination, goes }) => {
    await apply(objects)
    await expectDeleted('VS-32', [goes], 'nothing')
    await apply(virtualService('cart', destination === undefined ? {} : { destination }))
    await expectDeleted('VS-32', [goes], 'denial')
    await remove('virtualservice/cart')
    await expectDeleted('VS-32', [goes], 'nothing')
  })

  test('the STRICT PeerAuthentication of a namespace may not go before the workloads that it protects', async () => {
    await apply(peerAuthentication() + deployment('cart', 'app: cart'))
    await expectDeleted('MTLS-26', ['peerauthentication/default'], 'denial')
    await remove('deployment/cart')
    await expectDeleted('MTLS-26', ['peerauthentication/default'], 'nothing')
  })

  test('a Gateway that a route still names may not go before it', async () => {
    await apply(service('cart') + gateway)
    await expectDeleted('VS-32', ['gateway.networking.istio.io/web'], 'nothing')
    await apply(throughGateway)
    await expectDeleted('VS-32', ['gateway.networking.istio.io/web'], 'denial')
    await remove('virtualservice/web')
    await expectDeleted('VS-32', ['gateway.networking.istio.io/web'], 'nothing')
  })

  test.each([
    {
      what: 'a subset',
      before: service('cart') + destinationRule('v1', 'v2'),
      after: destinationRule('v1'),
      kept: destinationRule('v2'),
      destination: 'host: cart, subset: v2',
    },
    {
      what: 'a port',
      before: service('cart', { ports: '{ name: http, port: 80 }, { name: admin, port: 90 }' }),
      after: service('cart', { ports: '{ name: http, port: 80 }' }),
      kept: service('cart', { ports: '{ name: admin, port: 90 }' }),
      destination: 'host: cart, port: { number: 90 }',
    },
  ])('$what that a route names may not be taken out of its object; others may', async (row) => {
    await apply(row.before + virtualService('cart', { destination: row.destination }))
    await expectJudged('VS-32', row.after, 'denial')
    await expectJudged('VS-32', row.kept, 'nothing')
    await remove('virtualservice/cart')
    await expectJudged('VS-32', row.after, 'nothing')
  })

  describe('under a MeshConfig', () => {
    let other: string

    const meshConfig = (mesh: string) =>
      kubectlOutput(cluster.kubectl, ['apply', '-f', '-'], {
        stdin: JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'istio', namespace: 'istio-system' },
          data: { mesh },
        }),
      })
    const noMeshConfig = () =>
      kubectlOutput(cluster.kubectl, ['delete', 'configmap', 'istio', '-n', 'istio-system', '--ignore-not-found'])
    const route = () => virtualService('cart', { destination: `host: cart.${other}.svc.cluster.local` })

    beforeEach(async () => {
      other = await cluster.createNamespace({ 'istio-discovery': 'enabled' })
      await kubectlOutput(cluster.kubectl, ['apply', '-n', other, '-f', '-'], { stdin: service('cart') })
    })
    afterEach(noMeshConfig)

    test('a route to a Service of another namespace is warned of while Services are exported to nobody', async () => {
      await expectJudged('VS-01', route(), 'nothing')
      await meshConfig('defaultServiceExportTo: ["."]')
      await expectJudged('VS-01', route(), 'warning')
      await meshConfig('defaultServiceExportTo: ["*"]')
      await expectJudged('VS-01', route(), 'nothing')
      await meshConfig('defaultServiceExportTo: ["."]')
      await expectJudged('VS-01', route(), 'warning')
      await noMeshConfig()
      await expectJudged('VS-01', route(), 'nothing')
    })

    test('a route to a Service is warned of once the label is gone by which Istio finds its namespace', async () => {
      await kubectlOutput(cluster.kubectl, ['label', 'namespace', namespace, 'istio-discovery=enabled'])
      await meshConfig('discoverySelectors: [{ matchLabels: { istio-discovery: enabled } }]')
      await expectJudged('VS-01', virtualService('cart'), 'warning')
      await expectJudged('VS-01', route(), 'nothing')
      await kubectlOutput(cluster.kubectl, ['label', 'namespace', other, 'istio-discovery-'])
      await expectJudged('VS-01', route(), 'warning')
      await kubectlOutput(cluster.kubectl, ['label', 'namespace', other, 'istio-discovery=enabled'])
      await expectJudged('VS-01', route(), 'nothing')
    })
  })
})
