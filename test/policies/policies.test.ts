import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, test } from 'vitest'

import { missingExamples, runPolicyTests } from '../../src/engine/run-policy-tests.ts'
import { isObject } from '../../src/kube/json.ts'
import { parseYamlDocuments, type YamlDocument } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { createPolicySet } from '../../src/policy/policy-set.ts'
import { readPolicyTests, type PolicyTest } from '../../src/policy/policy-tests.ts'
import type { Policy, PolicyIssue } from '../../src/policy/policy.ts'

const compiler = createPolicyCompiler(MESH_FUNCTIONS)
const folders = readdirSync('policies', { recursive: true, encoding: 'utf8' })
  .filter((file) => basename(file) === 'policy.yaml')
  .map((file) => `policies/${dirname(file)}`)
  .sort()
const read = folders.map(readFolder)
const shipped = read.filter((outcome) => outcome.ok)

test('every folder can be read', () => {
  expect(read.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason]))).toEqual([])
})

describe.each(shipped)('$folder', ({ folder, policy, tests }) => {
  test('compiles, with nothing to complain about', () => {
    expect({ issues: policy.issues, warnings: policy.warnings }).toEqual({ issues: [], warnings: [] })
  })

  test('is called like its folder and filed under its category', () => {
    expect(folder).toBe(`policies/${policy.category}/${policy.name}`)
  })

  test('says what it is about, and what to do', () => {
    const { title, description, remediation } = policy
    expect({ title, description, remediation }).not.toContain('')
    expect(remediation, 'an imperative that reads on after a semicolon').toMatch(/^[a-z].*[^.]$/)
  })

  test('describes each of its parameters and gives each a value or leaves it to the user', () => {
    const properties = policy.params.schema?.properties
    const described = isObject(properties) ? Object.entries(properties) : []
    for (const [name, schema] of described)
      expect(schema, name).toMatchObject({ description: expect.stringMatching(/./) })
    expect(described.map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(policy.params.default)))
    if (described.length > 0) expect(policy.params.schema).toMatchObject({ additionalProperties: false })
  })

  test('has an example that fails and one that passes, none of them twice', () => {
    expect(missingExamples(tests)).toEqual([])
    expect(tests.map(({ name }) => name)).toEqual([...new Set(tests.map(({ name }) => name))])
  })

  test.each(runPolicyTests(policy, tests).map((result) => ({ name: result.test.name, problems: result.problems })))(
    '$name',
    ({ problems }) => {
      expect(problems).toEqual([])
    },
  )
})

describe('all shipped policies together', () => {
  const policies = shipped.map(({ policy }) => policy)

  test('make one set: no name or code twice, no two defaults for one place, defaults that fit their schema', () => {
    const outcome = createPolicySet({ policies, bindings: [], enforcement: 'enforce' })
    expect(outcome.ok ? [] : outcome.issues).toEqual([])
  })

  test('deny, but for those that only warn', () => {
    const mild = policies.filter(({ validationActions }) => !validationActions.includes('Deny')).map(({ code }) => code)
    expect(mild.toSorted()).toEqual([
      'AMB-06',
      'AMB-07',
      'AMB-08',
      'AMB-09',
      'AMB-10',
      'AMB-11',
      'AMB-18',
      'AMB-20',
      'AMB-23',
      'AMB-25',
      'AUTHZ-02',
      'AUTHZ-09',
      'AUTHZ-10',
      'AUTHZ-16',
      'AUTHZ-23',
      'AUTHZ-30',
      'DR-01',
      'DR-02',
      'DR-04',
      'DR-09',
      'DR-10',
      'GW-06',
      'INJ-01',
      'INJ-08',
      'INJ-09',
      'MTLS-08',
      'MTLS-20',
      'RES-04',
      'RES-05',
      'RES-11',
      'SCOPE-03',
      'SCOPE-04',
      'SCOPE-16',
      'SE-02',
      'SE-03',
      'SVC-01',
      'SVC-04',
      'SVC-07',
      'VS-01',
      'VS-02',
      'VS-03',
      'VS-05',
      'VS-06',
      'VS-08',
      'VS-11',
      'VS-12',
    ])
  })
})

type Folder =
  | { readonly ok: true; readonly folder: string; readonly policy: Policy; readonly tests: readonly PolicyTest[] }
  | { readonly ok: false; readonly reason: string }

/** A folder that cannot be read is one failing test, and the others are still run. */
function readFolder(folder: string): Folder {
  try {
    return { ok: true, folder, policy: readPolicy(`${folder}/policy.yaml`), tests: readTests(`${folder}/tests.yaml`) }
  } catch (error) {
    return { ok: false, reason: String(error) }
  }
}

function readPolicy(file: string): Policy {
  const outcome = compiler.compile(readDocument(file), file)
  if (outcome.ok) return outcome.policy
  throw new Error(outcome.issues.map(describeIssue).join('\n'))
}

function readTests(file: string): readonly PolicyTest[] {
  const outcome = readPolicyTests(readDocument(file), file)
  if (outcome.ok) return outcome.tests
  throw new Error(outcome.issues.map(describeIssue).join('\n'))
}

function readDocument(file: string): YamlDocument {
  const [outcome, ...more] = parseYamlDocuments(readFileSync(file, 'utf8'))
  if (outcome === undefined || more.length > 0) throw new Error(`${file} must hold exactly one document`)
  if (outcome.ok) return outcome.document
  throw new Error(describeIssue({ file, ...outcome.error }))
}

function describeIssue({ file, line, column, message }: Omit<PolicyIssue, 'code'>): string {
  return `${file}:${line}:${column}: ${message}`
}
