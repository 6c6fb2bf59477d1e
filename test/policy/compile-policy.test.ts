import { describe, expect, test } from 'vitest'

import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { documentOf, policyFrom, policyText } from './policy-from.ts'

describe('what a policy says', () => {
  const text = `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: full }
spec:
  code: RES-01
  title: Everything at once
  category: resilience
  severity: warning
  description: >-
    Two lines
    of text.
  remediation: do it
  failurePolicy: Ignore
  validationActions: [Warn, Audit]
  params:
    schema: { type: object, properties: { most: { type: integer } } }
    default: { most: 3 }
  matchConstraints:
    resourceRules:
      - { apiGroups: [networking.istio.io], apiVersions: ["*"], resources: [virtualservices], operations: [CREATE, UPDATE], resourceNames: [a] }
    excludeResourceRules:
      - { apiGroups: [""], apiVersions: [v1], resources: [pods], operations: ["*"] }
    namespaceSelector: { matchLabels: { mesh: "true" } }
    objectSelector: { matchExpressions: [{ key: a, operator: Exists }] }
  matchConditions:
    - { name: named, expression: "true" }
  variables:
    - { name: most, expression: "params.most" }
  validations:
    - forEach: [$.spec.http, "$.spec['tcp']"]
      when: "true"
      expression: "false"
      field: retries.attempts
      message: too many
      remediation: write fewer
      fix: [{ op: add, path: retries.attempts, value: 2 }, { op: remove, path: retries.retryOn }, { op: prune, path: "retries[x/y]", besides: [a] }]
      atMost: Warn
    - findings: "[]"
  defaults:
    - { forEach: "$.spec.http[*]", set: { "retries.attempts": "1" }, note: a note }
`
  const policy = policyFrom(text, 'some/policy.yaml')

  test('stands in the compiled one as it is', () => {
    const { program, source, ...head } = policy
    expect(head).toEqual({
      name: 'full',
      code: 'RES-01',
      title: 'Everything at once',
      category: 'resilience',
      severity: 'warning',
      description: 'Two lines of text.',
      remediation: 'do it',
      failurePolicy: 'Ignore',
      validationActions: ['Warn', 'Audit'],
      match: {
        resourceRules: [
          {
            apiGroups: ['networking.istio.io'],
            apiVersions: ['*'],
            resources: ['virtualservices'],
            operations: ['CREATE', 'UPDATE'],
            resourceNames: ['a'],
          },
        ],
        excludeResourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['*'], resourceNames: [] },
        ],
        namespaceSelector: { matchLabels: { mesh: 'true' } },
        objectSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
      },
      params: { schema: { type: 'object', properties: { most: { type: 'integer' } } }, default: { most: 3 } },
      issues: [],
      warnings: [],
    })
    expect(source.file).toBe('some/policy.yaml')
    expect(program?.matchConditions.map(({ name }) => name)).toEqual(['named'])
    expect(program?.variables.map(({ name }) => name)).toEqual(['most'])
  })

  test('and so do its rules', () => {
    const [walking, listing] = policy.program?.validations ?? []
    expect(walking).toMatchObject({
      field: ['retries', 'attempts'],
      message: 'too many',
      remediation: 'write fewer',
      atMost: 'Warn',
      check: { kind: 'expression' },
      fix: [
        { op: 'set', path: ['retries', 'attempts'], value: 2 },
        { op: 'remove', path: ['retries', 'retryOn'] },
        { op: 'prune', path: ['retries', 'x/y'], besides: ['a'] },
      ],
    })
    expect(walking?.forEach.map(({ text }) => text)).toEqual(['$.spec.http', "$.spec['tcp']"])
    expect(listing).toMatchObject({ forEach: [], check: { kind: 'findings' }, field: [], fix: [], atMost: undefined })
    const [rule] = policy.program?.defaults ?? []
    expect(rule).toMatchObject({ note: 'a note', set: [{ field: ['retries', 'attempts'] }], when: undefined })
  })

  test('what it leaves out has a default', () => {
    expect(policyFrom(policyText('validations: []'))).toMatchObject({
      category: 'test',
      description: '',
      remediation: '',
      failurePolicy: 'Fail',
      validationActions: ['Deny'],
      params: { schema: undefined, default: {} },
    })
  })
})

