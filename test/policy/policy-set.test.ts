import { describe, expect, test } from 'vitest'

import type { Binding, Profile } from '../../src/policy/binding.ts'
import { compareCodes, createPolicySet, withEnforcement, type PolicySet } from '../../src/policy/policy-set.ts'
import type { Operation, Policy } from '../../src/policy/policy.ts'
import { bindingFrom, policyFrom, policyText } from './policy-from.ts'

const timeouts = policyFrom(
  policyText('params: { default: { most: 60, least: 1 } }', { code: 'RES-01', name: 'timeouts' }),
)
const retries = policyFrom(policyText('validationActions: [Warn]', { code: 'RES-10', name: 'retries' }))
const strict = policyFrom(policyText('', { code: 'MTLS-02', name: 'strict', resources: 'peerauthentications' }))

describe('what binds a policy', () => {
  test('is the binding that ships with it, where no other names it', () => {
    expect(boundOf(setOf([timeouts, retries], []))).toEqual([
      ['RES-01', 'timeouts', ['Deny'], { most: 60, least: 1 }],
      ['RES-10', 'retries', ['Warn'], {}],
    ])
  })

  test('else every binding that does, by name, code or pattern, and not the shipped one', () => {
    const bindings = [
      bindingFrom('policies: [timeouts]\nparams: { most: 30 }'),
      bindingFrom('policies: ["RES-*"]\nvalidationActions: [Audit]'),
    ]
    expect(boundOf(setOf([strict, timeouts, retries], bindings))).toEqual([
      ['MTLS-02', 'strict', ['Deny'], {}],
      ['RES-01', 'timeouts', ['Deny'], { most: 30, least: 1 }],
      ['RES-01', 'RES-*', ['Audit'], { most: 60, least: 1 }],
      ['RES-10', 'RES-*', ['Audit'], {}],
    ])
  })

  test('a binding for everything', () => {
    const bound = boundOf(setOf([strict, timeouts], [bindingFrom('policies: ["*"]\nvalidationActions: [Warn]')]))
    expect(bound.map(([code, , actions]) => [code, actions])).toEqual([
      ['MTLS-02', ['Warn']],
      ['RES-01', ['Warn']],
    ])
  })
})

describe('the set', () => {
  const set = setOf([retries, strict, timeouts], [])

  test('is in order of code, whatever the order the policies came in', () => {
    expect(set.policies.map(({ code }) => code)).toEqual(['MTLS-02', 'RES-01', 'RES-10'])
    expect(boundOf(setOf([timeouts, retries, strict], []))).toEqual(boundOf(set))
  })

  test.each<[string, string, Operation, readonly string[]]>([
    ['networking.istio.io', 'virtualservices', 'CREATE', ['RES-01', 'RES-10']],
    ['security.istio.io', 'peerauthentications', 'UPDATE', ['MTLS-02']],
    ['networking.istio.io', 'virtualservices/status', 'UPDATE', []],
    ['', 'pods', 'CREATE', []],
  ])('has for %s/%s on %s the policies that speak of it', (group, resource, operation, codes) => {
    for (const _ of [1, 2])
      expect(set.matching(group, resource, operation).map(({ policy }) => policy.code)).toEqual(codes)
  })

  test('keeps groups, resources and operations apart', () => {
    const rule = `matchConstraints:
  resourceRules:
    - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }
    - { apiGroups: [apps], apiVersions: [v1], resources: ["*"], operations: [UPDATE] }
    - { apiGroups: [batch], apiVersions: [v1], resources: [jobs/status], operations: ["*"] }`
    const text = policyText('').replace(/ {2}matchConstraints:[^]*$/, rule.replaceAll(/^/gm, '  '))
    const mixed = setOf([policyFrom(text)], [])
    const matches = (group: string, resource: string, operation: Operation): boolean =>
      mixed.matching(group, resource, operation).length === 1
    expect([
      matches('', 'pods', 'CREATE'),
      matches('', 'pods', 'UPDATE'),
      matches('apps', 'pods', 'CREATE'),
      matches('apps', 'deployments', 'UPDATE'),
      matches('apps', 'deployments/scale', 'UPDATE'),
      matches('batch', 'jobs/status', 'DELETE'),
      matches('batch', 'jobs', 'DELETE'),
    ]).toEqual([true, false, false, true, false, true, false])
  })

  test('is the same under another enforcement', () => {
    expect(withEnforcement(set, 'enforce')).toBe(set)
    const warning = withEnforcement(set, 'warn')
    expect(warning.enforcement).toBe('warn')
    expect(warning.bound).toBe(set.bound)
    expect(set.enforcement).toBe('enforce')
  })
})

