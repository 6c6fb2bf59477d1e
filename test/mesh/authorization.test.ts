import { describe, expect, test } from 'vitest'

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts'
import { accessTo } from '../../src/mesh/access.ts'
import { enforcedRuleName } from '../../src/mesh/authorization.ts'
import { asksForIdentity, shapeRisks } from '../../src/mesh/authorization-shape.ts'
import { defaultDenyOf, isClosedByDefault } from '../../src/mesh/default-deny.ts'
import { matchesPathTemplate } from '../../src/mesh/path-template.ts'
import { parseRequest, type Request } from '../../src/mesh/request.ts'
import { principalsMeant, trustDomainsMeant } from '../../src/mesh/trust-domain.ts'
import { meshConfig, meshFrom, object, objectsFrom, pod, service, workloadIn } from './mesh-from.ts'

const WORLD = pod('foo', 'web', 'app: web') + service('foo', 'web')
const policy = (namespace: string, name: string, spec: string): string =>
  object('AuthorizationPolicy', namespace, name, spec)

function request(fields: JsonObject): Request {
  const found = parseRequest({ id: 'r', ip: '10.9.9.9', method: 'GET', path: '/', host: 'web', ...fields })
  if (found === undefined) throw new Error('no request')
  return found
}

function verdict(policies: string, fields: JsonObject, port = 8080): string {
  const mesh = meshFrom(WORLD + policies)
  const access = accessTo(mesh, workloadIn(mesh, 'foo', 'web')).find((each) => each.port.number === port)
  if (access === undefined) throw new Error(`no port ${port}`)
  const { verdict: word, rule } = access.judge(request(fields))
  return rule === undefined ? word : `${word} by ${enforcedRuleName(rule)}`
}

const A = 'cluster.local/ns/a/sa/x'
const B = 'cluster.local/ns/b/sa/x'
const GET_FROM_A = policy(
  'foo',
  'allow',
  '{ rules: [{ from: [{ source: { namespaces: [a] } }], to: [{ operation: { methods: [GET] } }] }] }',
)

describe('who may call', () => {
  test.each<[string, string, JsonObject, string]>([
    ['nothing says anything', '', {}, 'allow'],
    ['an ALLOW without rules lets nobody in', policy('foo', 'none', '{}'), { principal: A }, 'deny'],
    ['ALLOW rules are pooled', policy('foo', 'none', '{}') + GET_FROM_A, { principal: A }, 'allow by foo/allow#0'],
    ['another method', GET_FROM_A, { principal: A, method: 'POST' }, 'deny'],
    ['another namespace', GET_FROM_A, { principal: B }, 'deny'],
    ['no identity', GET_FROM_A, {}, 'deny'],
    [
      'a namespace opens what the mesh closes',
      policy('istio-system', 'none', '{}') + policy('foo', 'all', '{ rules: [{}] }'),
      {},
      'allow by foo/all#0',
    ],
    [
      'nothing opens a DENY',
      policy('istio-system', 'never', '{ action: DENY, rules: [{}] }') + policy('foo', 'all', '{ rules: [{}] }'),
      {},
      'deny by istio-system/never#0',
    ],
    [
      'a DENY of an identity does not see plaintext',
      policy('foo', 'never', '{ action: DENY, rules: [{ from: [{ source: { namespaces: [evil] } }] }] }'),
      {},
      'allow',
    ],
    [
      'an ALLOW of "not this one" lets plaintext in',
      policy('foo', 'some', '{ rules: [{ from: [{ source: { notNamespaces: [evil] } }] }] }'),
      {},
      'allow by foo/some#0',
    ],
    ['a policy for others', policy('foo', 'none', '{ selector: { matchLabels: { app: db } } }'), {}, 'allow'],
    [
      'a policy of the root namespace that selects it',
      policy('istio-system', 'none', '{ selector: { matchLabels: { app: web } } }'),
      {},
      'deny',
    ],
    [
      'a policy for a gateway',
      policy('foo', 'none', '{ targetRefs: [{ kind: Gateway, group: gateway.networking.k8s.io, name: web }] }'),
      {},
      'allow',
    ],
    [
      'an unknown attribute takes the rule away',
      policy('foo', 'x', '{ rules: [{ when: [{ key: no.such, values: [x] }] }] }'),
      {},
      'deny',
    ],
    [
      'a mesh that wants mTLS refuses plaintext',
      object('PeerAuthentication', 'foo', 'p', '{ mtls: { mode: STRICT } }'),
      {},
      'refused',
    ],
    [
      'a port without mTLS does not speak it',
      object('PeerAuthentication', 'foo', 'p', '{ mtls: { mode: DISABLE } }'),
      { principal: A },
      'no-mtls',
    ],
    ['AUDIT decides nothing', policy('foo', 'a', '{ action: AUDIT, rules: [{}] }'), {}, 'allow'],
  ])('%s', (_name, policies, fields, expected) => {
    expect(verdict(policies, fields)).toBe(expected)
  })

  test('a dry run closes nothing', () => {
    const yaml = policy('foo', 'none', '{}').replace(
      'name: none',
      'name: none, annotations: { istio.io/dry-run: "true" }',
    )
    expect(verdict(yaml, {})).toBe('allow')
  })
})