describe('what does not compile says where and why, and the policy stays', () => {
  // Line 11 is the first of what stands below the head, indented by two.
  test.each<[string, string, readonly (readonly [string, string, string])[]]>([
    [
      'an unknown field',
      'validation: []',
      [['11:3', 'POLICY-SHAPE', 'unknown field "validation" in spec; did you mean "validations"?']],
    ],
    [
      'a wrong type',
      'validations: {}',
      [['11:16', 'POLICY-SHAPE', 'spec.validations is an object, but must be a list']],
    ],
    [
      'an action that is none',
      'validationActions: [Block]',
      [['11:23', 'POLICY-SHAPE', 'spec.validationActions[0] is "Block"; write one of "Deny", "Warn", "Audit"']],
    ],
    [
      'neither expression nor findings',
      'validations:\n  - { message: x }',
      [
        [
          '12:7',
          'POLICY-SHAPE',
          'a validation has either `expression` (false = a finding) or `findings`, not both and not neither',
        ],
      ],
    ],
    [
      'both of them',
      'validations:\n  - { expression: "true", findings: "[]", message: x }',
      [
        [
          '12:7',
          'POLICY-SHAPE',
          'a validation has either `expression` (false = a finding) or `findings`, not both and not neither',
        ],
      ],
    ],
    [
      'an expression without a message',
      'validations:\n  - { expression: "true" }',
      [
        [
          '12:7',
          'POLICY-SHAPE',
          'a validation needs `message` or `messageExpression`: what is wrong, in the words of the person who wrote the object',
        ],
      ],
    ],
    [
      'a path that filters',
      'validations:\n  - forEach: $.spec.http[?(@.a)]\n    expression: "target == 1"\n    message: x',
      [
        [
          '12:27',
          'POLICY-PATH',
          'JSONPath "$.spec.http[?(@.a)]": a path only walks; write the condition in `when`, which is CEL',
        ],
      ],
    ],
    [
      'one path of several',
      'validations:\n  - forEach: [$.spec, "$.spec^"]\n    expression: "true"\n    message: x',
      [['12:32', 'POLICY-PATH', `JSONPath "$.spec^": "^" is no step; write .name, ['a name'], [0], [*] or ..name`]],
    ],
    [
      'a field that is none',
      'validations:\n  - { expression: "true", message: x, field: "a..b" }',
      [['12:48', 'POLICY-SHAPE', '"a..b" is no field; write names joined by dots, and [0] or [key] for the rest']],
    ],
    [
      'a fix with two values',
      'validations:\n  - { expression: "true", message: x, fix: [{ op: add, path: a, value: 1, valueExpression: "1" }] }',
      [['12:47', 'POLICY-SHAPE', 'a fix with op add has either `value` or `valueExpression`']],
    ],
    [
      'a fix without a value',
      'validations:\n  - { expression: "true", message: x, fix: [{ op: replace, path: a }] }',
      [['12:47', 'POLICY-SHAPE', 'a fix with op replace has either `value` or `valueExpression`']],
    ],
    [
      'a fix of the whole object',
      'validations:\n  - { expression: "true", message: x, fix: [{ op: prune, path: "" }] }',
      [['12:66', 'POLICY-SHAPE', 'a fix cannot replace the whole object; write the path of a field']],
    ],
    [
      'two variables of one name',
      'variables:\n  - { name: a, expression: "1" }\n  - { name: a, expression: "2" }',
      [['13:7', 'POLICY-SHAPE', 'there is already a variable "a"']],
    ],
    [
      'a default of the wrong type',
      'params:\n  schema: { properties: { most: { type: integer } } }\n  default:\n    most: three',
      [['14:13', 'POLICY-PARAMS', 'parameters of TEST-1 (a-test): most is a string, but must be an integer']],
    ],
    [
      'a default that its schema does not name',
      'params: { schema: { properties: { most: {} } }, default: { mots: 3 } }',
      [
        [
          '11:62',
          'POLICY-PARAMS',
          'parameters of TEST-1 (a-test): unknown field "mots" in params; did you mean "most"?',
        ],
      ],
    ],
    [
      'a schema that is none',
      'params: { schema: { $ref: "#/a" }, default: { a: 1 } }',
      [['11:47', 'POLICY-PARAMS', expect.stringContaining('the schema cannot be used: Unresolved $ref')]],
    ],
  ])('%s', (_, spec, issues) => {
    const policy = policyFrom(policyText(spec))
    expect(policy.issues.map(({ line, column, code, message }) => [`${line}:${column}`, code, message])).toEqual(issues)
    expect(policy.program).toBeUndefined()
    expect(policy.match.resourceRules).toHaveLength(1)
  })

  test.each<[string, string, string, RegExp]>([
    ['an unknown variable', 'validations:\n  - { expression: "objekt.spec == 1", message: x }', '12:22', /objekt/],
    ['an unknown function', 'validations:\n  - { expression: "object.spec.foo(1) == 1", message: x }', '12:', /foo/],
    ['target without forEach', 'validations:\n  - { expression: "target == 1", message: x }', '12:22', /target/],
    [
      'a variable that comes later',
      'variables:\n  - { name: a, expression: "variables.b" }\n  - { name: b, expression: "1" }',
      '12:',
      /b/,
    ],
    [
      'a variable in a match condition',
      'matchConditions:\n  - { name: a, expression: "variables.b == 1" }\nvariables:\n  - { name: b, expression: "1" }',
      '12:',
      /variables/,
    ],
    [
      'a syntax error in a block of several lines',
      'validations:\n  - message: x\n    expression: >-\n      object.spec == 1\n      &&',
      '1',
      /./,
    ],
    ['a condition that is no bool', 'validations:\n  - { when: "1", expression: "true", message: x }', '12:', /bool/],
    [
      'a message that is no string',
      'validations:\n  - { expression: "true", messageExpression: "1" }',
      '12:',
      /string/,
    ],
    [
      'the value of a fix',
      'validations:\n  - { expression: "true", message: x, fix: [{ op: add, path: a, valueExpression: "param.a" }] }',
      '12:',
      /param/,
    ],
    ['the value of a default', 'defaults:\n  - { set: { a: "nope" } }', '12:', /nope/],
  ])('an expression with %s', (_, spec, position, message) => {
    const policy = policyFrom(policyText(spec))
    expect(policy.issues).toHaveLength(1)
    const [issue] = policy.issues
    expect(`${issue?.line}:${issue?.column}`).toMatch(new RegExp(`^${position}`))
    expect(issue?.code).toMatch(/^CEL-/)
    expect(issue?.message).toMatch(message)
    expect(policy.program).toBeUndefined()
  })

  test('a variable that does not compile is one mistake, not one more wherever it is used', () => {
    const spec =
      'variables:\n  - { name: a, expression: "nope" }\nvalidations:\n  - { expression: "variables.a == 1", message: x }'
    expect(policyFrom(policyText(spec)).issues).toHaveLength(1)
  })

  test('a path that does not compile is one mistake, not one more wherever target is used', () => {
    const spec = 'validations:\n  - { forEach: "spec", when: "target == 1", expression: "target == 1", message: x }'
    expect(policyFrom(policyText(spec)).issues.map(({ code }) => code)).toEqual(['POLICY-PATH'])
  })

  test('every mistake is reported at once', () => {
    const spec =
      'nope: 1\nvalidations:\n  - { message: x }\n  - { forEach: x, expression: "true", message: x }\ndefaults:\n  - { set: {} }'
    expect(policyFrom(policyText(spec)).issues.map(({ message }) => message)).toHaveLength(4)
  })
})

