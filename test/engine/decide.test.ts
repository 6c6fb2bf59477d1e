import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import type { Decision, Finding } from '../../src/engine/decision.ts'
import type { AdmissionRequest } from '../../src/engine/request.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
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

/** Policies that fail in every way there is. */
const broken = policyFrom(
  policyText('validations: [{ expression: "nope", message: x }]', { code: 'BAD-1', name: 'broken' }),
)
const erring = policyFrom(
  policyText('validations: [{ expression: "object.nope.nope == 1", message: x }]', { code: 'BAD-2', name: 'erring' }),
)
const unmatchable = policyFrom(
  policyText('matchConditions: [{ name: a, expression: "object.nope == 1" }]', { code: 'BAD-3', name: 'unmatchable' }),
)

describe('a decision', () => {
  test('says all there is to say', () => {
    const object = routes([{ route: [] }, { route: [], timeout: '1s' }])
    expect(judge(object, policySetOf([timeouts]))).toEqual({
      uid: 'u',
      object: { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace: 'default', name: 'a' },
      allowed: false,
      judged: true,
      findings: [
        {
          code: 'RES-01',
          policy: 'timeouts',
          outcome: 'fail',
          action: 'Deny',
          actions: ['Deny'],
          severity: 'error',
          field: 'spec.http[0].timeout',
          path: ['spec', 'http', 0, 'timeout'],
          message: 'no timeout',
          remediation: 'write one',
          fix: [{ op: 'add', path: '/spec/http/0/timeout', value: '15s' }],
        },
      ],
      patch: [],
      filled: [],
      evaluated: ['timeouts'],
      skipped: 0,
    })
  })

  test('has the findings of all policies, in order of code', () => {
    const other = policyFrom(
      policyText('validations: [{ expression: "false", message: never }]', { code: 'A-1', name: 'never' }),
    )
    const decision = judge(routes([{ route: [] }, { route: [] }]), policySetOf([timeouts, other]))
    expect(decision.findings.map(({ code, field }) => [code, field])).toEqual([
      ['A-1', ''],
      ['RES-01', 'spec.http[0].timeout'],
      ['RES-01', 'spec.http[1].timeout'],
    ])
    expect(decision.evaluated).toEqual(['never', 'timeouts'])
  })

  test('is that nothing was looked for where no policy speaks of the kind, or the installation is off', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'shop' } }
    const untouched = { allowed: true, judged: false, findings: [], patch: [], filled: [], evaluated: [], skipped: 0 }
    expect(judge(pod, policySetOf([timeouts]))).toMatchObject(untouched)
    expect(judge(routes([{ route: [] }]), policySetOf([timeouts], [], 'off'))).toMatchObject(untouched)
  })

  test('names a Namespace without a namespace, and an object by the name it will get', () => {
    const policies = policySetOf([policyFrom(policyText('', { resources: '"*"' }))])
    expect(judge({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, policies).object).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      namespace: '',
      name: 'shop',
    })
    const generated = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'api-', namespace: 'shop' } }
    expect(judge(generated, policies, { name: '' }).object).toMatchObject({ namespace: 'shop', name: 'api-*' })
  })

  test('to fill and judge judges what was filled', () => {
    const filling = policyFrom(
      policyText(
        `${needsTimeout}defaults: [{ forEach: "$.spec.http[*]", when: has(target.route), set: { timeout: "'15s'" } }]`,
      ),
    )
    const request = requestFor(routes([{ route: [] }]))
    const policies = policySetOf([filling])
    const decision = decide({ request, policies, mesh: buildSnapshot([]), phase: 'both' })
    expect(decision).toMatchObject({ allowed: true, findings: [], filled: [{ field: 'spec.http[0].timeout' }] })
  })

  test('skips what a match condition leaves out', () => {
    const conditional = policyFrom(
      policyText(
        'matchConditions: [{ name: a, expression: "false" }]\nvalidations: [{ expression: "false", message: x }]',
      ),
    )
    expect(judge(routes([]), policySetOf([conditional]))).toMatchObject({ judged: true, findings: [], evaluated: [] })
  })

  test('a match condition that is false decides, whatever another fails on', () => {
    const conditional = policyFrom(
      policyText(
        'matchConditions: [{ name: a, expression: "object.nope == 1" }, { name: b, expression: "false" }]\nvalidations: [{ expression: "false", message: x }]',
      ),
    )
    expect(judge(routes([]), policySetOf([conditional])).findings).toEqual([])
  })
})

