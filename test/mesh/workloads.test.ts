import { describe, expect, test } from 'vitest'

import { backendsOf } from '../../src/mesh/gateway-api-backends.ts'
import { endpointsOf } from '../../src/mesh/endpoints.ts'
import { foretellInjection } from '../../src/mesh/injection.ts'
import { servicesWithHost } from '../../src/mesh/registry.ts'
import { selectedWorkloads } from '../../src/mesh/selection.ts'
import { hasSidecar, workloadsIn } from '../../src/mesh/workloads.ts'
import { meshFrom, object, objectsFrom, pod, service } from './mesh-from.ts'

const namespace = (labels: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: { name: foo, labels: { ${labels} } }
`
const template = (kind: string, group: string, spec: string, name = 'web'): string => `
---
apiVersion: ${group}
kind: ${kind}
metadata: { name: ${name}, namespace: foo }
spec: ${spec}
`
const POD_TEMPLATE =
  'template: { metadata: { labels: { app: web } }, spec: { serviceAccountName: web, containers: [{ name: app, ports: [{ name: web, containerPort: 8080 }] }] } }'

describe('injection by a default installation', () => {
  test.each<[string, string, string, boolean, string]>([
    ['istio-injection: enabled', '', '', true, 'injector-policy'],
    ['istio-injection: enabled', 'sidecar.istio.io/inject: "true"', '', true, 'pod-label'],
    ['istio-injection: enabled', 'sidecar.istio.io/inject: "false"', '', false, 'pod-label'],
    ['', '', '', false, 'no-injector-selects'],
    ['', 'sidecar.istio.io/inject: "true"', '', true, 'pod-label'],
    ['istio-injection: disabled', 'sidecar.istio.io/inject: "true"', '', false, 'namespace-disabled'],
    ['istio-injection: "true"', '', '', false, 'namespace-disabled'],
    ['istio.io/rev: canary', '', '', true, 'injector-policy'],
    ['', 'istio.io/rev: canary', '', true, 'injector-policy'],
    ['istio-injection: enabled', '', 'hostNetwork: true', false, 'host-network'],
  ])('namespace { %s }, pod { %s }, spec { %s }', (labels, podLabels, spec, injected, reason) => {
    const [made] = objectsFrom(`{ labels: { ${podLabels} }, spec: { ${spec} }, apiVersion: v1, kind: Pod }`)
    const shape = { namespace: 'foo', labels: {}, annotations: {}, ...made, spec: { hostNetwork: spec !== '' } }
    const found = foretellInjection(meshFrom(namespace(labels)), shape)
    expect({ injected: found.injected, reason: found.reason }).toEqual({ injected, reason })
  })

  test('an old label beats a revision', () => {
    const mesh = meshFrom(namespace('istio-injection: enabled, istio.io/rev: canary'))
    const shape = { namespace: 'foo', labels: {}, annotations: {}, spec: {} }
    expect(foretellInjection(mesh, shape).revision).toBe('default')
  })

  test('an annotation can refuse, but not ask', () => {
    const shape = (value: string, labels: string) =>
      foretellInjection(meshFrom(namespace(labels)), {
        namespace: 'foo',
        labels: {},
        annotations: { 'sidecar.istio.io/inject': value },
        spec: {},
      }).injected
    expect(shape('false', 'istio-injection: enabled')).toBe(false)
    expect(shape('true', '')).toBe(false)
  })
})

describe('injection by the injectors of the mesh', () => {
  const webhook = `
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: istio-sidecar-injector-canary, labels: { istio.io/rev: canary } }
webhooks:
  - name: rev.namespace.sidecar-injector.istio.io
    namespaceSelector: { matchLabels: { istio.io/rev: canary } }
    objectSelector: { matchExpressions: [{ key: sidecar.istio.io/inject, operator: NotIn, values: ["false"] }] }
