import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { bindingFrom, policyFrom, policyText } from '../policy/policy-from.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

const needsTimeout = `
remediation: write one
validations:
  - forEach: $.spec.http[*]
    when: has(target.route)
    expression: has(target.timeout)
    field: timeout
    message: no timeout
    fix: [{ op: add, path: timeout, value: 15s }]
`
const timeouts = policyFrom(policyText(needsTimeout, { code: 'RES-01', name: 'timeouts' }))

describe('what the old object had already', () => {
  const policies = policySetOf([timeouts])
  const strict = policySetOf([timeouts], [bindingFrom('policies: [timeouts]\nunchangedFindings: Deny')])
  const canary = (weight: number, more: JsonObject = {}): JsonObject => ({
    route: [
      { destination: { host: 'reviews-primary' }, weight: 100 - weight },
      { destination: { host: 'reviews-canary' }, weight },
    ],
    ...more,
  })
  const other: JsonObject = { match: [{ uri: { prefix: '/new' } }], route: [{ destination: { host: 'new' } }] }

  test.each<[string, readonly Json[], readonly Json[], readonly (readonly [string, string, true | undefined])[]]>([
    [
      'is a warning when a controller moves weights',
      [canary(50)],
      [canary(10)],
      [['spec.http[0].timeout', 'Warn', true]],
    ],
    [
      'also when it starts to',
      [canary(10)],
      [{ route: [{ destination: { host: 'reviews-primary' } }] }],
      [['spec.http[0].timeout', 'Warn', true]],
    ],
    [
      'and when it rolls back',
      [{ route: [{ destination: { host: 'reviews-v1' } }] }],
      [{ route: [{ destination: { host: 'reviews-v2' } }] }],
      [['spec.http[0].timeout', 'Warn', true]],
    ],
    [
      'also beside a route that is mended',
      [canary(50), { ...other, timeout: '1s' }],
      [canary(10), other],
      [['spec.http[0].timeout', 'Warn', true]],
    ],
    [
      'wherever the route is now',
      [{ ...other, timeout: '1s' }, canary(50)],
      [canary(10)],
      [['spec.http[1].timeout', 'Warn', true]],
    ],
    [
      'in routes with names by their names',
      [
        { name: 'b', route: [1] },
        { name: 'a', route: [2] },
      ],
      [
        { name: 'a', route: [] },
        { name: 'b', route: [] },
      ],
      [
        ['spec.http[0].timeout', 'Warn', true],
        ['spec.http[1].timeout', 'Warn', true],
      ],
    ],
    [
      'but a new route with the same fault denies',
      [canary(50), other],
      [canary(50)],
      [
        ['spec.http[0].timeout', 'Warn', true],
        ['spec.http[1].timeout', 'Deny', undefined],
      ],
    ],
    [
      'wherever it is put',
      [other, canary(10)],
      [canary(50)],
      [
        ['spec.http[0].timeout', 'Deny', undefined],
        ['spec.http[1].timeout', 'Warn', true],
      ],
    ],
    [
      'even one that is equal to an old one',
      [canary(10), canary(10)],
      [canary(10)],
      [
        ['spec.http[0].timeout', 'Warn', true],
        ['spec.http[1].timeout', 'Deny', undefined],
      ],
    ],
    [
      'and so does a new name',
      [{ name: 'b', route: [] }],
      [{ name: 'a', route: [] }],
      [['spec.http[0].timeout', 'Deny', undefined]],
    ],
    [
      'and a fault in a route that had none',
      [canary(50)],
      [canary(50, { timeout: '1s' })],
      [['spec.http[0].timeout', 'Deny', undefined]],
    ],
    [
      'and one that begins to forward',
      [canary(50)],
      [{ redirect: { uri: '/' } }],
      [['spec.http[0].timeout', 'Deny', undefined]],
    ],
  ])('%s', (_, http, old, findings) => {
    const decision = judge(routes(http), policies, routes(old))
    expect(decision.findings.map(({ field, action, unchanged }) => [field, action, unchanged])).toEqual(findings)
    expect(decision.allowed).toBe(findings.every(([, action]) => action === 'Warn'))
  })

  test('denies all the same where the binding says so', () => {
    const decision = judge(routes([canary(50)]), strict, routes([canary(10)]))
    expect(decision).toMatchObject({ allowed: false, findings: [{ action: 'Deny', unchanged: true }] })
  })

  test('is not even looked for when nothing has changed', () => {
    const object = routes([canary(10)])
    expect(judge({ ...object, status: { a: 1 } }, strict, object)).toMatchObject({ judged: false, findings: [] })
  })

  test('is judged while the object is being deleted, if its spec changes', () => {
    const going = {
      ...routes([canary(10), other]),
      metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] },
    }
    expect(judge(going, policies, routes([canary(10)]))).toMatchObject({ allowed: false })
  })

  test('is of another rule when only another rule found it', () => {
    const attempts = policyFrom(
      policyText(
        'validations: [{ forEach: "$.spec.http[*]", expression: "has(target.n)", field: timeout, message: x }]',
        { code: 'A-1', name: 'attempts' },
      ),
    )
    const decision = judge(
      routes([{ ...canary(50) }]),
      policySetOf([timeouts, attempts]),
      routes([canary(10, { n: 1 })]),
    )
    expect(decision.findings.map(({ code, action }) => [code, action])).toEqual([
      ['A-1', 'Deny'],
      ['RES-01', 'Warn'],
    ])
  })

  test('an old error is a warning, a new one denies', () => {
    const numbers = withSpec('validations: [{ forEach: "$.spec.http[*]", expression: "target.n > 1", message: small }]')
    const decision = judge(
      routes([
        { name: 'a', n: 'y' },
        { name: 'b', n: 'x' },
      ]),
      policySetOf([numbers]),
      routes([{ name: 'a', n: 'x' }]),
    )
    expect(decision.findings.map(({ outcome, action }) => [outcome, action])).toEqual([
      ['error', 'Warn'],
      ['error', 'Deny'],
    ])
  })

  test('an old error of a match condition is a warning, a new one denies', () => {
    const conditional = withSpec('matchConditions: [{ name: a, expression: "object.spec.n > 1" }]')
    const numbered = (n: Json, label: string): JsonObject => ({
      ...routes([]),
      metadata: { name: 'a', labels: { label } },
      spec: { n },
    })
    const actions = [5, 'x'].map((n) =>
      judge(numbered('x', 'new'), policySetOf([conditional]), numbered(n, 'old')).findings.map(({ action }) => action),
    )
    expect(actions).toEqual([['Deny'], ['Warn']])
  })

  test('does not count where a match condition left the old object out', () => {
    const conditional = withSpec(
      `matchConditions: [{ name: on, expression: "has(object.metadata.labels)" }]\n${needsTimeout}`,
    )
    const labelled = { ...routes([canary(10)]), metadata: { name: 'a', labels: { on: 'true' } } }
    expect(judge(labelled, policySetOf([conditional]), routes([canary(10)]))).toMatchObject({ allowed: false })
  })
})

function routes(http: Json): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' }, spec: { http } }
}

function withSpec(spec: string): Policy {
  return policyFrom(policyText(spec))
}

function judge(object: JsonObject, policies: PolicySet, old: JsonObject): Decision {
  return decide({ request: requestFor(object, old), policies, mesh: buildSnapshot([]), phase: 'validate' })
}
