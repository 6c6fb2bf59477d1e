import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { asList, asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { createAdmissionLoad, createPoster, type Answer, type Sample } from './admission-load.ts'
import { openInstallation, peerAuthentication, plaintext, type Installation } from './installation.ts'

// Replicas that neither answer nor end: their processes are stopped, their connections stay open.

/** Milliseconds that the API server waits for a webhook, and what it needs beside that. */
const TIMEOUT = 3000
const SLACK = 1000

const NAMES_MESHWARD =
  /^Internal error occurred: failed calling webhook "closed\.validate\.meshward\.io": failed to call webhook: /

const peers = '/apis/security.istio.io/v1/namespaces/shop/peerauthentications'
const refused = { collection: peers, object: plaintext('open', 'shop') }
const accepted = { collection: peers, object: peerAuthentication('strict', 'shop', 'STRICT') }
/** No webhook is asked about it. */
const unasked = {
  collection: '/api/v1/namespaces/kube-system/configmaps',
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unasked' } },
}
const optedOut = {
  collection: '/apis/apps/v1/namespaces/shop/deployments',
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'outside', namespace: 'shop' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'outside' } },
      template: {
        metadata: { labels: { app: 'outside', 'sidecar.istio.io/inject': 'false' } },
        spec: { containers: [{ name: 'main', image: 'main' }] },
      },
    },
  },
}
const withoutTimeout = {
  collection: '/apis/networking.istio.io/v1/namespaces/shop/virtualservices',
  object: {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'bare' },
    spec: { hosts: ['bare'], http: [{ route: [{ destination: { host: 'bare' } }] }] },
  },
}