describe('on a TCP port', () => {
  test('an ALLOW rule that asks for HTTP falls away', () => {
    expect(verdict(policy('foo', 'x', '{ rules: [{ to: [{ operation: { paths: [/x] } }] }] }'), {}, 5432)).toBe('deny')
  })

  test('a DENY rule loses what asks for HTTP, and denies more', () => {
    const denyPost = policy('foo', 'x', '{ action: DENY, rules: [{ to: [{ operation: { methods: [POST] } }] }] }')
    expect(verdict(denyPost, {}, 5432)).toBe('deny by foo/x#0')
    expect(verdict(denyPost, {}, 8080)).toBe('allow')
  })

  test('and keeps what does not', () => {
    const denyPort = policy(
      'foo',
      'x',
      '{ action: DENY, rules: [{ to: [{ operation: { methods: [POST], ports: ["80"] } }] }] }',
    )
    expect(verdict(denyPort, {}, 5432)).toBe('allow')
  })
})

describe('what a rule matches', () => {
  const source = (fields: string): string => `{ rules: [{ from: [{ source: { ${fields} } }] }] }`
  const operation = (fields: string): string => `{ rules: [{ to: [{ operation: { ${fields} } }] }] }`
  const when = (key: string, values: string): string => `{ rules: [{ when: [{ key: "${key}", ${values} }] }] }`
  const alice = {
    issuer: 'https://idp.example',
    sub: 'alice',
    claims: { groups: ['dev', 'ops'], role: { name: 'admin' }, scope: 'read write' },
  }

  test.each<[string, JsonObject, boolean]>([
    [source(`principals: ["${A}"]`), { principal: A }, true],
    [source('principals: ["*"]'), { principal: A }, true],
    [source('principals: ["*"]'), {}, false],
    [source('principals: ["*/sa/x"]'), { principal: A }, true],
    [source('principals: ["cluster.local/ns/a/*"]'), { principal: A }, true],
    [source('principals: ["spiffe://cluster.local/ns/a/sa/x"]'), { principal: A }, false],
    [source('namespaces: ["a"]'), { principal: A }, true],
    [source('namespaces: ["*a*"]'), { principal: A }, true],
    [source('serviceAccounts: ["a/x"]'), { principal: A }, true],
    [source('serviceAccounts: ["x"]'), { principal: A }, false],
    [source('serviceAccounts: ["x"]'), { principal: 'cluster.local/ns/foo/sa/x' }, true],
    [source('trustDomains: ["cluster.*"]'), { principal: A }, true],
    [source('trustDomains: ["other"]'), { principal: A }, false],
    [source('ipBlocks: ["10.9.0.0/16"]'), {}, true],
    [source('ipBlocks: ["10.9.9.9"]'), {}, true],
    [source('ipBlocks: ["10.8.0.0/16"]'), {}, false],
    [source('ipBlocks: ["not-an-address"]'), {}, false],
    [source('notIpBlocks: ["10.8.0.0/16"]'), {}, true],
    [operation('paths: ["/api/*"]'), { path: '/api/x?y=1' }, true],
    [operation('paths: ["/api"]'), { path: '/api/' }, false],
    [operation('paths: ["*.css"]'), { path: '/a.css' }, true],
    [operation('paths: ["/api/*/x"]'), { path: '/api/1/x' }, false],
    [operation('paths: ["/api/{*}/x"]'), { path: '/api/1/x' }, true],
    [operation('notPaths: ["/admin"]'), { path: '/admin' }, false],
    [operation('hosts: ["WEB.example"]'), { host: 'web.Example' }, true],
    [operation('hosts: ["web"]'), { host: 'web:8080' }, false],
    [operation('methods: ["*"]'), { method: 'PUT' }, true],
    [operation('ports: ["8080"]'), {}, true],
    [operation('ports: ["80"]'), {}, false],
    [operation('ports: ["http"]'), {}, false],
    [when('request.headers[X-User]', 'values: [alice]'), { headers: { 'x-user': 'alice' } }, true],
    [when('request.headers[x-user]', 'values: ["*"]'), { headers: { 'x-user': '' } }, true],
    [when('request.headers[x-user]', 'notValues: ["*"]'), {}, true],
    [when('destination.port', 'values: ["8080"]'), {}, true],
    [when('source.ip', 'values: ["10.9.9.9"]'), {}, true],
    [source('requestPrincipals: ["*"]'), { jwt: alice }, true],
    [source('requestPrincipals: ["*"]'), {}, false],
    [source('requestPrincipals: ["https://idp.example/alice"]'), { jwt: alice }, true],
    [source('requestPrincipals: ["https://idp.example/*"]'), { jwt: alice }, true],
    [source('requestPrincipals: ["*/alice"]'), { jwt: alice }, true],
    [source('requestPrincipals: ["https://other.example/*"]'), { jwt: alice }, false],
    [when('request.auth.claims[groups]', 'values: [ops]'), { jwt: alice }, true],
    [when('request.auth.claims[role][name]', 'values: ["adm*"]'), { jwt: alice }, true],
    [when('request.auth.claims[scope]', 'values: [write]'), { jwt: alice }, true],
    [when('request.auth.claims[missing]', 'values: ["*"]'), { jwt: alice }, false],
  ])('%s with %j: %s', (spec, fields, matches) => {
    const tokens = object('RequestAuthentication', 'foo', 'jwt', '{ jwtRules: [{ issuer: "https://idp.example" }] }')
    expect(verdict(tokens + policy('foo', 'x', spec), fields)).toBe(matches ? 'allow by foo/x#0' : 'deny')
  })

  test('a token of an issuer that is not known is refused', () => {
    const tokens = object('RequestAuthentication', 'foo', 'jwt', '{ jwtRules: [{ issuer: "https://idp.example" }] }')
    expect(verdict(tokens, { jwt: { issuer: 'https://rogue.example', sub: 'x' } })).toBe('bad-token')
  })

  test('where nobody looks at tokens they say nothing', () => {
    const yaml = policy('foo', 'x', source('requestPrincipals: ["*"]'))
    expect(verdict(yaml, { jwt: { issuer: 'https://idp.example', sub: 'x' } })).toBe('deny')
  })
})