describe('what cannot even be placed is no policy', () => {
  const compiler = createPolicyCompiler([])
  test.each([
    ['a scalar', 'hello'],
    ['no spec', 'apiVersion: meshward.io/v1alpha1\nkind: MeshPolicy\nmetadata: { name: a }'],
    [
      'no name',
      'apiVersion: meshward.io/v1alpha1\nkind: MeshPolicy\nspec: { code: A-1, matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }] } }',
    ],
    [
      'no resources',
      'apiVersion: meshward.io/v1alpha1\nkind: MeshPolicy\nmetadata: { name: a }\nspec: { code: A-1, title: a, severity: info, matchConstraints: { resourceRules: [] } }',
    ],
  ])('%s', (_, text) => {
    const outcome = compiler.compile(documentOf(text), 'p.yaml')
    expect(outcome.ok).toBe(false)
    expect(outcome.ok ? [] : outcome.issues).not.toEqual([])
  })

  test('a policy with every other mistake still says where it applies', () => {
    const text =
      'kind: Policy\nmetadata: { name: a }\nspec: { code: a, severity: bad, failurePolicy: Maybe, matchConstraints: { resourceRules: [{ resources: [pods], operations: [CREATE] }] } }'
    const outcome = compiler.compile(documentOf(text), 'p.yaml')
    const policy: Partial<Policy> = outcome.ok ? outcome.policy : {}
    expect(policy).toMatchObject({ name: 'a', code: 'a', severity: 'error', failurePolicy: 'Fail', program: undefined })
  })
})
