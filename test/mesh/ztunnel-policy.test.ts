import { describe, expect, test } from 'vitest'

import type { Json, JsonObject } from '../../src/kube/json.ts'
import { effectOfRule } from '../../src/mesh/ztunnel-match.ts'
import { convertAuthorizationPolicy, unsupportedAttributes, type ZtunnelPolicy } from '../../src/mesh/ztunnel-policy.ts'
import { authorizationPolicy, meshOf, type Extras } from './gateway-mesh.ts'

function convert(spec: JsonObject, name = 'shop/p', extras: Extras = {}): ZtunnelPolicy | string {
  return convertAuthorizationPolicy(meshOf(), authorizationPolicy(name, spec, extras))
}

/** The matches of all rules, the attributes left out, and what each rule comes to. */
function rulesOf(action: string, ...rules: readonly Json[]) {
  const converted = convert({ action, rules })
  if (typeof converted === 'string') return converted
  const { rules: own, unsupported } = converted
  return [own.map(({ clauses }) => clauses), unsupported.map(({ name }) => name), own.map(effectOfRule)]
}

const to = (operation: JsonObject): JsonObject => ({ to: [{ operation }] })
const from = (source: JsonObject): JsonObject => ({ from: [{ source }] })
const when = (key: string, values: readonly string[]): JsonObject => ({ when: [{ key, values }] })

describe('a rule', () => {
  test.each<[string, string, readonly Json[], unknown]>([
    ['without conditions holds always', 'ALLOW', [{}], [[[]], [], ['always']]],
    [
      'keeps ports and identities',
      'ALLOW',
      [{ ...from({ principals: ['*'] }), ...to({ ports: ['80'] }) }],
      [[[[{ destinationPorts: ['80'] }], [{ principals: ['*'] }]]], [], ['conditional']],
    ],
    [
      'with anything of HTTP is left out of ALLOW',
      'ALLOW',
      [to({ methods: ['GET'], ports: ['80'] }), from({ namespaces: ['a'] })],
      [[[[{ namespaces: ['a'] }]]], ['methods'], ['conditional']],
    ],
    ['of DENY with only HTTP never holds', 'DENY', [to({ paths: ['/admin'] })], [[[[{}]]], ['paths'], ['never']]],
    [
      'of DENY never holds by one clause of HTTP',
      'DENY',
      [{ ...from({ namespaces: ['a'] }), ...to({ methods: ['POST'] }) }],
      [[[[{}], [{ namespaces: ['a'] }]]], ['methods'], ['never']],
    ],
    [
      'of DENY is widened where its clause keeps something',
      'DENY',
      [to({ methods: ['POST'], ports: ['80'] })],
      [[[[{ destinationPorts: ['80'] }]]], ['methods'], ['conditional']],
    ],
    [
      'of DENY keeps the operation that is left',
      'DENY',
      [{ to: [{ operation: { paths: ['/x'] } }, { operation: { ports: ['80'] } }] }],
      [[[[{}, { destinationPorts: ['80'] }]]], ['paths'], ['conditional']],
    ],
    [
      'takes remote addresses for HTTP',
      'DENY',
      [from({ remoteIpBlocks: ['1.2.3.4'] })],
      [[[[{}]]], ['remoteIpBlocks'], ['never']],
    ],
    ['loses trust domains without a word', 'DENY', [from({ trustDomains: ['x'] })], [[[[{}]]], [], ['never']]],
    [
      'knows five keys',
      'DENY',
      [when('source.ip', ['10.0.0.1'])],
      [[[[{ sourceIps: ['10.0.0.1/32'] }]]], [], ['conditional']],
    ],
    [
      'knows no other key',
      'DENY',
      [when('source.serviceAccount', ['a/b'])],
      [[[[{}]]], ['source.serviceAccount'], ['never']],
    ],
    [
      'reads a service account as of its namespace',
      'ALLOW',
      [from({ serviceAccounts: ['x', 'pay/y'] })],
      [[[[{ serviceAccounts: ['shop/x', 'pay/y'] }]]], [], ['conditional']],
    ],
    [
      'drops addresses and ports that can’t be read',
      'ALLOW',
      [{ ...from({ ipBlocks: ['10.0.0.0/8', '10.0.0.0/40', 'x', '::1'] }), ...to({ ports: ['80', 'http', '70000'] }) }],
      [[[[{ destinationPorts: ['80'] }], [{ sourceIps: ['10.0.0.0/8', '::1/128'] }]]], [], ['conditional']],
    ],
    ['takes empty lists for none', 'DENY', [{ from: [], to: [], when: [] }], [[[]], [], ['always']]],
    [
      'keeps what must not be',
      'DENY',
      [from({ notPrincipals: ['*'], notNamespaces: ['a'] })],
      [[[[{ notNamespaces: ['a'], notPrincipals: ['*'] }]]], [], ['conditional']],
    ],
  ])('%s', (_, action, rules, expected) => {
    expect(rulesOf(action, ...rules)).toEqual(expected)
  })

  test('says where the attributes are that ztunnel does not know, and keeps its place in the list', () => {
    const rules = [
      to({ methods: ['GET'] }),
      { ...from({ requestPrincipals: ['*'] }), when: [{ key: 'request.headers[x]' }] },
    ]
    const policy = authorizationPolicy('shop/p', { action: 'DENY', rules: [{}, ...rules] })
    const converted = convertAuthorizationPolicy(meshOf(), policy)
    expect([
      unsupportedAttributes(policy),
      typeof converted === 'string' ? [] : converted.rules.map(({ index }) => index),
    ]).toEqual([
      [
        { name: 'methods', field: 'spec.rules[1].to[0].operation.methods' },
        { name: 'requestPrincipals', field: 'spec.rules[2].from[0].source.requestPrincipals' },
        { name: 'request.headers[x]', field: 'spec.rules[2].when[0]' },
      ],
      [0, 1, 2],
    ])
  })
})

describe('a policy', () => {
  test.each<[string, JsonObject, string, string]>([
    ['without a selector is for its namespace', {}, 'shop/p', 'namespace'],
    ['of the root namespace is for the mesh', {}, 'istio-system/p', 'mesh'],
    ['with a selector is for workloads', { selector: { matchLabels: { app: 'x' } } }, 'istio-system/p', 'workload'],
    ['with an empty selector waits for workloads', { selector: {} }, 'shop/p', 'workload'],
  ])('%s', (_, spec, name, scope) => {
    expect(convert(spec, name)).toMatchObject({ scope, action: 'ALLOW', rules: [] })
  })

  test.each<[string, JsonObject, Extras, string]>([
    ['for targets', { targetRefs: [{ kind: 'Service', name: 'x' }] }, {}, 'targetRefs'],
    ['for an old single target', { targetRef: { kind: 'Service', name: 'x' } }, {}, 'targetRefs'],
    ['that is only logged', {}, { annotations: { 'istio.io/dry-run': 'true' } }, 'dry-run'],
    ['to audit', { action: 'AUDIT' }, {}, 'action AUDIT'],
    ['of a provider', { action: 'CUSTOM' }, {}, 'action CUSTOM'],
    ['of an action that nobody knows', { action: 'BLOCK' }, {}, 'unknown action'],
  ])('%s is not sent', (_, spec, extras, reason) => {
    expect(convert(spec, 'shop/p', extras)).toBe(reason)
  })
})
