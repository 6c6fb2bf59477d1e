import { expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { describeCluster } from './harness/describe-cluster.ts'

/** What both policy languages have: a ValidatingAdmissionPolicy and a MeshPolicy of the same words. */
interface Rules {
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly variables?: readonly { readonly name: string; readonly expression: string }[]
  readonly validations: readonly { readonly expression: string; readonly messageExpression?: string }[]
}

const TRUE = [{ expression: 'true' }]

function condition(expression: string): Rules {
  return { matchConditions: [{ name: 'a', expression }], validations: TRUE }
}

function message(messageExpression: string): Rules {
  return { validations: [{ expression: 'true', messageExpression }] }
}

/** A validation behind a variable `a`, and behind `b` that is made of it. */
function variable(a: string, expression: string, b = 'variables.a'): Rules {
  const variables = [
    { name: 'a', expression: a },
    { name: 'b', expression: b },
  ]
  return { variables, validations: [{ expression }] }
}

const CASES: readonly Rules[] = [
  condition('true'),
  condition('dyn(true)'),
  condition('object.spec.flag'),
  condition('object.spec.flag == true'),
  condition("'true'"),
  condition('variables.a'),
  condition("request.operation == 'CREATE'"),
  condition("request.operatoin == 'CREATE'"),
  condition('target == 1'),
  message("'a'"),
  message('object.metadata.name'),
  message('string(object.metadata.name)'),
  message("'a' + object.metadata.name"),
  message('1'),
  message('request.name'),
  message('request.userInfo.groups[0]'),
  message("object.?a.orValue('a')"),
  message("optional.none().orValue('a')"),
  variable('1', 'variables.a == 1'),
  variable('1', "variables.a == 'a'"),
  variable('[1]', "variables.a == ['a']"),
  variable('[1]', 'variables.b[0] == 1'),
  variable('[1]', "variables.b[0] == 'a'"),
  variable("{'a': 1}", "variables.a.b == 'a'"),
  variable("{'a': 1}", 'variables.a.b == 1'),
  variable("quantity('1')", 'variables.a == 5'),
  variable("quantity('1')", "variables.a.isGreaterThan('a')"),
  variable('optional.of(1)', "variables.a.orValue('a') == 1"),
  variable('optional.of(1)', "variables.a == 'a'"),
  variable("duration('1s')", 'variables.a > 1'),
  variable("timestamp('2020-01-01T00:00:00Z')", "variables.a - variables.b > duration('1s')"),
  variable('null', 'variables.a == 1'),
  variable('[]', "variables.a == ['a']"),
  variable('[]', "variables.a[0] == 'a' || variables.a[0] == 1"),
  variable('object', 'variables.a.b.c == 1'),
  variable('request', "variables.a.knd == 'a'"),
  variable('request.kind', "variables.a.knd == 'a'"),
  variable('[request.kind]', "variables.a[0].knd == 'a'"),
  variable('request.userInfo.groups', 'variables.a == [1]'),
  variable('type(1)', 'variables.a == int'),
  variable('type(1)', 'variables.a == 1'),
  variable("b'a'", "variables.a == 'a'"),
  variable('1', 'variables.c == 1'),
  variable('1', 'has(variables.a)'),
  variable('1', 'has(variables.c)'),
  variable('1', 'variables.b', 'variables.a == 1'),
  variable('1', 'variables.b', 'dyn(variables.a == 1)'),
  variable('variables.b', 'true'),
  variable('1', "'a' in variables"),
]

const SCOPE = {
  resourceRules: [
    { apiGroups: ['networking.istio.io'], apiVersions: ['*'], resources: ['virtualservices'], operations: ['CREATE'] },
  ],
}

describeCluster('policies, compiled by the API server and by us', (cluster) => {
  test('compile here where they do there, and nowhere else', async () => {
    const differences: string[] = []
    for (const rules of CASES) {
      const policy = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'compiles' },
        spec: { matchConstraints: SCOPE, ...rules },
      }
      const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], {
        stdin: JSON.stringify(policy),
      })
      const there = !stderr.includes('is invalid')
      const here = compiles({ ...rules })
      if (there !== here) differences.push(`${JSON.stringify(rules)}: there ${there}, here ${here}; ${stderr}`)
    }
    expect(differences).toEqual([])
  })
})

function compiles({ validations, ...rules }: Rules): boolean {
  const spec = {
    code: 'TEST-1',
    title: 'A rule',
    severity: 'error',
    matchConstraints: SCOPE,
    ...rules,
    validations: validations.map((validation): JsonObject => ({ message: 'x', ...validation })),
  }
  const text = { apiVersion: 'meshward.io/v1alpha1', kind: 'MeshPolicy', metadata: { name: 'compiles' }, spec }
  const [document] = parseYamlDocuments(JSON.stringify(text))
  if (document?.ok !== true) throw new Error('no document')
  const outcome = createPolicyCompiler([]).compile(document.document, 'policy.yaml')
  if (!outcome.ok) throw new Error(outcome.issues.map((issue) => issue.message).join('; '))
  return outcome.policy.issues.length === 0
}
