import { beforeAll, describe, expect, test } from 'vitest'

import type { Json, JsonObject } from '../../../src/kube/json.ts'
import { fieldOf, openRenderer, type Renderer } from './render.ts'

// What the chart makes of its values, by both Helms. What the server reads of it is in values.test.ts, monitoring in monitoring.test.ts.

const everything: JsonObject = {
  autoscaling: { enabled: true },
  metrics: {
    port: 9090,
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
  certificates: { mode: 'cert-manager', certManager: { issuerRef: { name: 'ca' } } },
  networkPolicy: { egress: [{}] },
  rbac: { secretNamespaces: ['istio-ingress'] },
}

describe.each(['3', '4'])('Helm %s', (major) => {
  let renderer: Renderer
  beforeAll(async () => {
    renderer = await openRenderer(major)
  })

  test.each([
    ['as it is', {}],
    ['with everything that can be switched on', everything],
  ])('finds nothing to say about the chart %s', async (_, values) => {
    const { code, stdout } = await renderer.lint(values)
    expect([code, stdout.match(/\[(?:ERROR|WARNING)\].*/g)]).toEqual([0, null])
  })

  test('renders what an installation needs, and takes away what would stay', async () => {
    expect([...(await renderer.render()).keys()].sort()).toEqual([
      'ClusterRole/meshward',
      'ClusterRoleBinding/meshward',
      'ConfigMap/meshward-config',
      'ConfigMap/meshward-policies',
      'Deployment/meshward',
      'MutatingWebhookConfiguration/meshward',
      'NetworkPolicy/meshward',
      'PodDisruptionBudget/meshward',
      'Role/meshward',
      'Role/meshward-configmaps',
      'RoleBinding/meshward',
      'RoleBinding/meshward-configmaps',
      'Service/meshward',
      'ServiceAccount/meshward',
      'ValidatingWebhookConfiguration/meshward',
      'pre-delete ClusterRole/meshward',
      'pre-delete MutatingWebhookConfiguration/meshward',
      'pre-delete ValidatingWebhookConfiguration/meshward',
      'test Pod/meshward-test',
    ])
  })

  test('renders everything that can be switched on', async () => {
    const plain = await renderer.render()
    const all = await renderer.render(everything)
    expect([...all.keys()].filter((key) => !plain.has(key)).sort()).toEqual([
      'Certificate/meshward',
      'ConfigMap/meshward-dashboard',
      'HorizontalPodAutoscaler/meshward',
      'PrometheusRule/meshward',
      'Role/meshward-secrets',
      'RoleBinding/meshward-secrets',
      'ServiceMonitor/meshward',
    ])
  })

  test('refuses a value that there is not, and one of the wrong type', async () => {
    expect(await renderer.refusal({ replica: 3 })).toMatch(/additional properties 'replica' not allowed/)
    expect(await renderer.refusal({ webhook: { port: 'https' } })).toMatch(/webhook.*port.*: got string, want integer/)
  })
})

describe('a value shows where it belongs', () => {
  let renderer: Renderer
  beforeAll(async () => {
    renderer = await openRenderer('4')
  })

  const container = ['Deployment/meshward', 'spec', 'template', 'spec', 'containers', 0] as const
  const pod = ['Deployment/meshward', 'spec', 'template', 'spec'] as const
  type Place = readonly [object: string, ...path: (string | number)[]]

  test.each<[what: string, values: JsonObject, place: Place, expected: Json | undefined]>([
    ['replicas', { replicas: 3 }, ['Deployment/meshward', 'spec', 'replicas'], 3],
    [
      'no replicas beside an autoscaler',
      { autoscaling: { enabled: true } },
      ['Deployment/meshward', 'spec', 'replicas'],
      undefined,
    ],
    ['a tag', { image: { tag: 'v9' } }, [...container, 'image'], 'ghcr.io/meshward/meshward:v9'],
    [
      'a digest, which goes before the tag',
      { image: { registry: '', tag: 'v9', digest: `sha256:${'a'.repeat(64)}` } },
      [...container, 'image'],
      `meshward/meshward@sha256:${'a'.repeat(64)}`,
    ],
    ['pull secrets', { image: { pullSecrets: [{ name: 'a' }] } }, [...pod, 'imagePullSecrets'], [{ name: 'a' }]],
    [
      'Recreate alone',
      { updateStrategy: { type: 'Recreate' } },
      ['Deployment/meshward', 'spec', 'strategy'],
      { type: 'Recreate' },
    ],
    ['node labels', { nodeSelector: { a: 'b' } }, [...pod, 'nodeSelector'], { a: 'b' }],
    ['tolerations', { tolerations: [{ operator: 'Exists' }] }, [...pod, 'tolerations'], [{ operator: 'Exists' }]],
    ['affinity', { affinity: { nodeAffinity: {} } }, [...pod, 'affinity'], { nodeAffinity: {} }],
    [
      'the DNS policy that fits the network of the node',
      { hostNetwork: true },
      [...pod, 'dnsPolicy'],
      'ClusterFirstWithHostNet',
    ],
    ['another DNS policy', { hostNetwork: true, dnsPolicy: 'Default' }, [...pod, 'dnsPolicy'], 'Default'],
    [
      'labels of pods',
      { podLabels: { a: 'b' } },
      ['Deployment/meshward', 'spec', 'template', 'metadata', 'labels', 'a'],
      'b',
    ],
    ['labels of all', { labels: { a: 'b' } }, ['NetworkPolicy/meshward', 'metadata', 'labels', 'a'], 'b'],
    [
      'annotations of all, and of one object before them',
      { annotations: { a: 'all', b: 'all' }, service: { annotations: { a: 'one' } } },
      ['Service/meshward', 'metadata', 'annotations'],
      { a: 'one', b: 'all' },
    ],
    [
      "an account of one's own",
      { serviceAccount: { create: false, name: 'mine' } },
      [...pod, 'serviceAccountName'],
      'mine',
    ],
    [
      'the rights of that account',
      { serviceAccount: { create: false, name: 'mine' } },
      ['ClusterRoleBinding/meshward', 'subjects', 0, 'name'],
      'mine',
    ],
    ['a name', { nameOverride: 'guard' }, ['Service/guard', 'metadata', 'name'], 'guard'],
    [
      'more volumes',
      { extraVolumes: [{ name: 'x', emptyDir: {} }] },
      [...pod, 'volumes', 2],
      { name: 'x', emptyDir: {} },
    ],
    [
      'lifecycle hooks',
      { lifecycle: { preStop: { sleep: { seconds: 5 } } } },
      [...container, 'lifecycle'],
      { preStop: { sleep: { seconds: 5 } } },
    ],
    [
      'one probe',
      { probes: { readiness: { periodSeconds: 9 } } },
      [...container, 'readinessProbe', 'periodSeconds'],
      9,
    ],
    [
      "a Secret of one's own",
      { certificates: { mode: 'existing', existingSecret: 'mine' } },
      [...pod, 'volumes', 2, 'secret'],
      { secretName: 'mine' },
    ],
    [
      'rules of egress',
      { networkPolicy: { egress: [{}] } },
      ['NetworkPolicy/meshward', 'spec', 'policyTypes'],
      ['Ingress', 'Egress'],
    ],
    [
      "a spread of one's own, of these pods",
      { topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      [...pod, 'topologySpreadConstraints'],
      [
        {
          maxSkew: 2,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: {
            matchLabels: { 'app.kubernetes.io/name': 'meshward', 'app.kubernetes.io/instance': 'meshward' },
          },
        },
      ],
    ],
    [
      'an owner of what Meshward makes, without rights',
      { rbac: { create: false } },
      ['ClusterRole/meshward', 'rules'],
      [],
    ],
  ])('%s', async (_, values, [object, ...path], expected) => {
    expect(fieldOf(await renderer.render(values), object, ...path)).toEqual(expected)
  })

  test.each<[what: string, values: JsonObject, gone: readonly string[]]>([
    ['a budget', { podDisruptionBudget: { enabled: false } }, ['PodDisruptionBudget/meshward']],
    ['a NetworkPolicy', { networkPolicy: { enabled: false } }, ['NetworkPolicy/meshward']],
    ['an account', { serviceAccount: { create: false, name: 'mine' } }, ['ServiceAccount/meshward']],
    [
      'roles and bindings, but for the owner of what Meshward makes',
      { rbac: { create: false } },
      [
        'ClusterRoleBinding/meshward',
        'Role/meshward',
        'RoleBinding/meshward',
        'Role/meshward-configmaps',
        'RoleBinding/meshward-configmaps',
      ],
    ],
  ])('without %s', async (_, values, gone) => {
    const plain = await renderer.render()
    const less = await renderer.render(values)
    expect([...plain.keys()].filter((key) => !less.has(key)).sort()).toEqual([...gone].sort())
  })
})
