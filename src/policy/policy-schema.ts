import type { JsonObject } from '../kube/json.ts'

const text = { type: 'string', minLength: 1 } as const
const expression = { type: 'string', minLength: 1, description: 'CEL' } as const
const names = { type: 'array', items: text } as const
const openObject = { type: 'object' } as const
const actions = { type: 'array', minItems: 1, uniqueItems: true, items: { enum: ['Deny', 'Warn', 'Audit'] } } as const
const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', 'SCAN', '*']
const forEach = { anyOf: [text, { ...names, minItems: 1 }] } as const

export const labelSelector = {
  type: 'object',
  additionalProperties: false,
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'operator'],
        properties: { key: text, operator: { enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] }, values: names },
      },
    },
  },
} as const

const resourceRules = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['apiGroups', 'apiVersions', 'resources', 'operations'],
    properties: {
      apiGroups: { type: 'array', minItems: 1, items: { type: 'string' } },
      apiVersions: { ...names, minItems: 1 },
      resources: { ...names, minItems: 1 },
      operations: { type: 'array', minItems: 1, items: { enum: OPERATIONS } },
      resourceNames: names,
    },
  },
} as const

const namedExpressions = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'expression'],
    properties: { name: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' }, expression },
  },
} as const

const fix = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['op', 'path'],
    properties: {
      op: { enum: ['add', 'replace', 'remove', 'prune'] },
      path: { type: 'string' },
      value: {},
      valueExpression: expression,
      besides: names,
    },
  },
} as const

const validation = {
  type: 'object',
  additionalProperties: false,
  properties: {
    forEach,
    when: expression,
    expression,
    findings: expression,
    field: { type: 'string' },
    message: text,
    messageExpression: expression,
    remediation: text,
    remediationExpression: expression,
    fix,
    atMost: { enum: ['Warn', 'Audit'] },
  },
} as const

const defaultRule = {
  type: 'object',
  additionalProperties: false,
  required: ['set'],
  properties: {
    forEach,
    when: expression,
    set: { type: 'object', minProperties: 1, additionalProperties: expression },
    note: text,
  },
} as const

const metadata = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' } },
} as const

/** The shape of a MeshPolicy, as JSON Schema (draft 7). Expressions are checked by the compiler, not here. */
export const meshPolicySchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { const: 'meshward.io/v1alpha1' },
    kind: { const: 'MeshPolicy' },
    metadata,
    spec: {
      type: 'object',
      additionalProperties: false,
      required: ['code', 'title', 'severity', 'matchConstraints'],
      properties: {
        code: { type: 'string', pattern: '^[A-Z][A-Z0-9]*-[0-9]+$' },
        title: text,
        category: text,
        severity: { enum: ['error', 'warning', 'info'] },
        description: text,
        remediation: text,
        failurePolicy: { enum: ['Fail', 'Ignore'] },
        validationActions: actions,
        params: {
          type: 'object',
          additionalProperties: false,
          properties: { schema: openObject, default: openObject },
        },
        matchConstraints: {
          type: 'object',
          additionalProperties: false,
          required: ['resourceRules'],
          properties: {
            resourceRules: { ...resourceRules, minItems: 1 },
            excludeResourceRules: resourceRules,
            namespaceSelector: labelSelector,
            objectSelector: labelSelector,
          },
        },
        matchConditions: namedExpressions,
        variables: namedExpressions,
        validations: { type: 'array', items: validation },
        defaults: { type: 'array', items: defaultRule },
      },
    },
  },
}

/** The shape of a MeshPolicyBinding, as JSON Schema (draft 7). */
export const meshPolicyBindingSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'spec'],
  properties: {
    apiVersion: { const: 'meshward.io/v1alpha1' },
    kind: { const: 'MeshPolicyBinding' },
    metadata: openObject,
    spec: {
      type: 'object',
      additionalProperties: false,
      required: ['policies'],
      properties: {
        policies: { ...names, minItems: 1 },
        match: {
          type: 'object',
          additionalProperties: false,
          properties: {
            namespaces: names,
            excludeNamespaces: names,
            namespaceSelector: labelSelector,
            objectSelector: labelSelector,
            excludeUsers: names,
            excludeGroups: names,
          },
        },
        validationActions: actions,
        unchangedFindings: { enum: ['Warn', 'Deny'] },
        defaultsAction: { enum: ['Inject', 'Off'] },
        params: openObject,
      },
    },
  },
}
