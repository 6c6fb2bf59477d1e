import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import { KINDS, type KindName } from '../../src/mesh/kinds.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { MIXED, rule } from './mesh-rules.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

const set = policySetOf([
  rule('A-1', 'validations: [{ expression: "size(object.spec.hosts) > 0", message: no hosts }]'),
  rule('B-1', 'validations: [{ findings: "mesh.routing.unreachableRoutes(object, params)" }]'),
  rule('C-1', 'validations: [{ findings: "mesh.routing.unknownDestinations(object, params)" }]'),
  rule('D-1', 'failurePolicy: Ignore\nvalidations: [{ findings: "mesh.routing.rivalHosts(object, params)" }]'),
])

const route = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: { hosts: ['cart'], gateways: ['web'], http: [{ route: [{ destination: { host: 'cart' } }] }] },
}

const judge = (stale: readonly KindName[]) => {
  const knowledge = { stale: new Map(stale.map((kind) => [kind, `${kind} is old`])) }
  const request = requestFor(route)
  const decision = decide({ request, policies: set, mesh: buildSnapshot([]), phase: 'validate', knowledge })
  return decision.findings.map(({ code, outcome, action, message }) => ({ code, outcome, action, message }))
}

const unknown = {
  code: 'C-1',
  outcome: 'fail',
  action: 'Warn',
  message: expect.stringContaining('is no host that shop can see'),
}
const cannot = (code: string, action: string, kind: KindName) => ({
  code,
  outcome: 'error',
  action,
  message: `the rule could not be evaluated: ${kind} is old`,
})

describe('rules over a mesh of which some kinds are too old', () => {
  test.each([
    ['judge as ever while none is', [], [unknown]],
    [
      'answer by their failure policy where they read it: Fail denies',
      [KINDS.service],
      [cannot('C-1', 'Deny', KINDS.service)],
    ],
    ['and Ignore warns at most', [KINDS.virtualService], [unknown, cannot('D-1', 'Warn', KINDS.virtualService)]],
    ['judge as ever where they do not read it', [KINDS.pod, KINDS.secret, KINDS.sidecar], [unknown]],
    [
      'judge as ever where they read nothing but the object, however old all is',
      Object.values(KINDS),
      [cannot('C-1', 'Deny', KINDS.configMap), cannot('D-1', 'Warn', KINDS.configMap)],
    ],
  ])('%s', (_, stale, findings) => {
    expect(judge(stale)).toEqual(findings)
  })

  test('leave the validations beside them to judge: one policy may look at the object and at the mesh', () => {
    const { findings } = decide({
      request: requestFor(route),
      policies: policySetOf([MIXED]),
      mesh: buildSnapshot([]),
      phase: 'validate',
      knowledge: { stale: new Map([[KINDS.service, 'no contact']]) },
    })
    expect(findings.map(({ outcome, message }) => `${outcome}: ${message}`)).toEqual([
      'fail: one host',
      'error: the rule could not be evaluated: no contact',
    ])
  })

  test('are no old debt: an update that cannot be judged is not let pass', () => {
    const { findings } = decide({
      request: { ...requestFor(route), operation: 'UPDATE', oldObject: { ...route, spec: { hosts: ['cart'] } } },
      policies: set,
      mesh: buildSnapshot([]),
      phase: 'validate',
      knowledge: { stale: new Map([[KINDS.service, 'no contact']]) },
    })
    expect(findings.map(({ code, action }) => `${code} ${action}`)).toEqual(['C-1 Deny'])
  })

  test('tell people to try again, and not to change their objects', () => {
    const knowledge = { stale: new Map([[KINDS.service, 'no contact']]) }
    const { findings } = decide({
      request: requestFor(route),
      policies: set,
      mesh: buildSnapshot([]),
      phase: 'validate',
      knowledge,
    })
    expect(findings[0]).toMatchObject({
      message: 'the rule could not be evaluated: no contact',
      remediation: 'try again; if it lasts, show this to whoever runs Meshward',
    })
  })
})
