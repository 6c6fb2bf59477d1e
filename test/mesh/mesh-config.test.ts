import { describe, expect, test } from 'vitest'

import { meshConfigOf } from '../../src/mesh/mesh-config.ts'
import { buildSnapshot, emptySnapshot } from '../../src/mesh/snapshot.ts'
import { meshConfig, meshFrom, objectsFrom } from './mesh-from.ts'

test('without a ConfigMap everything is as Istio has it', () => {
  const { settings, extensionProviders, ...rest } = meshConfigOf(emptySnapshot())
  expect(settings).toEqual({})
  expect([...extensionProviders.keys()]).toEqual(['prometheus', 'stackdriver', 'envoy'])
  expect(rest).toEqual({
    rootNamespace: 'istio-system',
    trustDomain: 'cluster.local',
    trustDomainAliases: [],
    enableAutoMtls: true,
    outboundTrafficPolicy: 'ALLOW_ANY',
    defaultServiceExportTo: ['*'],
    defaultVirtualServiceExportTo: ['*'],
    defaultDestinationRuleExportTo: ['*'],
    connectTimeout: 10_000_000_000n,
    defaultHttpRetryPolicy: undefined,
    defaultTrafficPolicy: {},
    discoverySelectors: [],
    pathNormalization: 'BASE',
    problems: [],
  })
})

describe('what is set', () => {
  test.each([
    ['rootNamespace: mesh-root', 'rootNamespace', 'mesh-root'],
    ['root_namespace: mesh-root', 'rootNamespace', 'mesh-root'],
    ['enableAutoMtls: false', 'enableAutoMtls', false],
    ['outboundTrafficPolicy: { mode: REGISTRY_ONLY }', 'outboundTrafficPolicy', 'REGISTRY_ONLY'],
    ['outboundTrafficPolicy: {}', 'outboundTrafficPolicy', 'REGISTRY_ONLY'],
    ['trustDomainAliases: [old.example]', 'trustDomainAliases', ['old.example']],
    ['connectTimeout: 2s', 'connectTimeout', 2_000_000_000n],
    ['pathNormalization: { normalization: MERGE_SLASHES }', 'pathNormalization', 'MERGE_SLASHES'],
    ['defaultHttpRetryPolicy: { attempts: 0 }', 'defaultHttpRetryPolicy', { attempts: 0 }],
  ] as const)('%s', (yaml, field, expected) => {
    const config = meshConfigOf(meshFrom(meshConfig(yaml)))
    expect(config[field]).toEqual(expected)
    expect(config.problems).toEqual([])
  })

  test('a provider of one of Istio\u2019s names replaces it', () => {
    const config = meshConfigOf(meshFrom(meshConfig('extensionProviders: [{ name: envoy, lightstep: {} }]')))
    expect(config.extensionProviders.get('envoy')).toEqual({ name: 'envoy', lightstep: {} })
  })

  test('a revision has its own where there is no other', () => {
    const [map] = objectsFrom(meshConfig('trustDomain: canary.example'))
    if (map === undefined) throw new Error('no ConfigMap')
    const revision = { ...map, metadata: { ...map.metadata, name: 'istio-canary' } }
    const other = { ...map, metadata: { ...map.metadata, name: 'istio-ca-root-cert' }, data: {} }
    expect(meshConfigOf(buildSnapshot([other, revision])).trustDomain).toBe('canary.example')
  })
})

describe('what is damaged is reported, and the default stands in', () => {
  test.each([
    ['rootNamespace: 5', 'rootNamespace', 'rootNamespace is 5, which istiod does not accept'],
    ['rootNamespce: x', 'rootNamespce', 'MeshConfig has no field "rootNamespce"'],
    ['connectTimeout: 15', 'connectTimeout', 'connectTimeout is 15, which istiod does not accept'],
    ['outboundTrafficPolicy: { mode: NEVER }', 'outboundTrafficPolicy', undefined],
    ['- a list', '', 'the text is not a map of settings'],
    ['a: [', '', undefined],
    ['constructor: {}', 'constructor', 'MeshConfig has no field "constructor"'],
  ])('%s', (yaml, field, message) => {
    const config = meshConfigOf(meshFrom(meshConfig(yaml)))
    expect(config.problems).toEqual([{ field, message: message ?? expect.any(String) }])
    expect(config).toMatchObject({ rootNamespace: 'istio-system', outboundTrafficPolicy: 'ALLOW_ANY' })
  })

  test.each([[{ data: null }], [{ data: [] }], [{ data: { mesh: 5 } }], [{}]])('a ConfigMap with %j', (content) => {
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      ...content,
    }
    expect(meshConfigOf(buildSnapshot([map])).rootNamespace).toBe('istio-system')
  })
})