describe('trust domains', () => {
  const domains = ['mesh.example', 'old.example']
  test.each([
    ['cluster.local/ns/a/sa/x', ['mesh.example/ns/a/sa/x', 'old.example/ns/a/sa/x']],
    ['old.example/ns/a/sa/x', ['mesh.example/ns/a/sa/x', 'old.example/ns/a/sa/x']],
    ['foreign.example/ns/a/sa/x', ['foreign.example/ns/a/sa/x']],
    ['*/ns/a/sa/x', ['*/ns/a/sa/x']],
    ['*.example/ns/a/sa/x', ['*.example/ns/a/sa/x', '*.example/ns/a/sa/x']],
    ['sa/x', ['sa/x']],
  ])('%s means %j', (principal, expected) => {
    expect(principalsMeant(principal, domains)).toEqual(expected)
  })

  test('a trust domain of the mesh means all of its', () => {
    expect(trustDomainsMeant('old.example', domains)).toEqual(domains)
    expect(trustDomainsMeant('foreign.example', domains)).toEqual(['foreign.example'])
  })

  test('an alias opens the door that the domain opens', () => {
    const yaml =
      meshConfig('trustDomain: mesh.example\ntrustDomainAliases: [old.example]') +
      policy('foo', 'x', `{ rules: [{ from: [{ source: { principals: ["${A}"] } }] }] }`)
    expect(verdict(yaml, { principal: 'old.example/ns/a/sa/x' })).toBe('allow by foo/x#0')
    expect(verdict(yaml, { principal: A })).toBe('deny')
  })
})

describe('path templates', () => {
  test.each([
    ['/a/{*}', '/a/b', true],
    ['/a/{*}', '/a/', false],
    ['/a/{*}', '/a/b/c', false],
    ['/a/{**}', '/a/b/c', true],
    ['/a/{**}', '/a/', true],
    ['/a/{**}', '/a', false],
    ['/a/{*}/{**}/z', '/a/b/c/d/z', true],
    ['/a/{**}/z', '/a/b/y', false],
    ['/a/x{**}', '/a/xyz/1', true],
  ])('%s and %s', (template, path, expected) => {
    expect(matchesPathTemplate(template, path)).toBe(expected)
  })
})

