import { describe, expect, test } from 'vitest'

import { readPolicyTests } from '../../src/policy/policy-tests.ts'
import { documentOf } from './policy-from.ts'

test('an example that says everything', () => {
  const document = documentOf(`
tests:
  - name: a sentence
    operation: UPDATE
    object: { kind: A }
    oldObject: { kind: B }
    namespace: shop
    user: { username: jane, groups: [dev] }
    mesh: [{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }, { no: object }]
    params: { most: 3 }
    findings: [spec.a, { field: spec.b, message: m, action: Warn, outcome: error }]
    filled: { spec.c: 1 }
    fixed: { kind: C }
`)
  expect(readPolicyTests(document, 'tests.yaml')).toEqual({
    ok: true,
    tests: [
      {
        name: 'a sentence',
        operation: 'UPDATE',
        object: { kind: 'A' },
        oldObject: { kind: 'B' },
        namespace: 'shop',
        user: { username: 'jane', groups: ['dev'] },
        mesh: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }],
        params: { most: 3 },
        findings: [{ field: 'spec.a' }, { field: 'spec.b', message: 'm', action: 'Warn', outcome: 'error' }],
        filled: { 'spec.c': 1 },
        fixed: { kind: 'C' },
        position: { line: 3, column: 5 },
      },
    ],
  })
})

test('an example that says next to nothing is the creation of an object in the namespace default by nobody', () => {
  expect(readPolicyTests(documentOf('tests: [{ name: a }]'), 'tests.yaml')).toEqual({
    ok: true,
    tests: [
      {
        name: 'a',
        operation: 'CREATE',
        object: null,
        oldObject: null,
        namespace: 'default',
        user: { username: '', groups: [] },
        mesh: [],
        params: {},
        findings: undefined,
        filled: undefined,
        fixed: undefined,
        position: { line: 1, column: 9 },
      },
    ],
  })
})

describe('what is no example says where and why', () => {
  test.each([
    ['no list', 'tests: {}', '1:8', 'tests is an object, but must be a list'],
    ['an empty one', 'tests: []', '1:8', 'tests must not be empty'],
    ['no name', 'tests: [{ object: {} }]', '1:9', 'tests[0] needs the field "name"'],
    [
      'a mistyped field',
      'tests: [{ name: a, finding: [] }]',
      '1:20',
      'unknown field "finding" in tests[0]; did you mean "findings"?',
    ],
    [
      'an action that is none',
      'tests: [{ name: a, findings: [{ field: a, action: Block }] }]',
      '1:51',
      'tests[0].findings[0].action is "Block"; write one of "Deny", "Warn", "Audit"',
    ],
    [
      'a finding that is neither of its forms',
      'tests: [{ name: a, findings: [5] }]',
      '1:31',
      'tests[0].findings[0] is a number; write a string or an object',
    ],
  ])('%s', (_, text, position, message) => {
    const outcome = readPolicyTests(documentOf(text), 'tests.yaml')
    const issues = outcome.ok ? [] : outcome.issues
    expect(issues.map(({ line, column, code, message: said }) => [`${line}:${column}`, code, said])).toContainEqual([
      position,
      'POLICY-TESTS',
      message,
    ])
  })
})
