import { expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { MIXED, rule } from './mesh-rules.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

const set = policySetOf([
  rule('A-1', 'validations: [{ expression: "size(object.spec.hosts) > 1", message: one host }]'),
  rule('B-1', 'validations: [{ findings: "mesh.routing.unknownDestinations(object, params)" }]'),
  rule('C-1', 'failurePolicy: Ignore\nvalidations: [{ findings: "mesh.routing.rivalHosts(object, params)" }]'),
])

const route = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: { hosts: ['cart'], http: [{ route: [{ destination: { host: 'cart' } }] }] },
}

const LATE = 'the rule could not be evaluated: there was no time left to look at the mesh'

/** Decides with time for so many looks at the mesh. */
function decided(looks: number) {
  let asked = 0
  const isLate = (): boolean => asked++ >= looks
  const { findings, allowed } = decide({
    request: requestFor(route),
    policies: set,
    mesh: buildSnapshot([]),
    phase: 'validate',
    isLate,
  })
  return { allowed, findings: findings.map(({ code, action, message }) => [code, action, message]) }
}

test('without time left, rules over the mesh answer by their failure policy, and rules about the object judge', () => {
  expect(decided(0)).toEqual({
    allowed: false,
    findings: [
      ['A-1', 'Deny', 'one host'],
      ['B-1', 'Deny', LATE],
      ['C-1', 'Warn', LATE],
    ],
  })
})

test('what was looked at in time stands', () => {
  const { findings } = decided(1)
  expect(findings.map(([code, action]) => [code, action])).toEqual([
    ['A-1', 'Deny'],
    ['B-1', 'Warn'],
    ['C-1', 'Warn'],
  ])
  expect(findings[1]?.[2]).toContain('is no host that shop can see')
})

test('with time for all, nobody hears of time', () => {
  expect(JSON.stringify(decided(2))).not.toContain('no time left')
})

test('a validation about the object alone judges beside one for which there is no time', () => {
  const { findings } = decide({
    request: requestFor(route),
    policies: policySetOf([MIXED]),
    mesh: buildSnapshot([]),
    phase: 'validate',
    isLate: () => true,
  })
  expect(findings.map(({ action, message }) => [action, message])).toEqual([
    ['Deny', 'one host'],
    ['Deny', LATE],
  ])
})
