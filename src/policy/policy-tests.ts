import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { isKubeObject, type KubeObject } from '../kube/object.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import { checkSchema } from './check-schema.ts'
import type { Operation, PolicyIssue } from './policy.ts'
import { shapeIssues } from './shape-issues.ts'

/** One example of a policy: an object, the mesh around it, and what must come of it. */
export interface PolicyTest {
  /** A sentence. */
  readonly name: string
  readonly operation: Operation
  readonly object: JsonObject | null
  readonly oldObject: JsonObject | null
  /** The namespace of an object that names none. */
  readonly namespace: string
  readonly user: { readonly username: string; readonly groups: readonly string[] }
  readonly mesh: readonly KubeObject[]
  /** Laid over the policy's default parameters. */
  readonly params: JsonObject
  /** Exactly these findings, in any order; each with the keys that are written. Empty = the object passes. */
  readonly findings: readonly ExpectedFinding[] | undefined
  /** Exactly these defaults are filled: value by field. */
  readonly filled: JsonObject | undefined
  /** The object after the fixes of its findings. */
  readonly fixed: JsonObject | undefined
  readonly position: { readonly line: number; readonly column: number }
}

export interface ExpectedFinding {
  readonly field: string
  readonly message?: string
  readonly remediation?: string
  readonly action?: string
  readonly outcome?: string
}

export type ReadTestsOutcome =
  | { readonly ok: true; readonly tests: readonly PolicyTest[] }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/** Reads the `tests.yaml` of a policy. Never throws. */
export function readPolicyTests(document: YamlDocument, file: string): ReadTestsOutcome {
  const issues = shapeIssues(checkSchema(document.value, testsSchema), { document, file, code: 'POLICY-TESTS' })
  if (issues.length > 0) return { ok: false, issues }
  const tests = asList(asObject(document.value).tests).map((item, index) => readTest(asObject(item), document, index))
  return { ok: true, tests }
}

function readTest(test: JsonObject, document: YamlDocument, index: number): PolicyTest {
  const user = asObject(test.user)
  return {
    name: typeof test.name === 'string' ? test.name : '',
    operation: operationOf(test.operation),
    object: isObject(test.object) ? test.object : null,
    oldObject: isObject(test.oldObject) ? test.oldObject : null,
    namespace: typeof test.namespace === 'string' ? test.namespace : 'default',
    user: {
      username: typeof user.username === 'string' ? user.username : '',
      groups: asList(user.groups).filter((group) => typeof group === 'string'),
    },
    mesh: asList(test.mesh).filter(isKubeObject),
    params: asObject(test.params),
    findings: test.findings === undefined ? undefined : asList(test.findings).map(readExpected),
    filled: isObject(test.filled) ? test.filled : undefined,
    fixed: isObject(test.fixed) ? test.fixed : undefined,
    position: document.locate(['tests', index]),
  }
}

function readExpected(value: Json): ExpectedFinding {
  if (typeof value === 'string') return { field: value }
  const { field, message, remediation, action, outcome } = asObject(value)
  return {
    field: typeof field === 'string' ? field : '',
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof remediation === 'string' ? { remediation } : {}),
    ...(typeof action === 'string' ? { action } : {}),
    ...(typeof outcome === 'string' ? { outcome } : {}),
  }
}

function operationOf(value: Json | undefined): Operation {
  return value === 'UPDATE' || value === 'DELETE' || value === 'SCAN' ? value : 'CREATE'
}

const anObject = { type: 'object' } as const

const testsSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['tests'],
  properties: {
    tests: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', minLength: 1 },
          operation: { enum: ['CREATE', 'UPDATE', 'DELETE', 'SCAN'] },
          object: anObject,
          oldObject: anObject,
          namespace: { type: 'string' },
          user: {
            type: 'object',
            additionalProperties: false,
            properties: { username: { type: 'string' }, groups: { type: 'array', items: { type: 'string' } } },
          },
          mesh: { type: 'array', items: anObject },
          params: anObject,
          findings: {
            type: 'array',
            items: {
              anyOf: [
                { type: 'string' },
                {
                  type: 'object',
                  additionalProperties: false,
                  required: ['field'],
                  properties: {
                    field: { type: 'string' },
                    message: { type: 'string' },
                    remediation: { type: 'string' },
                    action: { enum: ['Deny', 'Warn', 'Audit'] },
                    outcome: { enum: ['fail', 'error', 'skip'] },
                  },
                },
              ],
            },
          },
          filled: anObject,
          fixed: anObject,
        },
      },
    },
  },
}