describe('default deny', () => {
  test.each([
    ['nothing', '', undefined],
    [
      'an ALLOW without rules',
      policy('foo', 'none', '{}'),
      { form: 'allow-nothing', policy: 'none', defeatedBy: undefined },
    ],
    [
      'one of the mesh',
      policy('istio-system', 'none', '{ rules: [] }'),
      { form: 'allow-nothing', policy: 'none', defeatedBy: undefined },
    ],
    ['a narrow ALLOW', GET_FROM_A, { form: 'narrow-allow', policy: 'allow', defeatedBy: undefined }],
    [
      'a DENY without conditions',
      policy('foo', 'never', '{ action: DENY, rules: [{}] }'),
      { form: 'deny-all', policy: 'never', defeatedBy: undefined },
    ],
    [
      'one that is opened again',
      policy('istio-system', 'none', '{}') + policy('foo', 'all', '{ rules: [{ from: [], to: [] }] }'),
      { form: 'allow-nothing', policy: 'none', defeatedBy: 'all' },
    ],
    ['one that selects', policy('foo', 'none', '{ selector: { matchLabels: { app: web } } }'), undefined],
    ['one of another namespace', policy('bar', 'none', '{}'), undefined],
    ['one that allows everything', policy('foo', 'all', '{ rules: [{}] }'), undefined],
  ])('%s', (_name, policies, expected) => {
    const found = defaultDenyOf(meshFrom(policies), 'foo')
    const named = found && {
      form: found.form,
      policy: found.policy.metadata.name,
      defeatedBy: found.defeatedBy?.metadata.name,
    }
    expect(named).toEqual(expected)
  })

  test('a workload is closed by a policy that selects it', () => {
    const mesh = meshFrom(policy('foo', 'none', '{ selector: { matchLabels: { app: web } } }'))
    expect(isClosedByDefault(mesh, { namespace: 'foo', labels: { app: 'web' } })).toBe(true)
    expect(isClosedByDefault(mesh, { namespace: 'foo', labels: { app: 'db' } })).toBe(false)
  })
})

describe('risks in the shape of a policy', () => {
  test.each([
    ['{ rules: [{ from: [{ source: { principals: [a] } }] }] }', []],
    [
      '{ rules: [{ from: [{ source: { notPrincipals: [a] } }] }] }',
      ['open-to-anonymous spec.rules[0].from[0].source.notPrincipals'],
    ],
    ['{ rules: [{ from: [{ source: { notPrincipals: [a], namespaces: [b] } }] }] }', []],
    [
      '{ action: DENY, rules: [{ from: [{ source: { namespaces: [a] } }] }] }',
      ['open-to-anonymous spec.rules[0].from[0].source.namespaces'],
    ],
    ['{ action: DENY, rules: [{ from: [{ source: { notNamespaces: [a] } }] }] }', []],
    [
      '{ rules: [{ when: [{ key: source.namespace, notValues: [a] }] }] }',
      ['open-to-anonymous spec.rules[0].when[0].notValues'],
    ],
    ['{ rules: [{ to: [{ operation: { paths: [/x] } }] }] }', ['tcp-drops-rule spec.rules[0].to[0].operation.paths']],
    [
      '{ action: DENY, rules: [{ to: [{ operation: { methods: [GET], ports: ["80"] } }] }] }',
      ['tcp-widens-rule spec.rules[0].to[0].operation.methods'],
    ],
    ['{ action: AUDIT, rules: [{ from: [{ source: { namespaces: [a] } }] }] }', []],
  ])('%s', (spec, expected) => {
    const [found] = objectsFrom(policy('foo', 'x', spec))
    expect(found && shapeRisks(found).map(({ risk, field }) => `${risk} ${field}`)).toEqual(expected)
  })
})

describe('whether a rule asks for an identity', () => {
  test.each([
    ['{ from: [{ source: { principals: [a] } }] }', true],
    ['{ from: [{ source: { notNamespaces: [a] } }] }', true],
    ['{ when: [{ key: source.serviceAccount, values: [a/b] }] }', true],
    ['{ from: [{ source: { ipBlocks: [10.0.0.0/8] } }], to: [{ operation: { methods: [GET] } }] }', false],
    ['{ from: [{ source: { requestPrincipals: ["*"] } }] }', false],
    ['{}', false],
  ])('%s', (rule, expected) => {
    const [found] = objectsFrom(policy('foo', 'x', `{ rules: [${rule}] }`))
    expect(asksForIdentity(asObject(asList(asObject(found?.spec).rules)[0]))).toBe(expected)
  })
})