describe('what makes no set, with every reason', () => {
  const typed = policyFrom(
    policyText('params:\n  schema: { properties: { most: { type: integer, maximum: 60 } } }\n  default: { most: 60 }', {
      code: 'RES-02',
      name: 'typed',
    }),
  )

  test.each<[string, readonly Policy[], readonly Binding[], readonly (readonly [string, string])[]]>([
    [
      'two policies of one code',
      [timeouts, policyFrom(policyText('', { code: 'RES-01', name: 'other' }), 'b.yaml')],
      [],
      [['POLICY-DUPLICATE', expect.stringMatching(/^"RES-01" is also in /)]],
    ],
    [
      'two policies of one name',
      [timeouts, policyFrom(policyText('', { code: 'RES-99', name: 'timeouts' }), 'b.yaml')],
      [],
      [['POLICY-DUPLICATE', '"timeouts" is also in policy.yaml; every policy needs a name and a code of its own']],
    ],
    [
      'a binding of a policy that nobody has',
      [timeouts],
      [bindingFrom('policies: [timeout]')],
      [['BINDING-POLICY', 'no policy is called "timeout"; did you mean "timeouts"?']],
    ],
    [
      'a binding of a pattern that nothing matches',
      [timeouts],
      [bindingFrom('policies: [RES-01, "UNKNOWN-*"]')],
      [['BINDING-POLICY', 'no policy is called "UNKNOWN-*"; list the policies by `meshward list`']],
    ],
    [
      'a parameter of the wrong type',
      [typed],
      [bindingFrom('policies: [typed]\nparams: { most: "30" }')],
      [['BINDING-PARAMS', 'parameters of RES-02 (typed): most is a string, but must be an integer']],
    ],
    [
      'a parameter beyond its bounds',
      [typed],
      [bindingFrom('policies: [typed]\nparams: { most: 90 }')],
      [['BINDING-PARAMS', 'parameters of RES-02 (typed): most is 90, above the most, 60']],
    ],
    [
      'a parameter that there is none of',
      [typed],
      [bindingFrom('policies: [typed]\nparams: { mots: 30 }')],
      [['BINDING-PARAMS', 'parameters of RES-02 (typed): unknown field "mots" in params; did you mean "most"?']],
    ],
    [
      'several reasons',
      [typed],
      [bindingFrom('policies: [typed, nope]\nparams: { most: 90 }')],
      [
        ['BINDING-POLICY', expect.any(String)],
        ['BINDING-PARAMS', expect.any(String)],
      ],
    ],
  ])('%s', (_, policies, bindings, issues) => {
    const outcome = createPolicySet({ policies, bindings, enforcement: 'enforce' })
    expect(outcome.ok ? [] : outcome.issues.map(({ code, message }) => [code, message])).toEqual(issues)
  })

  test('a binding is named by its place', () => {
    const outcome = createPolicySet({
      policies: [typed],
      bindings: [bindingFrom('policies: [nope]', 'b.yaml')],
      enforcement: 'enforce',
    })
    expect(outcome.ok ? [] : outcome.issues).toMatchObject([{ file: 'b.yaml', line: 4, column: 13 }])
  })

  test('a policy that does not compile is no reason: it answers by its failure policy', () => {
    const broken = policyFrom(policyText('params: { schema: { properties: { a: {} } }, default: { b: 1 } }'))
    expect(broken.program).toBeUndefined()
    expect(createPolicySet({ policies: [broken], bindings: [], enforcement: 'enforce' }).ok).toBe(true)
  })
})