`
  const shape = { namespace: 'foo', labels: {}, annotations: {}, spec: {} }

  test('a revision that exists injects, another does not', () => {
    expect(foretellInjection(meshFrom(webhook + namespace('istio.io/rev: canary')), shape)).toEqual({
      injected: true,
      revision: 'canary',
      reason: 'injector-policy',
    })
    expect(foretellInjection(meshFrom(webhook + namespace('istio.io/rev: old')), shape).injected).toBe(false)
    expect(foretellInjection(meshFrom(webhook + namespace('istio-injection: enabled')), shape).injected).toBe(false)
  })

  test.each([
    ['policy: disabled', false, 'injector-policy'],
    ['policy: enabled\n    neverInjectSelector: [{ matchLabels: { app: web } }]', false, 'never-inject-selector'],
    ['policy: disabled\n    alwaysInjectSelector: [{ matchLabels: { app: web } }]', true, 'always-inject-selector'],
    ['policy: [broken', true, 'injector-policy'],
  ])('its settings: %s', (config, injected, reason) => {
    const map = `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio-sidecar-injector-canary, namespace: istio-system }
data:
  config: |
    ${config}
`
    const mesh = meshFrom(webhook + namespace('istio.io/rev: canary') + map)
    expect(foretellInjection(mesh, { ...shape, labels: { app: 'web' } })).toEqual({
      injected,
      revision: 'canary',
      reason,
    })
  })
})

describe('what runs in a namespace', () => {
  test.each([
    ['Deployment', 'apps/v1', `{ ${POD_TEMPLATE} }`],
    ['StatefulSet', 'apps/v1', `{ ${POD_TEMPLATE} }`],
    ['DaemonSet', 'apps/v1', `{ ${POD_TEMPLATE} }`],
    ['ReplicaSet', 'apps/v1', `{ ${POD_TEMPLATE} }`],
    ['Job', 'batch/v1', `{ ${POD_TEMPLATE} }`],
    ['CronJob', 'batch/v1', `{ jobTemplate: { spec: { ${POD_TEMPLATE} } } }`],
    ['Rollout', 'argoproj.io/v1alpha1', `{ ${POD_TEMPLATE} }`],
  ])('the template of a %s stands for its pods', (kind, group, spec) => {
    const mesh = meshFrom(namespace('istio-injection: enabled') + template(kind, group, spec) + service('foo', 'web'))
    const [workload, ...rest] = workloadsIn(mesh, 'foo')
    expect(rest).toEqual([])
    expect(workload).toMatchObject({ name: 'web', form: 'pod-template', labels: { app: 'web' }, serviceAccount: 'web' })
    expect(workload && hasSidecar(mesh, workload)).toBe(true)
    const [web] = servicesWithHost(mesh, 'web.foo.svc.cluster.local')
    const port = web?.ports[0]
    expect(web && port && endpointsOf(mesh, web, port).map(({ name, port: to }) => [name, to])).toEqual([
      ['foo/web', 8080],
    ])
  })

  test('a WorkloadGroup stands for its machines', () => {
    const group = object(
      'WorkloadGroup',
      'foo',
      'vm',
      '{ metadata: { labels: { app: vm } }, template: { serviceAccount: vm, ports: { http: 8080 } } }',
    )
    const machine = object(
      'WorkloadEntry',
      'foo',
      'vm-1',
      '{ address: 10.7.7.7, labels: { app: vm }, serviceAccount: vm, ports: { http: 8081 } }',
    )
    const registered = machine.replace('name: vm-1', 'name: vm-1, annotations: { istio.io/autoRegistrationGroup: vm }')
    expect(workloadsIn(meshFrom(group), 'foo').map(({ name, form }) => [name, form])).toEqual([
      ['vm', 'machine-template'],
    ])
    expect(workloadsIn(meshFrom(group + registered), 'foo').map(({ name, form }) => [name, form])).toEqual([
      ['vm-1', 'machine'],
    ])
    const mesh = meshFrom(machine + service('foo', 'vm'))
    const [vm] = servicesWithHost(mesh, 'vm.foo.svc.cluster.local')
    const port = vm?.ports[0]
    expect(vm && port && endpointsOf(mesh, vm, port).map(({ name, hasSidecar: mesh }) => [name, mesh])).toEqual([
      ['10.7.7.7:8081', true],
    ])
  })

  test('a template whose pods are there is not there twice', () => {
    const owned = pod('foo', 'web-5f-x', 'app: web, pod-template-hash: 5f').replace(
      'name: web-5f-x,',
      'name: web-5f-x, ownerReferences: [{ kind: ReplicaSet, name: web-5f, controller: true }],',
    )
    const names = (yaml: string): readonly string[] => workloadsIn(meshFrom(yaml), 'foo').map(({ name }) => name)
    const deployment = template('Deployment', 'apps/v1', `{ ${POD_TEMPLATE} }`)
    expect(names(owned + deployment)).toEqual(['web-5f-x'])
    expect(names(owned + deployment.replace('name: web,', 'name: other,'))).toEqual(['web-5f-x', 'other'])
  })

  test('a pod that has ended is gone', () => {
    expect(workloadsIn(meshFrom(pod('foo', 'a', 'app: a').replace('Running', 'Succeeded')), 'foo')).toEqual([])
  })

  test('a pod that was admitted without a sidecar has none, whatever its namespace says', () => {
    const bare = pod('foo', 'a', 'app: a').replace('security.istio.io/tlsMode: istio, ', '')
    const admitted = meshFrom(namespace('istio-injection: enabled') + bare)
    const planned = meshFrom(namespace('istio-injection: enabled') + bare.replace(/status:.*/, ''))
    const injected = (mesh: ReturnType<typeof meshFrom>): readonly boolean[] =>
      workloadsIn(mesh, 'foo').map((each) => hasSidecar(mesh, each))
    expect(injected(admitted)).toEqual([false])
    expect(injected(planned)).toEqual([true])
  })
})

describe('which workloads an object selects', () => {
  const world = pod('foo', 'web', 'app: web') + pod('bar', 'web', 'app: web') + pod('foo', 'db', 'app: db')
  test.each([
    ['AuthorizationPolicy', 'foo', '{ selector: { matchLabels: { app: web } } }', ['foo/web']],
    ['AuthorizationPolicy', 'foo', '{}', ['foo/db', 'foo/web']],
    ['AuthorizationPolicy', 'istio-system', '{ selector: { matchLabels: { app: web } } }', ['bar/web', 'foo/web']],
    ['AuthorizationPolicy', 'istio-system', '{}', ['bar/web', 'foo/db', 'foo/web']],
    ['PeerAuthentication', 'istio-system', '{ selector: { matchLabels: { app: web } } }', []],
    ['PeerAuthentication', 'foo', '{ selector: { matchLabels: { app: none } } }', []],
    ['Sidecar', 'foo', '{ workloadSelector: { labels: { app: db } } }', ['foo/db']],
    ['Sidecar', 'foo', '{ workloadSelector: { matchLabels: { app: db } } }', ['foo/db', 'foo/web']],
    ['DestinationRule', 'foo', '{ workloadSelector: { matchLabels: { app: db } } }', ['foo/db']],
    ['VirtualService', 'foo', '{}', []],
  ])('%s in %s with %s', (kind, where, spec, expected) => {
    const mesh = meshFrom(world)
    const [made] = objectsFrom(object(kind, where, 'x', spec))
    expect(made && selectedWorkloads(mesh, made).map((each) => `${each.namespace}/${each.name}`)).toEqual(expected)
  })
})

describe('backends of Gateway API routes', () => {
  const route = (refs: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: foo }
spec: { rules: [{ backendRefs: [${refs}], filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: shadow, port: 81 } } }] }] }
`
  const grant = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: { name: g, namespace: bar }
spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: foo }], to: [{ group: "", kind: Service }] }
`
  test.each<[string, string, string | undefined, boolean]>([
    ['{ name: web, port: 80 }', '', 'web.foo.svc.cluster.local', true],
    ['{ name: web, namespace: bar, port: 80 }', '', 'web.bar.svc.cluster.local', false],
    ['{ name: web, namespace: bar, port: 80 }', grant, 'web.bar.svc.cluster.local', true],
    ['{ name: api.example, kind: Hostname, group: networking.istio.io, port: 80 }', '', 'api.example', true],
    ['{ name: x, kind: Bucket, group: example.com, port: 80 }', '', undefined, true],
  ])('%s', (ref, grants, host, isGranted) => {
    const mesh = meshFrom(grants === '' ? '{ apiVersion: v1, kind: Namespace, metadata: { name: foo } }' : grants)
    const [made] = objectsFrom(route(ref))
    expect(made && backendsOf(mesh, made)[0]).toMatchObject({
      field: 'spec.rules[0].backendRefs[0]',
      host,
      port: 80,
      isGranted,
    })
    expect(made && backendsOf(mesh, made)[1]).toMatchObject({
      field: 'spec.rules[0].filters[0].requestMirror.backendRef',
      host: 'shadow.foo.svc.cluster.local',
    })
  })
})
