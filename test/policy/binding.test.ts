import { describe, expect, test } from 'vitest'

import { readBinding, shippedBinding } from '../../src/policy/binding.ts'
import { bindingFrom, documentOf, policyFrom, policyText } from './policy-from.ts'

test('a binding that says everything', () => {
  const document = documentOf(`
apiVersion: meshward.io/v1alpha1
kind: MeshPolicyBinding
metadata: { name: production }
spec:
  policies: [MTLS-02, "RES-*"]
  match:
    namespaces: ["prod-*"]
    excludeNamespaces: [prod-legacy]
    namespaceSelector: { matchLabels: { tier: web } }
    objectSelector: { matchExpressions: [{ key: legacy, operator: DoesNotExist }] }
    excludeUsers: ["system:serviceaccount:istio-system:*"]
    excludeGroups: [admins]
  validationActions: [Warn, Audit]
  unchangedFindings: Deny
  defaultsAction: "Off"
  params: { maxTimeout: 30s }
`)
  expect(readBinding(document, 'bindings.yaml')).toEqual({
    ok: true,
    binding: {
      name: 'production',
      policies: ['MTLS-02', 'RES-*'],
      scope: {
        namespaces: ['prod-*'],
        excludeNamespaces: ['prod-legacy'],
        namespaceSelector: { matchLabels: { tier: 'web' } },
        objectSelector: { matchExpressions: [{ key: 'legacy', operator: 'DoesNotExist' }] },
        excludeUsers: ['system:serviceaccount:istio-system:*'],
        excludeGroups: ['admins'],
      },
      validationActions: ['Warn', 'Audit'],
      unchangedFindings: 'Deny',
      defaultsAction: 'Off',
      params: { maxTimeout: '30s' },
      position: { file: 'bindings.yaml', line: 6, column: 13 },
    },
  })
})

test('a binding that says nothing but its policies holds everywhere, with the actions of each policy', () => {
  expect(bindingFrom('policies: [a, b]')).toEqual({
    name: 'a, b',
    policies: ['a', 'b'],
    scope: {
      namespaces: [],
      excludeNamespaces: [],
      namespaceSelector: undefined,
      objectSelector: undefined,
      excludeUsers: [],
      excludeGroups: [],
    },
    validationActions: undefined,
    unchangedFindings: 'Warn',
    defaultsAction: 'Inject',
    params: {},
    position: { file: 'bindings.yaml', line: 4, column: 13 },
  })
})

test.each([['{}'], ['{ matchLabels: {} }'], ['{ matchLabels: {}, matchExpressions: [] }']])(
  'the empty selector %s selects everything, as none does',
  (selector) => {
    const { scope } = bindingFrom(
      `policies: [a]\nmatch: { namespaceSelector: ${selector}, objectSelector: ${selector} }`,
    )
    expect(scope).toMatchObject({ namespaceSelector: undefined, objectSelector: undefined })
  },
)

test('the binding that ships with a policy is one for it alone', () => {
  const shipped = shippedBinding(policyFrom(policyText('validationActions: [Audit]')))
  expect(shipped).toEqual({
    ...bindingFrom('policies: [a-test]'),
    name: 'a-test',
    position: { file: 'policy.yaml', line: 1, column: 1 },
  })
})

describe('what is no binding says where and why', () => {
  test.each([
    ['no policies', 'match: {}', '4:3', 'spec needs the field "policies"'],
    ['an empty list of policies', 'policies: []', '4:13', 'spec.policies must not be empty'],
    [
      'a mistyped field',
      'policies: [a]\nvalidationAction: [Warn]',
      '5:3',
      'unknown field "validationAction" in spec; did you mean "validationActions"?',
    ],
    [
      'a mistyped field of the scope',
      'policies: [a]\nmatch:\n  namespace: [x]',
      '6:5',
      'unknown field "namespace" in spec.match; did you mean "namespaces"?',
    ],
    [
      'one action where a list belongs',
      'policies: [a]\nvalidationActions: Warn',
      '5:22',
      'spec.validationActions is a string, but must be a list',
    ],
    [
      'an action that is none',
      'policies: [a]\nvalidationActions: [warn]',
      '5:23',
      'spec.validationActions[0] is "warn"; write one of "Deny", "Warn", "Audit"',
    ],
    [
      'an operator that is none',
      'policies: [a]\nmatch: { objectSelector: { matchExpressions: [{ key: a, operator: Is }] } }',
      '5:69',
      'spec.match.objectSelector.matchExpressions[0].operator is "Is"; write one of "In", "NotIn", "Exists", "DoesNotExist"',
    ],
    [
      'Off that YAML made false',
      'policies: [a]\ndefaultsAction: false',
      '5:19',
      'spec.defaultsAction is false; write one of "Inject", "Off"',
    ],
  ])('%s', (_, spec, position, message) => {
    const text = `apiVersion: meshward.io/v1alpha1\nkind: MeshPolicyBinding\nspec:\n${spec.replaceAll(/^/gm, '  ')}`
    const outcome = readBinding(documentOf(text), 'b.yaml')
    const issues = outcome.ok ? [] : outcome.issues
    expect(issues.map(({ line, column, code, message: text }) => [`${line}:${column}`, code, text])).toEqual([
      [position, 'BINDING-SHAPE', message],
    ])
  })
})
