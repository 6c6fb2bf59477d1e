import { describe, expect, test } from 'vitest'

import type { KubeObject } from '../../src/kube/object.ts'
import { enrolmentOf } from '../../src/mesh/ambient-enrolment.ts'
import { allWorkloads } from '../../src/mesh/workloads.ts'
import { ambient, meshOf, object, pod } from './gateway-mesh.ts'

const plain = object('Namespace', 'shop')
const AMBIENT = { 'istio.io/dataplane-mode': 'ambient' }
const NONE = { 'istio.io/dataplane-mode': 'none' }
const injected = { labels: { 'security.istio.io/tlsMode': 'istio' }, annotations: { 'sidecar.istio.io/status': '{}' } }
const ofWaypoint = { 'gateway.istio.io/managed': 'istio.io-mesh-controller' }

describe('a pod', () => {
  test.each<[string, readonly KubeObject[], string, string | undefined, string | undefined]>([
    ['is captured for its namespace', [ambient('shop'), pod('shop/cart')], 'ambient', 'namespace', undefined],
    ['is captured for itself', [plain, pod('shop/cart', { labels: AMBIENT })], 'ambient', 'workload', undefined],
    [
      'is captured in a namespace that is not known',
      [pod('shop/cart', { labels: AMBIENT })],
      'ambient',
      'workload',
      undefined,
    ],
    ['stays out by its own label', [ambient('shop'), pod('shop/cart', { labels: NONE })], 'none', undefined, undefined],
    ['stays out where nobody asks', [plain, pod('shop/cart')], 'none', undefined, undefined],
    [
      'stays out on the network of its node',
      [ambient('shop'), pod('shop/cart', {}, { hostNetwork: true })],
      'none',
      'namespace',
      'host-network',
    ],
    [
      'stays out in kube-system',
      [ambient('kube-system'), pod('kube-system/dns')],
      'none',
      'namespace',
      'system-namespace',
    ],
    ['keeps its sidecar', [ambient('shop'), pod('shop/cart', injected)], 'sidecar', 'namespace', 'sidecar'],
    [
      'keeps its sidecar whatever it asks',
      [plain, pod('shop/cart', { ...injected, labels: { ...injected.labels, ...AMBIENT } })],
      'sidecar',
      'workload',
      'sidecar',
    ],
    [
      'has a sidecar where nobody asks for ambient',
      [plain, pod('shop/cart', injected)],
      'sidecar',
      undefined,
      undefined,
    ],
    [
      'is an instance of a waypoint',
      [plain, pod('shop/waypoint', { labels: ofWaypoint, annotations: { 'sidecar.istio.io/status': '{}' } })],
      'waypoint',
      undefined,
      undefined,
    ],
    [
      'is not captured by any other word',
      [object('Namespace', 'shop', {}, { labels: { 'istio.io/dataplane-mode': 'Ambient' } }), pod('shop/cart')],
      'none',
      undefined,
      undefined,
    ],
  ])('%s', (_, objects, mode, askedBy, obstacle) => {
    const mesh = meshOf(objects)
    expect(allWorkloads(mesh).map((workload) => enrolmentOf(mesh, workload))).toEqual([{ mode, askedBy, obstacle }])
  })
})

describe('a pod template', () => {
  const deployment = (labels: Readonly<Record<string, string>>): KubeObject =>
    object('Deployment', 'shop/cart', { spec: { template: { metadata: { labels }, spec: { containers: [] } } } })

  test.each<[string, readonly KubeObject[], string]>([
    ['is captured for its namespace', [ambient('shop'), deployment({})], 'ambient'],
    ['is captured for itself', [plain, deployment(AMBIENT)], 'ambient'],
    ['stays out by its own label', [ambient('shop'), deployment(NONE)], 'none'],
    [
      'gets a sidecar where both are asked for',
      [ambient('shop', { 'istio-injection': 'enabled' }), deployment({})],
      'sidecar',
    ],
  ])('%s', (_, objects, mode) => {
    const mesh = meshOf(objects)
    expect(allWorkloads(mesh).map((workload) => enrolmentOf(mesh, workload).mode)).toEqual([mode])
  })
})

test('a machine is not captured, whatever its labels say', () => {
  const mesh = meshOf(ambient('shop'), {
    ...object('WorkloadEntry', 'shop/vm', { spec: { address: '10.0.0.1', labels: AMBIENT } }),
    apiVersion: 'networking.istio.io/v1',
  })
  expect(allWorkloads(mesh).map((workload) => enrolmentOf(mesh, workload).mode)).toEqual(['none'])
})
