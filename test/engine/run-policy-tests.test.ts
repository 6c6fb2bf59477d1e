import { describe, expect, test } from 'vitest'

import { missingExamples, runPolicyTests } from '../../src/engine/run-policy-tests.ts'
import { readPolicyTests, type PolicyTest } from '../../src/policy/policy-tests.ts'
import { documentOf, policyFrom, policyText } from '../policy/policy-from.ts'

const policy = policyFrom(
  policyText(`
params:
  schema: { properties: { least: { type: integer } } }
  default: { least: 1 }
validations:
  - forEach: $.spec.items[*]
    expression: has(target.a) && int(target.a) >= params.least
    field: a
    messageExpression: "'a is less than ' + string(params.least)"
    fix: [{ op: add, path: a, value: 5 }]
defaults:
  - { forEach: "$.spec.items[*]", when: has(target.fill), set: { a: "3" } }
`),
)

const object = 'apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: { name: x }'

describe('an example is as it says', () => {
  test.each([
    ['a finding by its field', '{ items: [{}] }', 'findings: ["spec.items[0].a"]'],
    [
      'with all that is written',
      '{ items: [{}] }',
      'findings: [{ field: "spec.items[0].a", message: "a is less than 1", action: Deny, outcome: fail }]',
    ],
    ['in any order', '{ items: [{}, {}] }', 'findings: ["spec.items[1].a", "spec.items[0].a"]'],
    ['nothing', '{ items: [{ a: 1 }] }', 'findings: []'],
    ['under other parameters', '{ items: [{ a: 1 }] }', 'params: { least: 2 }, findings: ["spec.items[0].a"]'],
    [
      'what is filled, and what is found after that',
      '{ items: [{ fill: 1 }, {}] }',
      'filled: { "spec.items[0].a": 3 }, findings: ["spec.items[1].a"]',
    ],
    ['that nothing is filled', '{ items: [{}] }', 'filled: {}'],
    ['an error', '{ items: [{ a: x }] }', 'findings: [{ field: "spec.items[0].a", outcome: error }]'],
    ['the object after its fixes', '{ items: [{}] }', `fixed: { ${object}, spec: { items: [{ a: 5 }] } }`],
  ])('%s', (_, spec, expected) => {
    expect(problemsOf(`object: { ${object}, spec: ${spec} }, ${expected}`)).toEqual([])
  })

  test('an update, by somebody, in a namespace', () => {
    const seeing = policyFrom(
      policyText(
        `validations: [{ expression: "false", messageExpression: "request.operation + ' ' + request.namespace + ' ' + request.userInfo.username" }]`,
      ),
    )
    const text = `operation: UPDATE, namespace: shop, user: { username: jane }, object: { ${object}, spec: 1 }, oldObject: { ${object} }, findings: [{ field: "", message: UPDATE shop jane }]`
    expect(runPolicyTests(seeing, testsOf(text))[0]?.problems).toEqual([])
  })
})

describe('and is a problem when it is not', () => {
  test.each([
    [
      'a finding that is not there',
      '{ items: [{ a: 1 }] }',
      'findings: ["spec.items[0].a"]',
      ['missing: {"field":"spec.items[0].a"}'],
    ],
    [
      'a finding that is not expected',
      '{ items: [{}] }',
      'findings: []',
      ['not expected: fail at "spec.items[0].a": a is less than 1 (Deny)'],
    ],
    [
      'another message',
      '{ items: [{}] }',
      'findings: [{ field: "spec.items[0].a", message: other }]',
      [
        'missing: {"field":"spec.items[0].a","message":"other"}',
        'not expected: fail at "spec.items[0].a": a is less than 1 (Deny)',
      ],
    ],
    [
      'another remediation',
      '{ items: [{}] }',
      'findings: [{ field: "spec.items[0].a", remediation: other }]',
      [expect.stringMatching(/^missing/), expect.stringMatching(/^not expected/)],
    ],
    [
      'another action',
      '{ items: [{}] }',
      'findings: [{ field: "spec.items[0].a", action: Warn }]',
      [expect.stringMatching(/^missing/), expect.stringMatching(/^not expected/)],
    ],
    [
      'one finding for two',
      '{ items: [{}] }',
      'findings: ["spec.items[0].a", "spec.items[0].a"]',
      ['missing: {"field":"spec.items[0].a"}'],
    ],
    [
      'another value filled',
      '{ items: [{ fill: 1 }] }',
      'filled: { "spec.items[0].a": 4 }',
      ['filled is {"spec.items[0].a":3}'],
    ],
    ['one more filled', '{ items: [{ fill: 1 }] }', 'filled: {}', ['filled is {"spec.items[0].a":3}']],
    ['fixed otherwise', '{ items: [] }', 'fixed: { kind: A }', [expect.stringMatching(/^fixed is /)]],
    [
      'parameters that there are none of',
      '{}',
      'params: { most: 1 }, findings: []',
      [expect.stringContaining('unknown field "most" in params')],
    ],
    ['nothing said at all', '{}', 'namespace: shop', ['this example says nothing: write findings, filled or fixed']],
  ])('%s', (_, spec, expected, problems) => {
    expect(problemsOf(`object: { ${object}, spec: ${spec} }, ${expected}`)).toEqual(problems)
  })

  test('a policy that does not compile', () => {
    const broken = policyFrom(policyText('nope: 1'))
    const [result] = runPolicyTests(broken, testsOf(`object: { ${object} }, findings: []`))
    expect(result?.problems).toContainEqual(expect.stringContaining('unknown field "nope" in spec'))
  })
})

test('what says more of a finding is matched before what says only its field', () => {
  const twice = policyFrom(
    policyText(
      'validations:\n  - { expression: "false", message: one, field: spec }\n  - { expression: "false", message: two, field: spec }',
    ),
  )
  const text = `object: { ${object} }, findings: [spec, { field: spec, message: one }]`
  expect(runPolicyTests(twice, testsOf(text))[0]?.problems).toEqual([])
})

test.each([
  ['one of each', 'tests: [{ name: a, findings: [x] }, { name: b, findings: [] }]', 0],
  ['only one that fails', 'tests: [{ name: a, findings: [x] }]', 1],
  ['only one that passes', 'tests: [{ name: a, findings: [] }]', 1],
  ['neither', 'tests: [{ name: a, filled: {} }]', 2],
])('of %s the missing examples are named', (_, text, missing) => {
  const outcome = readPolicyTests(documentOf(text), 'tests.yaml')
  expect(missingExamples(outcome.ok ? outcome.tests : [])).toHaveLength(missing)
})

function testsOf(example: string): readonly PolicyTest[] {
  const outcome = readPolicyTests(documentOf(`tests: [{ name: a, ${example} }]`), 'tests.yaml')
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  return outcome.tests
}

function problemsOf(example: string): readonly string[] {
  return runPolicyTests(policy, testsOf(example)).flatMap(({ problems }) => problems)
}
