import { beforeAll, expect, test } from 'vitest'

import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'
import { openRenderer, type Renderer } from './helm/render.ts'

/** Kinds of others, whose CRDs need not be in a cluster. */
const OF_OTHERS: ReadonlySet<unknown> = new Set(['ServiceMonitor', 'PrometheusRule', 'Certificate'])

describeCluster('what the chart renders, to an API server', (cluster) => {
  let namespace: string
  let istio: string
  let renderer: Renderer

  beforeAll(async () => {
    namespace = await cluster.createNamespace()
    istio = await cluster.createNamespace()
    const restricted = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`)
    await kubectlOutput(cluster.kubectl, ['label', 'namespace', namespace, ...restricted])
    renderer = await openRenderer('4', namespace)
  })

  /** What it says of objects that it only looks at, as strictly as it can. */
  const lookAt = (objects: readonly JsonObject[]) =>
    cluster.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    })

  test.each<[what: string, values: JsonObject]>([
    ['as it is', {}],
    [
      'with everything that can be switched on',
      {
        autoscaling: { enabled: true },
        metrics: { port: 9090, dashboard: { enabled: true } },
        certificates: { mode: 'existing', existingSecret: 'mine' },
        networkPolicy: { egress: [{}] },
        policies: { own: { 'a.yaml': 'kind: MeshPolicy' }, disabled: ['RES-*'], settings: [{ policies: ['MTLS-*'] }] },
        debug: true,
        tracing: { enabled: true, endpoint: 'http://otel:4318' },
        labels: { team: 'mesh' },
        annotations: { note: 'x' },
        extraEnv: [{ name: 'A', value: 'b' }],
        extraVolumes: [{ name: 'tmp', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        lifecycle: { preStop: { sleep: { seconds: 1 } } },
        affinity: { podAntiAffinity: {} },
        tolerations: [{ operator: 'Exists' }],
        nodeSelector: { a: 'b' },
        image: { pullSecrets: [{ name: 'x' }] },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
    ],
    [
      'with nothing that can be switched off',
      { rbac: { create: false }, serviceAccount: { create: false }, podDisruptionBudget: { enabled: false } },
    ],
    ['with pods that go before others come', { updateStrategy: { type: 'Recreate' } }],
  ])('is right, and restricted Pod Security holds: %s', async (_, values) => {
    const rendered = [...(await renderer.render({ ...values, 'istio.namespace': istio })).values()]
    const { code, stderr } = await lookAt(rendered.filter(({ kind }) => !OF_OTHERS.has(kind)))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('would be told wrong, were it wrong', async () => {
    const rendered = await renderer.render({ hostNetwork: true, 'istio.namespace': istio })
    const deployment = asObject(rendered.get('Deployment/meshward'))
    expect((await lookAt([deployment])).stderr).toMatch(
      /would violate PodSecurity "restricted:latest": host namespaces/,
    )
    expect(await lookAt([{ ...deployment, spec: { ...asObject(deployment.spec), replica: 3 } }])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/unknown field "replica"/),
    })
  })
})