describe('what a finding says', () => {
  const finding = (validation: string, more = ''): Partial<Finding> | undefined =>
    judge(
      routes([{ route: [], n: 3 }]),
      policySetOf([policyFrom(policyText(`remediation: policy\n${more}validations:\n  - ${validation}`))]),
    ).findings[0]

  test.each<[string, string, Partial<Finding>]>([
    ['its message', '{ expression: "false", message: plain }', { message: 'plain', remediation: 'policy', field: '' }],
    [
      'a message made of values',
      `{ expression: "false", messageExpression: "'n is ' + string(object.spec.http[0].n)" }`,
      { message: 'n is 3' },
    ],
    [
      'the plain one where the other fails',
      `{ expression: "false", message: plain, messageExpression: "string(object.nope)" }`,
      { message: 'plain' },
    ],
    [
      'the title where there is no other',
      `{ expression: "false", messageExpression: "string(object.nope)" }`,
      { message: 'A rule' },
    ],
    ['on one line', `{ expression: "false", messageExpression: "'a  \\\\n\\\\n  b '" }`, { message: 'a b' }],
    ['its own remediation', '{ expression: "false", message: x, remediation: own }', { remediation: 'own' }],
    [
      'one made of values',
      `{ expression: "false", message: x, remediationExpression: "'at most ' + string(2)" }`,
      { remediation: 'at most 2' },
    ],
    [
      'a field of the object',
      '{ expression: "false", message: x, field: "spec.a[0][b/c]" }',
      { field: 'spec.a[0][b/c]', path: ['spec', 'a', 0, 'b/c'] },
    ],
    [
      'a field of its place',
      '{ forEach: "$.spec.http[*]", expression: "false", message: x, field: retries.attempts }',
      { field: 'spec.http[0].retries.attempts' },
    ],
    [
      'a variable in its message',
      `{ expression: "variables.ok", messageExpression: "variables.why" }`,
      { message: 'because' },
    ],
  ])('%s', (_, validation, expected) => {
    const variables = `variables: [{ name: ok, expression: "false" }, { name: why, expression: "'because'" }]\n`
    expect(finding(validation, variables)).toMatchObject(expected)
  })

  test('a list of findings says for each where, what, how to mend it and what it rests on', () => {
    const list = `findings: >-
      [{'field': 'timeout', 'message': 'one', 'remediation': 'do', 'atMost': 'Warn',
        'fix': [{'op': 'add', 'path': '/spec/http/0/timeout', 'value': '1s'}],
        'related': [{'kind': 'Service', 'namespace': 'shop', 'name': 'reviews', 'field': 'spec.ports'}]},
       {'message': 'two'}]
    forEach: $.spec.http[*]
    field: route
    remediation: write it`
    const policies = policySetOf([policyFrom(policyText(`validations:\n  - ${list}`))])
    expect(judge(routes([{ route: [] }]), policies).findings).toMatchObject([
      {
        field: 'spec.http[0].timeout',
        message: 'one',
        remediation: 'do',
        action: 'Warn',
        fix: [{ op: 'add', path: '/spec/http/0/timeout', value: '1s' }],
        related: [{ kind: 'Service', namespace: 'shop', name: 'reviews', field: 'spec.ports' }],
      },
      { field: 'spec.http[0].route', message: 'two', remediation: 'write it', action: 'Deny' },
    ])
  })

  test.each([
    ['no list', '"object.spec.http[0].n"', []],
    ['an empty list', '"[]"', []],
    ['entries that say nothing', '"[dyn(1), dyn(null)]"', ['A rule']],
  ])('%s', (_, list, messages) => {
    const policies = policySetOf([policyFrom(policyText(`validations: [{ findings: ${list} }]`))])
    expect(judge(routes([{ n: 3 }]), policies).findings.map(({ message }) => message)).toEqual(messages)
  })
})

