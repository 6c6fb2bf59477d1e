import { describe, expect, test } from 'vitest'

import { destinationRuleFor, ruleName, subsetExists } from '../../src/mesh/destination-rule.ts'
import { effectivePolicy } from '../../src/mesh/traffic-policy.ts'
import { limitsOf, outlierDetectionOf, retryBudgetOf, balancerOf } from '../../src/mesh/resilience.ts'
import { meshConfig, meshFrom, object } from './mesh-from.ts'

const reviews = { host: 'reviews.s.svc.cluster.local', namespace: 's' }
const client = { namespace: 'c', labels: { app: 'web' } }
const rule = (namespace: string, name: string, spec: string, minute = 0): string =>
  object('DestinationRule', namespace, name, spec, minute)

describe('which rule a client uses', () => {
  test.each([
    [
      'a wildcard of its own namespace, before the exact one of the host',
      rule('c', 'own', '{ host: "*.local" }') + rule('s', 'far', '{ host: reviews }'),
      'c/own',
    ],
    ['that of the host\u2019s namespace', rule('s', 'far', '{ host: reviews }'), 's/far'],
    ['that of the root namespace at last', rule('istio-system', 'root', '{ host: "*.local" }'), 'istio-system/root'],
    ['none of a fourth namespace', rule('x', 'other', '{ host: reviews.s.svc.cluster.local }'), undefined],
    ['none that is not exported to it', rule('s', 'far', '{ host: reviews, exportTo: ["."] }'), undefined],
    [
      'the most specific host of a namespace',
      rule('s', 'wide', '{ host: "*.s.svc.cluster.local" }') + rule('s', 'far', '{ host: reviews }'),
      's/far',
    ],
    [
      'nothing, where the exact rule that is not exported hides the wildcard that is',
      rule('s', 'wide', '{ host: "*.s.svc.cluster.local" }') + rule('s', 'far', '{ host: reviews, exportTo: [x] }'),
      undefined,
    ],
    [
      'none by the mesh\u2019s default',
      meshConfig('defaultDestinationRuleExportTo: ["."]') + rule('s', 'far', '{ host: reviews }'),
      undefined,
    ],
    [
      'one that selects it',
      rule('c', 'all', '{ host: reviews.s.svc.cluster.local }') +
        rule('c', 'web', '{ host: reviews.s.svc.cluster.local, workloadSelector: { matchLabels: { app: web } } }', 1),
      'c/web',
    ],
    [
      'not one that selects others',
      rule('c', 'web', '{ host: reviews.s.svc.cluster.local, workloadSelector: { matchLabels: { app: job } } }'),
      undefined,
    ],
  ])('%s', (_name, yaml, expected) => {
    const found = destinationRuleFor(meshFrom(yaml), client, reviews)
    expect(found === undefined ? undefined : ruleName(found)).toBe(expected)
  })

  test('a client of the root namespace does not take its public rules for its own', () => {
    const mesh = meshFrom(rule('istio-system', 'all', '{ host: "*.local" }') + rule('s', 'far', '{ host: reviews }'))
    const found = destinationRuleFor(mesh, { namespace: 'istio-system', labels: {} }, reviews)
    expect(found === undefined ? undefined : ruleName(found)).toBe('s/far')
  })
})