describe('two policies that would fill one place', () => {
  const fills = (rule: string, options: { code: string; name: string; resources?: string }): Policy =>
    policyFrom(policyText(`defaults:\n  - ${rule}`, options), `${options.name}.yaml`)
  const first = { code: 'A-1', name: 'first' }
  const second = { code: 'A-2', name: 'second' }

  test.each([
    [
      'the same path',
      '{ forEach: "$.spec.http[*]", set: { timeout: "1" } }',
      '{ forEach: "$.spec.http[*]", set: { timeout: "2" } }',
    ],
    ['one of several fields', '{ set: { "spec.a": "1", "spec.b": "1" } }', '{ set: { "spec.b": "2" } }'],
    [
      'one of several paths',
      '{ forEach: [$.spec, $.status], set: { a: "1" } }',
      '{ forEach: $.status, set: { a: "2" } }',
    ],
    [
      'the path cut at another place',
      '{ forEach: $.spec.tls, set: { mode: "1" } }',
      '{ forEach: $.spec, set: { tls.mode: "2" } }',
    ],
    [
      'another spelling',
      `{ forEach: "$['spec'].http[*]", set: { a: "1" } }`,
      '{ forEach: "$.spec.http.*", set: { a: "2" } }',
    ],
    [
      'one item of all',
      '{ forEach: "$.spec.http[*]", set: { a: "1" } }',
      '{ forEach: "$.spec.http[0]", set: { a: "2" } }',
    ],
    [
      'a path of the library, spelt alike',
      '{ forEach: $..tls, set: { a: "1" } }',
      '{ forEach: $..tls, set: { a: "2" } }',
    ],
    [
      'the same place under other conditions',
      '{ when: "true", set: { "spec.a": "1" } }',
      '{ when: "false", set: { "spec.a": "2" } }',
    ],
  ])('are refused: %s', (_, a, b) => {
    const outcome = createPolicySet({
      policies: [fills(b, second), fills(a, first)],
      bindings: [],
      enforcement: 'enforce',
    })
    expect(outcome.ok ? [] : outcome.issues).toEqual([
      {
        code: 'POLICY-DEFAULT-CONFLICT',
        file: 'second.yaml',
        line: 1,
        column: 1,
        message: expect.stringMatching(
          /^the default for \$.* is also filled by A-1 \(first, first\.yaml\): leave one of them out, or give the place to one policy$/,
        ),
      },
    ])
  })

  test.each([
    ['another field', '{ set: { "spec.a": "1" } }', '{ set: { "spec.b": "2" } }'],
    ['a field of the other', '{ set: { "spec.a": "1" } }', '{ set: { "spec.a.b": "2" } }'],
    ['another path', '{ forEach: "$.spec.http[*]", set: { a: "1" } }', '{ forEach: "$.spec.tcp[*]", set: { a: "2" } }'],
    ['other items', '{ forEach: "$.spec.http[0]", set: { a: "1" } }', '{ forEach: "$.spec.http[1]", set: { a: "2" } }'],
  ])('are not: %s', (_, a, b) => {
    expect(
      createPolicySet({ policies: [fills(a, first), fills(b, second)], bindings: [], enforcement: 'enforce' }).ok,
    ).toBe(true)
  })

  test('of two kinds never meet', () => {
    const a = fills('{ set: { "spec.a": "1" } }', first)
    const b = fills('{ set: { "spec.a": "1" } }', { ...second, resources: 'gateways' })
    expect(createPolicySet({ policies: [a, b], bindings: [], enforcement: 'enforce' }).ok).toBe(true)
  })

  test('are one policy twice when it is the same one', () => {
    const twice = policyFrom(
      policyText(
        'defaults:\n  - { when: "true", set: { "spec.a": "1" } }\n  - { when: "false", set: { "spec.a": "2" } }',
      ),
    )
    expect(createPolicySet({ policies: [twice], bindings: [], enforcement: 'enforce' }).ok).toBe(true)
  })
})

test('codes are in order of area, then of number', () => {
  const codes = ['RES-10', 'MTLS-02', 'RES-2', 'RES-02', 'GW-15', 'MTLS-1', 'ODD', 'A-B-3']
  expect(codes.toSorted(compareCodes)).toEqual([
    'A-B-3',
    'GW-15',
    'MTLS-1',
    'MTLS-02',
    'ODD',
    'RES-2',
    'RES-02',
    'RES-10',
  ])
})

describe('a profile', () => {
  const profiles = [
    { name: 'mild', bindings: [bindingFrom('policies: ["*"]\nvalidationActions: [Warn]')] },
    { name: 'none', bindings: [bindingFrom('policies: [RES-10]\nvalidationActions: [Audit]')] },
  ]

  test('binds what it names instead of the shipped binding; of two the later one does', () => {
    expect(boundOf(setOf([strict, timeouts, retries], [], profiles))).toEqual([
      ['MTLS-02', '*', ['Warn'], {}],
      ['RES-01', '*', ['Warn'], { most: 60, least: 1 }],
      ['RES-10', 'RES-10', ['Audit'], {}],
    ])
    const mildLast = boundOf(setOf([retries], [], profiles.toReversed()))
    expect(mildLast).toEqual([['RES-10', '*', ['Warn'], {}]])
  })

  test('says nothing of what a binding names', () => {
    const bindings = [bindingFrom('policies: ["RES-*"]')]
    expect(boundOf(setOf([strict, timeouts, retries], bindings, profiles))).toEqual([
      ['MTLS-02', '*', ['Warn'], {}],
      ['RES-01', 'RES-*', ['Deny'], { most: 60, least: 1 }],
      ['RES-10', 'RES-*', ['Warn'], {}],
    ])
  })

  test('may name policies that are not there, where a binding may not', () => {
    const absent = bindingFrom('policies: [GONE-01]\nvalidationActions: [Audit]')
    expect(boundOf(setOf([strict], [], [{ name: 'own', bindings: [absent] }]))).toEqual([
      ['MTLS-02', 'strict', ['Deny'], {}],
    ])
    const refused = createPolicySet({ policies: [strict], bindings: [absent], enforcement: 'enforce' })
    expect(refused.ok).toBe(false)
  })
})

function setOf(
  policies: readonly Policy[],
  bindings: readonly Binding[],
  profiles: readonly Profile[] = [],
): PolicySet {
  const outcome = createPolicySet({ policies, bindings, profiles, enforcement: 'enforce' })
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('\n'))
  return outcome.set
}

function boundOf(set: PolicySet): readonly (readonly [string, string, readonly string[], unknown])[] {
  return set.bound.map(({ policy, binding, actions, params }) => [policy.code, binding, actions, params])
}