describe('what a finding leads to', () => {
  const cases: readonly [string, string, readonly string[]][] = [
    ['what the policy says', '', ['Deny']],
    ['what the binding says instead', 'validationActions: [Warn]', ['Warn']],
    ['several things', 'validationActions: [Audit, Deny]', ['Audit', 'Deny']],
  ]
  test.each(cases)('%s', (_, binding, actions) => {
    const bindings = binding === '' ? [] : [bindingFrom(`policies: [timeouts]\n${binding}`)]
    const [finding] = judge(routes([{ route: [] }]), policySetOf([timeouts], bindings)).findings
    expect(finding?.actions).toEqual(actions)
    expect(finding?.action).toBe(actions.includes('Deny') ? 'Deny' : 'Warn')
  })

  test.each<[string, Policy, string, readonly string[]]>([
    [
      'at most what the validation allows',
      withSpec(needsTimeout.replace('field: timeout', 'field: timeout\n    atMost: Audit')),
      '',
      ['Audit'],
    ],
    [
      'but never more than the binding says',
      withSpec(needsTimeout.replace('field: timeout', 'field: timeout\n    atMost: Warn')),
      'validationActions: [Audit]',
      ['Audit'],
    ],
    [
      'each action by itself',
      withSpec(needsTimeout.replace('field: timeout', 'field: timeout\n    atMost: Warn')),
      'validationActions: [Deny, Audit]',
      ['Warn', 'Audit'],
    ],
  ])('%s', (_, policy, binding, actions) => {
    const bindings = binding === '' ? [] : [bindingFrom(`policies: [a-test]\n${binding}`)]
    expect(judge(routes([{ route: [] }]), policySetOf([policy], bindings)).findings[0]?.actions).toEqual(actions)
  })

  test('at most a warning under enforcement warn', () => {
    const decision = judge(routes([{ route: [] }]), policySetOf([timeouts, broken, erring, unmatchable], [], 'warn'))
    expect(decision).toMatchObject({ allowed: true })
    expect(decision.findings.map(({ code, action }) => [code, action])).toEqual([
      ['BAD-1', 'Warn'],
      ['BAD-2', 'Warn'],
      ['BAD-3', 'Warn'],
      ['RES-01', 'Warn'],
    ])
  })

  test('of several bindings, all of them and once', () => {
    const bindings = [
      bindingFrom('policies: [timeouts]\nvalidationActions: [Audit]'),
      bindingFrom('policies: [timeouts]\nvalidationActions: [Warn]'),
    ]
    const [finding, ...more] = judge(routes([{ route: [] }]), policySetOf([timeouts], bindings)).findings
    expect(more).toEqual([])
    expect(finding).toMatchObject({ action: 'Warn', actions: ['Audit', 'Warn'] })
  })

  test('each with its own parameters', () => {
    const most = withSpec(`params: { default: { most: 3 } }
validations: [{ expression: "int(object.spec.http[0].n) <= params.most", messageExpression: "'more than ' + string(params.most)" }]`)
    const bindings = [
      bindingFrom('policies: [a-test]\nparams: { most: 5 }\nvalidationActions: [Deny]'),
      bindingFrom('policies: [a-test]\nvalidationActions: [Warn]'),
    ]
    const outcomes = (n: number): unknown =>
      judge(routes([{ n }]), policySetOf([most], bindings)).findings.map(({ message, action }) => [message, action])
    expect([outcomes(3), outcomes(4), outcomes(6)]).toEqual([
      [],
      [['more than 3', 'Warn']],
      [
        ['more than 5', 'Deny'],
        ['more than 3', 'Warn'],
      ],
    ])
  })
})

