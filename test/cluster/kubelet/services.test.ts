import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { makeCertificate } from '../../../src/webhook/self-made-certificate.ts'
import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { kubectlOutput } from '../harness/kubectl.ts'
import { programsNaming } from '../harness/programs-naming.ts'
import { registerWebhook } from '../harness/register-webhook.ts'
import { webhookEntry } from '../harness/webhook-entry.ts'
import { image, mainStatus, openWorkbench, type Workbench } from './workbench.ts'

/** A webhook of a few lines: refuses ConfigMaps that say so, and names the pod and the release that answered. */
const program = `
const { readFileSync } = require('node:fs')
const { createServer } = require('node:https')
const options = { key: readFileSync('/tls/tls.key'), cert: readFileSync('/tls/tls.crt') }
const server = createServer(options, async (request, response) => {
  const text = (await request.toArray()).join('')
  if (request.url === '/ready') return response.end('ok')
  const { request: { uid, object } } = JSON.parse(text)
  const allowed = object.data?.verdict !== 'refuse'
  const status = { message: process.env.RELEASE + ' ' + process.env.HOSTNAME }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed, status } }))
}).listen(8443)
// Still answers for a while after SIGTERM, as long as somebody may not have heard of it.
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 2000))
`

const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }

describeNodes('a webhook that runs in the cluster', () => {
  let bench: Workbench
  let certificate: { readonly cert: string; readonly key: string; readonly ca: string }

  const deployment = (release: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'webhook' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'webhook' } },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: { app: 'webhook' } },
        spec: {
          volumes: [{ name: 'tls', secret: { secretName: 'webhook-tls' } }],
          containers: [
            {
              name: 'main',
              image,
              args: ['-e', program],
              env: [{ name: 'RELEASE', value: release }],
              ports: [{ name: 'https', containerPort: 8443 }],
              readinessProbe: { httpGet: { scheme: 'HTTPS', path: '/ready', port: 'https' }, periodSeconds: 1 },
              volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
            },
          ],
        },
      },
    },
  })

  const kubectl = (...args: readonly string[]) => kubectlOutput(bench.cluster.kubectl, ['-n', bench.namespace, ...args])
  const rolledOut = () => kubectl('rollout', 'status', 'deployment/webhook', '--timeout=60s')

  /** What kubectl says when it creates a ConfigMap that is to be refused. */
  const refusal = async (name: string): Promise<string> => {
    const create = ['create', 'configmap', name, '--from-literal=verdict=refuse', '-n', bench.namespace]
    const { code, stderr } = await bench.cluster.kubectl(create)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('denied the request: ') })
    return stderr.trim().replace(/^.*denied the request: /, '')
  }

  beforeAll(async () => {
    bench = await openWorkbench()
    const { source, ca } = await makeCertificate({ names: [`webhook.${bench.namespace}.svc`], problem: () => {} })
    const { cert, key } = source.current()
    certificate = { cert: cert.toString(), key: key.toString(), ca }
    await bench.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/tls',
        metadata: { name: 'webhook-tls' },
        stringData: { 'tls.crt': certificate.cert, 'tls.key': certificate.key },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'webhook' },
        spec: { selector: { app: 'webhook' }, ports: [{ port: 443, targetPort: 'https' }] },
      },
      deployment('first'),
    )
    await rolledOut()
    const service = { name: 'webhook', namespace: bench.namespace, path: '/' }
    const clientConfig = { service, caBundle: Buffer.from(ca).toString('base64') }
    const entry = webhookEntry({ name: 'in.meshward.io', clientConfig, rules: [rule], failurePolicy: 'Fail' })
    const scoped = { ...entry, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': bench.namespace } } }
    await registerWebhook(bench.cluster, { name: 'in', validating: [scoped], mutating: [] })
  })
  afterAll(() => bench.cluster.stop())

  test('is called through its Service and denies what kubectl creates, and lets the rest pass', async () => {
    expect(await refusal('refused')).toMatch(/^first webhook-/)
    expect(await kubectl('create', 'configmap', 'fine', '--from-literal=verdict=pass')).toBe('configmap/fine created\n')
  })

  test('has its replicas on different nodes, each with its own address and the same port', async () => {
    const fields = '{range .items[*]}{.spec.nodeName} {.status.podIP}{"\\n"}{end}'
    const pods = await kubectl('get', 'pods', '-l', 'app=webhook', '-o', `jsonpath=${fields}`)
    const [nodes, addresses] = [0, 1].map((column) =>
      pods
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[column]),
    )
    expect(nodes?.toSorted()).toEqual(['node-1', 'node-2'])
    expect(new Set(addresses).size).toBe(2)
  })

  test('answers a pod that asks by the name of its Service', async () => {
    const ask = `require('node:https').get({ host: 'webhook.${bench.namespace}.svc', path: '/ready', rejectUnauthorized: false },
      async (response) => console.log((await response.toArray()).join('')))`
    await bench.runPod('asking', '', {
      container: { command: ['/nodejs/bin/node', '-e', ask] },
      spec: { restartPolicy: 'Never' },
    })
    await bench.waitFor('asking', 'over', ({ status }) => status?.phase === 'Succeeded')
    expect(await bench.logs('asking')).toBe('ok\n')
  })

  test('goes on answering while its Deployment rolls, and in the end it is the new one', async () => {
    await bench.apply(deployment('second'))
    const rolled = new AbortController()
    const done = rolledOut().finally(() => rolled.abort())
    const answers: string[] = []
    while (!rolled.signal.aborted) answers.push((await refusal('rolling')).split(' ')[0] ?? '')
    await done
    // The API server keeps a connection to the pod it has one to: nobody asks a new pod until an old one closes it.
    expect(answers).toContain('first')
    expect(answers.filter((release) => release !== 'first' && release !== 'second')).toEqual([])
    await eventually({ what: 'two pods', within: 20_000 }, async () => {
      const names = await kubectl('get', 'pods', '-l', 'app=webhook', '-o', 'name')
      return names.trim().split('\n').length === 2 ? true : undefined
    })
    expect(await refusal('rolled')).toMatch(/^second /)
  })

  test('goes on after the API server was killed and came back, with the pods that it had', async () => {
    const names = [
      'get',
      'pods',
      '-l',
      'app=webhook',
      '-o',
      'jsonpath={.items[*].metadata.uid} {.items[*].status.containerStatuses[*].restartCount}',
    ]
    const before = await kubectl(...names)
    await bench.cluster.restartApiServer()
    expect(await refusal('restarted')).toMatch(/^second /)
    expect(await kubectl(...names)).toBe(before)
  })

  test('is called at its other replica once one that hangs is not ready any more', async () => {
    const pods = await kubectl('get', 'pods', '-l', 'app=webhook', '-o', 'jsonpath={.items[*].metadata.name}')
    const [frozen = '', other = ''] = pods.split(' ')
    const pid = Number(mainStatus(await bench.pod(frozen))?.containerID?.replace('process://', ''))
    process.kill(pid, 'SIGSTOP')
    await kubectl('wait', `pod/${frozen}`, '--for=condition=Ready=false', '--timeout=20s')
    await eventually({ what: 'answers of the other', within: 10_000 }, async () => {
      const answered = await Promise.allSettled(['a', 'b', 'c', 'd'].map(refusal))
      return answered.every((answer) => answer.status === 'fulfilled' && answer.value === `second ${other}`)
        ? true
        : undefined
    })
    process.kill(pid, 'SIGCONT')
    await kubectl('wait', `pod/${frozen}`, '--for=condition=Ready', '--timeout=20s')
  })

  test('is refused for when it is scaled to zero, and is back when it is scaled up', async () => {
    await kubectl('scale', 'deployment/webhook', '--replicas=0')
    await kubectl('wait', 'pod', '-l', 'app=webhook', '--for=delete', '--timeout=30s')
    const { code, stderr } = await bench.cluster.kubectl(['create', 'configmap', 'none', '-n', bench.namespace])
    expect(code).toBe(1)
    expect(stderr).toContain('failed calling webhook "in.meshward.io"')
    await kubectl('scale', 'deployment/webhook', '--replicas=1')
    await rolledOut()
    expect(await refusal('again')).toMatch(/^second /)
  })
})

describeNodes('a cluster with nodes whose owner is killed', () => {
  test('is gone, its pods too', async () => {
    const module = join(import.meta.dirname, 'workbench.ts')
    const script = `
      const { openWorkbench, isReady, mainStatus } = await import(${JSON.stringify(module)})
      const bench = await openWorkbench()
      await bench.runPod('orphan', 'sleep 987654')
      const pod = await bench.waitFor('orphan', 'ready', isReady)
      console.log(bench.cluster.kubeconfig)`
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line]: unknown[] = await once(owner.stdout, 'data')
    const folder = dirname(String(line))
    const before = [programsNaming(folder), programsNaming('sleep 987654')].flat()
    owner.kill('SIGKILL')
    expect(before).toEqual(expect.arrayContaining(['etcd', 'kube-apiserver', 'kube-controller-manager', 'sleep']))
    await eventually({ what: 'an empty machine', within: 15_000 }, () => {
      const left = [programsNaming(folder), programsNaming('sleep 987654')].flat()
      return left.length === 0 && !existsSync(folder) ? true : undefined
    })
  })
})