describe('how rules of one host and namespace are merged', () => {
  test('subsets by name, the first policy as a whole', () => {
    const mesh = meshFrom(
      rule('s', 'a', '{ host: reviews, subsets: [{ name: v1, labels: { version: a } }] }', 1) +
        rule(
          's',
          'b',
          '{ host: reviews, trafficPolicy: { tls: { mode: SIMPLE } }, subsets: [{ name: v1, labels: { version: b } }, { name: v2 }] }',
          2,
        ),
    )
    const found = destinationRuleFor(mesh, client, reviews)
    expect(found?.from.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
    expect(found?.subsets.map(({ name, labels }) => ({ name, labels }))).toEqual([
      { name: 'v1', labels: { version: 'a' } },
      { name: 'v2', labels: {} },
    ])
    expect(found?.trafficPolicy?.object.metadata.name).toBe('b')
  })

  test('absent and "*" are different, so the newer rule stands alone and wins', () => {
    const mesh = meshFrom(
      rule('s', 'a', '{ host: reviews, subsets: [{ name: v1 }] }', 1) +
        rule('s', 'b', '{ host: reviews, exportTo: ["*"], subsets: [{ name: v2 }] }', 2),
    )
    expect(destinationRuleFor(mesh, client, reviews)?.subsets.map(({ name }) => name)).toEqual(['v2'])
    expect(subsetExists(mesh, client, reviews, 'v1')).toBe(false)
    expect(subsetExists(mesh, client, reviews, 'v2')).toBe(true)
  })

  test('a wider rule goes into the narrower one and leaves the rest without any', () => {
    const mesh = meshFrom(
      rule('s', 'a', '{ host: reviews, exportTo: [a] }', 1) + rule('s', 'b', '{ host: reviews, exportTo: [a, c] }', 2),
    )
    expect(destinationRuleFor(mesh, client, reviews)).toBeUndefined()
    expect(destinationRuleFor(mesh, { namespace: 'a', labels: {} }, reviews)?.from).toHaveLength(2)
  })
})

describe('the policy for a port and a subset', () => {
  const policyOf = (spec: string, port: number, subset?: string): ReturnType<typeof effectivePolicy> => {
    const mesh = meshFrom(rule('s', 'r', spec))
    return effectivePolicy(mesh, destinationRuleFor(mesh, client, reviews), port, subset)
  }
  const whole =
    'outlierDetection: { interval: 1s }, connectionPool: { tcp: { maxConnections: 9 } }, retryBudget: { percent: 5 }'

  test('a port inherits nothing, and its parts know where they are written', () => {
    const spec = `{ host: reviews, trafficPolicy: { ${whole}, portLevelSettings: [{ port: { number: 80 }, tls: { mode: SIMPLE } }] } }`
    const policy = policyOf(spec, 80)
    expect(Object.keys(policy)).toEqual(['tls'])
    expect(policy.tls?.field).toBe('spec.trafficPolicy.portLevelSettings[0].tls')
    expect(Object.keys(policyOf(spec, 81))).toEqual(['connectionPool', 'outlierDetection', 'retryBudget'])
  })

  test('a subset replaces block by block', () => {
    const spec = `{ host: reviews, trafficPolicy: { ${whole} }, subsets: [{ name: v1, trafficPolicy: { connectionPool: { http: { maxRetries: 2 } } } }] }`
    const policy = policyOf(spec, 80, 'v1')
    expect(limitsOf(policy)).toEqual({ maxRetries: 2 })
    expect(policy.connectionPool?.field).toBe('spec.subsets[0].trafficPolicy.connectionPool')
    expect(outlierDetectionOf(policy)?.interval).toBe(1_000_000_000n)
  })

  test('a port of a subset takes away what it leaves out, but not the budget', () => {
    const spec = `{ host: reviews, trafficPolicy: { ${whole} }, subsets: [{ name: v1, trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: SIMPLE } }] } }] }`
    expect(Object.keys(policyOf(spec, 80, 'v1')).sort()).toEqual(['retryBudget', 'tls'])
  })

  test('MeshConfig fills what no rule sets', () => {
    const mesh = meshFrom(meshConfig('defaultTrafficPolicy: { connectionPool: { tcp: { maxConnections: 3 } } }'))
    const policy = effectivePolicy(mesh, undefined, 80)
    expect(limitsOf(policy)).toEqual({ maxConnections: 3 })
    expect(policy.connectionPool).toMatchObject({ object: undefined, field: 'defaultTrafficPolicy.connectionPool' })
  })
})

describe('what a policy comes to', () => {
  const block = (name: string, value: object): ReturnType<typeof effectivePolicy> => ({
    [name]: { value, object: undefined, field: '' },
  })

  test.each([
    [{}, { consecutive5xxErrors: 5, consecutiveGatewayErrors: null }],
    [{ consecutiveErrors: 3 }, { consecutive5xxErrors: 5, consecutiveGatewayErrors: null }],
    [{ consecutive5xxErrors: 0 }, { consecutive5xxErrors: null, consecutiveGatewayErrors: null }],
    [{ consecutiveGatewayErrors: 2 }, { consecutive5xxErrors: 5, consecutiveGatewayErrors: 2 }],
    [{ maxEjectionPercent: 0 }, { maxEjectionPercent: 10 }],
    [{ splitExternalLocalOriginErrors: true }, { consecutiveLocalOriginFailures: 5 }],
  ])('outlier detection %j', (settings, expected) => {
    expect(outlierDetectionOf(block('outlierDetection', settings))).toMatchObject(expected)
  })

  test('nothing is no outlier detection and no budget', () => {
    expect(outlierDetectionOf({})).toBeUndefined()
    expect(retryBudgetOf({})).toBeUndefined()
  })

  test('a budget has defaults', () => {
    expect(retryBudgetOf(block('retryBudget', {}))).toEqual({ percent: 20, minRetryConcurrency: 3 })
  })

  test.each([
    [{}, 'LEAST_REQUEST'],
    [{ simple: 'LEAST_CONN' }, 'LEAST_REQUEST'],
    [{ simple: 'RANDOM' }, 'RANDOM'],
    [{ consistentHash: { useSourceIp: true } }, 'RING_HASH'],
    [{ consistentHash: { maglev: {} } }, 'MAGLEV'],
    [{ simple: 'PASSTHROUGH' }, 'PASSTHROUGH'],
  ])('balancer %j', (settings, expected) => {
    expect(balancerOf(block('loadBalancer', settings))).toBe(expected)
  })

  test('a limit of zero is none', () => {
    expect(limitsOf(block('connectionPool', { tcp: { maxConnections: 0 }, http: { maxRetries: 1 } }))).toEqual({
      maxRetries: 1,
    })
  })
})
