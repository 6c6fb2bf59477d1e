import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { asList, asObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { run } from '../cli/run-in-process.ts'
import { startCluster, type Cluster } from './harness/cluster.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { freePort } from './harness/free-port.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { kubeconfigOf, readerRole } from './harness/reader-account.ts'
import { destinationRule, service, virtualService } from './mesh-manifests.ts'

// The command line in front of a real cluster, in which nobody has judged anything yet.

const permissive = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: PERMISSIVE } }
---`

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: cart, labels: { app: cart } }
spec: { containers: [{ name: cart, image: "cart:1", ports: [{ containerPort: 80 }] }] }
---`

const toV2 = virtualService('cart', { destination: 'host: cart, subset: v2' })

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value))

describeCluster('the command line with --cluster', () => {
  let cluster: Cluster
  let folder: string

  const apply = (stdin: string) => kubectlOutput(cluster.kubectl, ['apply', '-n', 'shop', '-f', '-'], { stdin })
  const meshward = (...args: readonly string[]) => run(args, { shippedPolicies: 'policies' })
  /** The findings of a check as `CODE place field`, and its other numbers. */
  const check = async (...args: readonly string[]) => {
    const { code, stdout } = await meshward('check', '--kubeconfig', cluster.kubeconfig, '-o', 'json', ...args)
    const answer: unknown = JSON.parse(stdout)
    const { findings, errors, documents } = asObject(answer)
    return {
      code,
      documents,
      findings: asList(findings).map((item) => {
        const { code: rule, source, field } = asObject(item)
        return [rule, asObject(source).file, field].map(text).join(' ')
      }),
      errors: asList(errors).map((item) => [asObject(item).code, asObject(item).message].map(text).join(' ')),
    }
  }
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  beforeAll(async () => {
    cluster = await startCluster()
    folder = cluster.files.folder
    await kubectlOutput(cluster.kubectl, ['create', 'namespace', 'shop'])
    await apply(service('cart') + toV2)
  })
  afterAll(() => cluster.stop())
  afterEach(() => vi.unstubAllEnvs())

  test('judges what is in the cluster, each object in the mesh of all others', async () => {
    const { documents, ...rest } = await check('--cluster', '--only', 'MTLS-02,VS-01,VS-05')
    expect(rest).toEqual({
      code: 0,
      findings: ['VS-05 cluster:shop/VirtualService/cart spec.http[0].route[0].destination.subset'],
      errors: [],
    })
    expect(documents).toBeGreaterThan(0)
    await apply(permissive)
    expect(await check('--cluster', '--only', 'MTLS-02')).toMatchObject({
      code: 1,
      findings: ['MTLS-02 cluster:shop/PeerAuthentication/default spec.mtls.mode'],
    })
    await apply(destinationRule('v2'))
    expect(await check('--cluster', '--only', 'VS-05')).toMatchObject({ code: 0, findings: [] })
    await kubectlOutput(cluster.kubectl, ['delete', 'destinationrule/cart', 'peerauthentication/default', '-n', 'shop'])
  })

  test('shows the object that is in no file', async () => {
    const only = ['--only', 'VS-05', '--fail-on', 'warn']
    const { code, stdout } = await meshward('check', '--cluster', '--kubeconfig', cluster.kubeconfig, ...only)
    expect(code).toBe(1)
    expect(stdout).toContain('cluster:shop/VirtualService/cart')
    expect(stdout).toContain('subset: v2')
  })

  test('judges documents as they would be there, and nothing else', async () => {
    const route = file('route.yaml', toV2.replace('name: cart', 'name: web').replace('hosts: [cart]', 'hosts: [web]'))
    const rule = file('rule.yaml', destinationRule('v2'))
    const only = ['--cluster', '-n', 'shop', '--only', 'VS-01,VS-05']
    expect(await check(route, ...only)).toEqual({
      code: 0,
      documents: 1,
      findings: [`VS-05 ${route} spec.http[0].route[0].destination.subset`],
      errors: [],
    })
    expect(await check(route, rule, ...only)).toMatchObject({ documents: 2, findings: [] })
  })

  test('inspects it as it does the same objects in a file', async () => {
    await apply(pod)
    const status = JSON.stringify({ status: { phase: 'Running', podIP: '10.1.0.7', podIPs: [{ ip: '10.1.0.7' }] } })
    await kubectlOutput(cluster.kubectl, ['patch', 'pod', 'cart', '-n', 'shop', '--subresource=status', '-p', status])
    const kinds = 'namespaces,services,serviceaccounts,pods,endpointslices,virtualservices'
    const written = file('all.yaml', await kubectlOutput(cluster.kubectl, ['get', kinds, '-A', '-o', 'yaml']))
    const live = await meshward('inspect', '--cluster', '--kubeconfig', cluster.kubeconfig, '-o', 'json')
    expect(live).toEqual(await meshward('inspect', written, '-o', 'json'))
    expect(live.code).toBe(0)
    expect(live.stdout).toContain('cart.shop.svc.cluster.local')
  })

  test('says what it may not read, and what could not be judged without', async () => {
    await kubectlOutput(cluster.kubectl, ['create', 'serviceaccount', 'reader', '-n', 'default'])
    await apply(readerRole(['destinationrules', 'serviceentries', 'sidecars']))
    const kubeconfig = await kubeconfigOf(cluster, 'reader')
    const route = file('route.yaml', toV2)
    const only = ['--kubeconfig', kubeconfig, '--cluster', '-n', 'shop', '--only', 'VS-05,VS-10']
    const { code, stdout } = await meshward('check', route, '-o', 'json', ...only)
    const answer: unknown = JSON.parse(stdout)
    const refused =
      /VirtualService.networking.istio.io could not be read from the cluster: the API server answered 403 /
    expect(code).toBe(2)
    expect(answer).toMatchObject({
      findings: [
        { code: 'VS-05', outcome: 'fail' },
        { code: 'VS-10', outcome: 'error', message: expect.stringMatching(refused) },
      ],
      errors: [{ code: 'CLUSTER-02', message: expect.stringMatching(refused) }],
    })
  })

  describe('with several clusters in its kubeconfig', () => {
    let kubeconfig: string

    beforeAll(async () => {
      const shown: unknown = JSON.parse(await kubectlOutput(cluster.kubectl, ['config', 'view', '--raw', '-o', 'json']))
      const { clusters, contexts } = asObject(shown)
      const gone = { name: 'gone', cluster: { server: `https://127.0.0.1:${await freePort()}` } }
      const contextOf = (name: string, of: string): JsonObject => ({ name, context: { cluster: of, user: 'admin' } })
      kubeconfig = file(
        'kubeconfig.several',
        JSON.stringify({
          ...asObject(shown),
          clusters: [...asList(clusters), gone],
          users: [...asList(asObject(shown).users), { name: 'mallory', user: { token: 'none' } }],
          contexts: [
            ...asList(contexts),
            contextOf('gone', 'gone'),
            { name: 'stranger', context: { cluster: 'meshward', user: 'mallory' } },
          ],
        }),
      )
    })

    const only = ['check', '--cluster', '--only', 'VS-05', '-o', 'json'] as const
    const errorsOf = async (...args: readonly string[]) => {
      const { code, stdout } = await meshward(...only, ...args)
      const answer: unknown = JSON.parse(stdout)
      const { errors, findings } = asObject(answer)
      return { code, findings, errors: asList(errors).map((item) => asObject(item)) }
    }

    test('reads the one of the context that is named', async () => {
      const { code, errors } = await errorsOf('--kubeconfig', kubeconfig, '--kube-context', 'meshward')
      expect([code, errors]).toEqual([0, []])
    })

    test('takes the kubeconfig that KUBECONFIG names where none is given', async () => {
      vi.stubEnv('KUBECONFIG', kubeconfig)
      const { code, errors } = await errorsOf()
      expect([code, errors]).toEqual([0, []])
    })

    test.each([
      [
        'a context that it does not have',
        'moon',
        'the kubeconfig has no context "moon"; it has meshward, gone, stranger',
      ],
      ['a cluster that is gone', 'gone', 'the API server does not answer: connect ECONNREFUSED 127.0.0.1:'],
      ['a user whom it does not know', 'stranger', 'the API server does not accept the credentials: Unauthorized'],
    ])('says once why it cannot talk to %s, and judges nothing', async (_, context, reason) => {
      expect(await errorsOf('--kubeconfig', kubeconfig, '--kube-context', context)).toEqual({
        code: 2,
        findings: [],
        errors: [expect.objectContaining({ code: 'CLUSTER-01', message: expect.stringContaining(reason) })],
      })
    })

    test('judges documents without the cluster that it cannot talk to, as what they name may be there', async () => {
      const route = file('route.yaml', toV2)
      const { code, findings } = await errorsOf(route, '--kubeconfig', kubeconfig, '--kube-context', 'gone')
      expect([code, findings]).toEqual([2, []])
    })
  })
})