describe('a rule that cannot be evaluated', () => {
  test.each<[string, Policy, string]>([
    [
      'because it does not compile',
      broken,
      'the rule could not be evaluated: this policy does not compile: policy.yaml:',
    ],
    ['because an expression fails', erring, 'the rule could not be evaluated: '],
    ['because a match condition fails', unmatchable, 'the rule could not be evaluated: match condition: '],
    [
      'because a condition of a place fails',
      withSpec('validations: [{ when: "object.nope == 1", expression: "false", message: x }]'),
      'the rule could not be evaluated: ',
    ],
    [
      'because a variable fails',
      withSpec(
        'variables: [{ name: a, expression: "object.nope" }]\nvalidations: [{ expression: "variables.a == 1", message: x }]',
      ),
      'the rule could not be evaluated: ',
    ],
    [
      'because it costs too much',
      withSpec(
        'validations: [{ expression: "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, [1,2,3,4,5,6,7,8,9].all(g, a + b + c + d + e + f + g > 0)))))))", message: x }]',
      ),
      'the rule could not be evaluated: ',
    ],
    [
      'because a findings expression fails',
      withSpec('validations: [{ findings: "object.nope" }]'),
      'the rule could not be evaluated: ',
    ],
  ])('%s denies under failurePolicy Fail, and warns under Ignore', (_, policy, message) => {
    const ignoring = { ...policy, failurePolicy: 'Ignore' as const }
    const [failed, ...more] = judge(routes([]), policySetOf([policy])).findings
    expect(more).toEqual([])
    expect(failed).toMatchObject({ outcome: 'error', action: 'Deny', severity: 'error' })
    expect(failed?.message.slice(0, message.length)).toBe(message)
    expect(failed?.message.length).toBeGreaterThan(message.length)
    expect(judge(routes([]), policySetOf([ignoring]))).toMatchObject({
      allowed: true,
      findings: [{ outcome: 'error', action: 'Warn' }],
    })
  })

  test('never does more than its binding', () => {
    const bindings = [bindingFrom('policies: ["BAD-*"]\nvalidationActions: [Audit]')]
    const decision = judge(routes([]), policySetOf([broken, erring, unmatchable], bindings))
    expect(decision).toMatchObject({
      allowed: true,
      findings: [{ actions: ['Audit'] }, { actions: ['Audit'] }, { actions: ['Audit'] }],
    })
  })

  test('does not keep the others from being evaluated', () => {
    const decision = judge(routes([{ route: [] }]), policySetOf([broken, erring, timeouts]))
    expect(decision.findings.map(({ code, outcome }) => [code, outcome])).toEqual([
      ['BAD-1', 'error'],
      ['BAD-2', 'error'],
      ['RES-01', 'fail'],
    ])
  })

  test('nor its own other places', () => {
    const mixed = withSpec('validations: [{ forEach: "$.spec.http[*]", expression: "target.n > 1", message: small }]')
    const decision = judge(routes([{ n: 1 }, { n: 'x' }, {}, { n: 2 }]), policySetOf([mixed]))
    expect(decision.findings.map(({ field, outcome }) => [field, outcome])).toEqual([
      ['spec.http[0]', 'fail'],
      ['spec.http[1]', 'error'],
      ['spec.http[2]', 'error'],
    ])
  })
})

describe('labels of a namespace that nobody knows', () => {
  const bindings = [bindingFrom('policies: [timeouts]\nmatch: { namespaceSelector: { matchLabels: { tier: web } } }')]
  const policies = policySetOf([timeouts], bindings)
  const object = routes([{ route: [] }])

  test('make the policy answer by its failure policy, saying what to give', () => {
    expect(judge(object, policies)).toMatchObject({
      allowed: false,
      findings: [
        {
          code: 'RES-01',
          outcome: 'error',
          field: '',
          message: expect.stringContaining('the labels of namespace "default" are not known here'),
        },
      ],
    })
  })

  test('do not matter once they are known', () => {
    const namespace = (tier: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default', labels: { tier } },
    })
    const decisions = ['web', 'db'].map((tier) =>
      decide({ request: requestFor(object), policies, mesh: buildSnapshot([namespace(tier)]), phase: 'validate' }),
    )
    expect(decisions.map(({ findings }) => findings.map(({ outcome }) => outcome))).toEqual([['fail'], []])
  })
})

test('expressions see the request, the old object, the namespace and the parameters', () => {
  const seeing = withSpec(`params: { default: { p: 1 } }
validations:
  - expression: "false"
    messageExpression: >-
      request.operation + ' ' + request.userInfo.username + ' ' + request.kind.kind + ' ' + oldObject.metadata.name
      + ' ' + namespaceObject.metadata.name + ' ' + string(params.p)`)
  const mesh = buildSnapshot([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }])
  const request = requestFor(routes([1]), routes([]))
  const [finding] = decide({ request, policies: policySetOf([seeing]), mesh, phase: 'validate' }).findings
  expect(finding?.message).toBe('UPDATE jane VirtualService a default 1')
})

test('on DELETE rules walk over the object that goes', () => {
  const object = routes([{ route: [] }])
  const seeing = withSpec(`validations:
  - { forEach: "$.spec.http[*]", expression: "object != null", message: gone }`)
  const request = requestFor(object, object, { operation: 'DELETE', object: null })
  const decision = decide({ request, policies: policySetOf([seeing]), mesh: buildSnapshot([]), phase: 'validate' })
  expect(decision.findings.map(({ field, message }) => [field, message])).toEqual([['spec.http[0]', 'gone']])
})

function routes(http: Json): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' }, spec: { http } }
}

function withSpec(spec: string): Policy {
  return policyFrom(policyText(spec))
}

function judge(
  object: JsonObject,
  policies: PolicySet,
  more: Partial<AdmissionRequest> = {},
  old: JsonObject | null = null,
): Decision {
  return decide({ request: requestFor(object, old, more), policies, mesh: buildSnapshot([]), phase: 'validate' })
}