describeNodes('replicas that are frozen', () => {
  let site: Installation
  let post: (sample: Pick<Sample, 'collection' | 'object'>) => Promise<Answer>

  const freeze = (...pods: readonly string[]) => Promise.all(pods.map((pod) => site.signal(pod, 'SIGSTOP')))
  const thaw = async () => {
    for (const pod of await site.pods()) await site.signal(pod, 'SIGCONT')
  }
  /** The milliseconds that this machine takes for an answer, at its slowest while something goes on. */
  const ownDelay = async (deed: () => Promise<unknown>): Promise<number> => {
    const over = new AbortController()
    const watch = async (): Promise<number> => {
      let longest = 0
      while (!over.signal.aborted) {
        longest = Math.max(longest, (await post(unasked)).took)
        await sleep(50)
      }
      return longest
    }
    const [longest] = await Promise.all([watch(), deed().finally(() => over.abort())])
    return longest
  }
  const ready = async (): Promise<number> => {
    const path = 'jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}'
    const names = await site.kubectl('get', 'endpointslices', '-l', 'kubernetes.io/service-name=meshward', '-o', path)
    return names.split(' ').filter((name) => name !== '').length
  }
  const readyBecomes = (count: number) =>
    eventually({ what: `${count} ready replicas`, within: 30_000, every: 200 }, async () =>
      (await ready()) === count ? true : undefined,
    )

  /** What `meshward check --cluster` finds in the namespace. */
  const checkCluster = (): readonly JsonObject[] => {
    const args = ['src/cli/main.ts', 'check', '--cluster', '--kubeconfig', site.cluster.kubeconfig, '-o', 'json']
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const report: Json = JSON.parse(stdout)
    const findings = asList(asObject(report).findings).map((finding) => asObject(finding))
    return findings.filter(({ object }) => asObject(object).namespace === 'shop')
  }

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    post = createPoster(site.cluster.client)
    await site.cluster.kubectl(['create', 'namespace', 'shop'])
    await site.cluster.kubectl(['label', 'namespace', 'shop', 'istio-injection=enabled'])
    await site.install()
    await site.enforced()
    await site.rolledOut()
  })
  beforeEach(async () => {
    await thaw()
    await readyBecomes(2)
  })
  afterAll(async () => {
    await thaw()
    await site.cluster.stop()
  })

  test('one is out within seconds; what it was sent until then ends at the timeout, and the rest goes on', async () => {
    const lost: number[] = []
    const orTimedOut = (sample: Pick<Sample, 'collection' | 'object'>, right: (answer: Answer) => boolean): Sample => ({
      ...sample,
      wrong: (answer) => {
        if (right(answer)) return undefined
        if (!NAMES_MESHWARD.test(answer.message)) return `${answer.status} ${answer.message}`
        lost.push(answer.took)
        return undefined
      },
    })
    const samples = [
      orTimedOut(refused, ({ status, message }) => status === 403 && message.includes('MTLS-02 ')),
      orTimedOut(accepted, ({ status }) => status === 201),
    ]
    const load = createAdmissionLoad({ client: site.cluster.client, concurrency: 8, samples })
    const [first = ''] = await site.pods()
    let out = 0
    const frozen = load.during(async () => {
      await freeze(first)
      const since = performance.now()
      await readyBecomes(1)
      out = performance.now() - since
    })
    const slowest = await ownDelay(() => frozen)
    // On the way from a process that is frozen: two probes, the pod's status, the slice, and our look at it.
    expect(out).toBeLessThan(10_000 + 5 * slowest)
    const { wrong, answered } = await frozen
    expect(wrong).toEqual([])
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.length).toBeLessThan(answered / 2)
    expect(Math.max(...lost)).toBeLessThan(TIMEOUT + SLACK + slowest)

    lost.length = 0
    expect(await load.during(async () => undefined, 500)).toMatchObject({ wrong: [] })
    expect(lost).toEqual([])
  })

  test('both: what fails closed is refused in the name of Meshward, what fails open passes, nothing waits longer', async () => {
    await freeze(...(await site.pods()))
    const closed: Answer[] = []
    const open: Answer[] = []
    // First each waits for somebody who has the connection; in the end there is nobody to connect to.
    const nobody = ({ message }: Answer): boolean => message.includes('no endpoints available for service "meshward"')
    const refusalAtOnce = () =>
      eventually({ what: 'a refusal without a wait', within: 60_000 }, async () => {
        const answers = await Promise.all([post(refused), post(accepted), post(optedOut)])
        closed.push(...answers.slice(0, 2))
        open.push(...answers.slice(2))
        return answers.some(nobody) ? true : undefined
      })
    const slowest = await ownDelay(refusalAtOnce)
    expect(closed.filter(({ status, message }) => status !== 500 || !NAMES_MESHWARD.test(message))).toEqual([])
    expect(open.filter(({ status }) => status !== 201)).toEqual([])
    expect(closed[0]?.message).toMatch(/context deadline exceeded|Timeout exceeded/)
    expect(Math.max(...closed.concat(open).map(({ took }) => took))).toBeLessThan(TIMEOUT + SLACK + slowest)
  })

  test('what passed while all were frozen is found by check --cluster', async () => {
    await freeze(...(await site.pods()))
    const { code, stderr } = await site.apply(optedOut.object)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    // Its ReplicaSet comes when the calls about it have timed out.
    await expect.poll(checkCluster, { timeout: 30_000, interval: 1000 }).toMatchObject([
      { code: 'INJ-07', object: { kind: 'Deployment', name: 'outside' } },
      { code: 'INJ-07', object: { kind: 'ReplicaSet' } },
    ])
  })

  test('with only the mutating entry broken, validation refuses what lacks a default, until the leader has repaired it', async () => {
    const path = { op: 'replace', path: '/webhooks/0/clientConfig/service/path', value: '/nowhere' }
    const refusal = await eventually({ what: 'a refusal', within: 20_000, every: 100 }, async () => {
      await site.kubectl(
        'patch',
        'mutatingwebhookconfiguration',
        'meshward',
        '--type=json',
        `-p=${JSON.stringify([path])}`,
      )
      const { status, message } = await post(withoutTimeout)
      return status === 201 ? undefined : message
    })
    expect(refusal).toContain('RES-01 spec.http[0].timeout: no timeout is set')
    const repaired = await eventually({ what: 'a filled timeout', within: 20_000, every: 200 }, async () => {
      const { status, body } = await post(withoutTimeout)
      return status === 201 ? body : undefined
    })
    expect(asList(asObject(repaired.spec).http)).toMatchObject([{ timeout: '15s' }])
  })
})
