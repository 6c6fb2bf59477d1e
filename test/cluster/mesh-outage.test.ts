import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { asList, asObject } from '../../src/kube/json.ts'
import { ask } from '../webhook/server-process.ts'
import { virtualServiceReview } from '../webhook/sample-review.ts'
import { startCluster, type Cluster } from './harness/cluster.ts'
import { installCrds } from './harness/crds.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { kubeconfigOf, readerRole } from './harness/reader-account.ts'
import { service, virtualService } from './mesh-manifests.ts'

// What a server answers while it cannot see the mesh, or a part of it. Asked as the API server would, past the API server.

/** A route to a Service, and nothing else that any rule has a word about. */
const ROUTE = { hosts: ['cart'], http: [{ route: [{ destination: { host: 'cart' } }], timeout: '10s' }] }

/** The second entry is never reached. */
const UNREACHABLE = { ...ROUTE, http: [...ROUTE.http, ...ROUTE.http] }

describeCluster('a server whose API server', () => {
  let cluster: Cluster
  let meshward: MeshwardServer

  beforeAll(async () => {
    cluster = await startCluster({ crds: [] })
  })
  afterAll(() => cluster.stop())

  const at = () => ({ port: Number(new URL(meshward.url).port), ca: meshward.ca })
  const readiness = async () => (await ask(at(), '/readyz')).body.split('\n').filter((line) => line.includes('mesh'))
  const metric = async (name: string) => {
    const { body } = await ask(at(), '/metrics')
    return Number(
      body
        .split('\n')
        .find((line) => line.startsWith(`meshward_${name} `))
        ?.split(' ')
        .at(-1)
        ?.replace('+Inf', 'Infinity'),
    )
  }
  const apply = (stdin: string, ...args: readonly string[]) =>
    kubectlOutput(cluster.kubectl, ['apply', '-f', '-', ...args], { stdin })
  /** A namespace with what the route needs, and the CRDs; they may be there. */
  const setUp = async () => {
    await installCrds(cluster.kubectl, ['istio'])
    await apply('{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }')
    await apply(service('cart'), '-n', 'shop')
  }
  /** The answer to the creation of a VirtualService: is it allowed, and what a rule says. */
  const judge = async (code: string, spec: object = ROUTE) => {
    const { body } = await ask(at(), '/validate', JSON.stringify(virtualServiceReview(spec)))
    const answer: unknown = JSON.parse(body)
    const { allowed, status, warnings } = asObject(asObject(answer).response)
    const lines = [...asList(warnings), asObject(status).message].filter((line) => typeof line === 'string')
    return { allowed, told: lines.flatMap((line) => line.split(/\n */)).find((line) => line.startsWith(code)) }
  }

  describe('has no CRDs of Istio', () => {
    beforeAll(async () => {
      meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig])
    })
    afterAll(() => meshward.stop())

    test('is ready, and judges in the mesh that there is', async () => {
      expect(await readiness()).toEqual(['[+]mesh ok'])
      expect(await judge('VS-01')).toEqual({ allowed: true, told: expect.stringContaining('is no ho') })
      await kubectlOutput(cluster.kubectl, ['create', 'namespace', 'shop'])
      await apply(service('cart'), '-n', 'shop')
      await expect.poll(() => judge('VS-01')).toEqual({ allowed: true, told: undefined })
    })

    test('sees the objects of CRDs that are installed later', async () => {
      await installCrds(cluster.kubectl, ['istio'])
      await apply(virtualService('rival', { host: 'cart', destination: 'host: cart' }), '-n', 'shop')
      await expect
        .poll(() => judge('VS-10'), { timeout: 30_000 })
        .toEqual({ allowed: false, told: expect.stringContaining('shop/rival') })
      expect(await readiness()).toEqual(['[+]mesh ok'])
    })

    test('forgets the objects of a CRD that vanishes, stays ready, and sees those that come with it again', async () => {
      const name = 'virtualservices.networking.istio.io'
      await kubectlOutput(cluster.kubectl, ['delete', 'crd', name])
      await expect.poll(() => judge('VS-10'), { timeout: 30_000 }).toEqual({ allowed: true, told: undefined })
      expect(await readiness()).toEqual(['[+]mesh ok'])
      await installCrds(cluster.kubectl, ['istio'])
      await apply(virtualService('rival', { host: 'cart', destination: 'host: cart' }), '-n', 'shop')
      await expect.poll(() => judge('VS-10'), { timeout: 30_000 }).toMatchObject({ allowed: false })
    })

    test('follows on when the API server is killed and started again', async () => {
      await cluster.restartApiServer()
      expect(await readiness()).toEqual(['[+]mesh ok'])
      expect(await judge('VS-10')).toMatchObject({ allowed: false })
      await kubectlOutput(cluster.kubectl, ['delete', 'virtualservice', 'rival', '-n', 'shop'])
      await expect.poll(() => judge('VS-10'), { timeout: 40_000 }).toEqual({ allowed: true, told: undefined })
    })
  })

  describe('is silent for longer than it may be', () => {
    const most = 45

    beforeAll(async () => {
      await setUp()
      meshward = await startMeshward(['--kubeconfig', cluster.kubeconfig, '--max-staleness', `${most}s`])
    })
    afterAll(() => meshward.stop())

    test('is heard of often enough while nothing happens', async () => {
      const ages: number[] = []
      for (let second = 0; second < most + 5; second += 1) {
        ages.push(await metric('mesh_staleness_seconds'))
        await sleep(1000)
      }
      expect(Math.max(...ages)).toBeLessThan(most - 5)
      expect(await judge('VS-10')).toEqual({ allowed: true, told: undefined })
    })

    test('goes: rules that read the mesh answer by their failure policy and say so, others judge, and it stays ready', async () => {
      await cluster.stopApiServer()
      expect(await judge('VS-10')).toEqual({ allowed: true, told: undefined })
      await expect.poll(() => metric('mesh_staleness_seconds'), { timeout: 60_000 }).toBeGreaterThan(most)
      await expect
        .poll(() => judge('VS-10'), { timeout: 60_000 })
        .toEqual({
          allowed: false,
          told: expect.stringMatching(
            /^VS-10: the rule could not be evaluated: the API server was last heard of .+ (?:4[5-9]|[5-9]\d) s ago, more than the 45 s allowed \(.+\); try again;/,
          ),
        })
      expect(await judge('VS-11', UNREACHABLE)).toMatchObject({
        told: expect.stringContaining('VS-11 spec.http[1]'),
      })
      expect(await readiness()).toEqual(['[+]mesh ok'])
    })

    test('comes back, and is judged by again', async () => {
      await cluster.restartApiServer()
      await expect.poll(() => judge('VS-10'), { timeout: 58_000 }).toEqual({ allowed: true, told: undefined })
      await expect.poll(() => metric('mesh_staleness_seconds'), { timeout: 58_000 }).toBeLessThan(most)
    })
  })

  describe('does not let it read a kind', () => {
    const kind = 'VirtualService.networking.istio.io'

    beforeAll(async () => {
      await setUp()
      await kubectlOutput(cluster.kubectl, ['create', 'serviceaccount', 'reader', '-n', 'default'])
      await apply(
        readerRole(['destinationrules', 'gateways', 'serviceentries', 'sidecars', 'workloadentries', 'workloadgroups']),
      )
      meshward = await startMeshward(['--kubeconfig', await kubeconfigOf(cluster, 'reader')])
    })
    afterAll(() => meshward.stop())

    test('is ready, and says which kind it cannot read: in a metric, the log, and what rules about it answer', async () => {
      expect(await readiness()).toEqual(['[+]mesh ok'])
      expect(await metric(`mesh_watch_failures_total{kind="${kind}"}`)).toBeGreaterThan(0)
      expect(await metric(`mesh_kind_staleness_seconds{kind="${kind}"}`)).toBe(Number.POSITIVE_INFINITY)
      const logged = () =>
        meshward.process
          .logTail(Infinity)
          .split('\n')
          .filter((line) => line.includes('cannot be read') && line.includes(`"${kind}"`))
      await expect.poll(logged).toHaveLength(1)
      expect(await judge('VS-10')).toEqual({
        allowed: false,
        told: expect.stringContaining(`${kind} could not be read from the API server yet (the API server answered 403`),
      })
      expect(await judge('VS-11', UNREACHABLE)).toMatchObject({ told: expect.stringContaining('VS-11 spec.http[1]') })
    })

    test('has a dry run that says the same', async () => {
      const metadata = { name: 'cart', namespace: 'shop' }
      const manifest = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata, spec: ROUTE }
      const { body } = await ask(at(), '/dry-run?only=VS-10', JSON.stringify(manifest))
      const answer: unknown = JSON.parse(body)
      const message = expect.stringContaining(`${kind} could not be read from the API server yet`)
      expect(answer).toMatchObject({ findings: [{ code: 'VS-10', outcome: 'error', message }] })
    })

    test('lets it read the kind later, and is judged by it', async () => {
      await apply(readerRole(['*']))
      await expect.poll(() => judge('VS-10'), { timeout: 58_000 }).toEqual({ allowed: true, told: undefined })
    })
  })
})
