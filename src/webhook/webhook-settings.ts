import { formatPath } from '../kube/field-path.ts'
import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { parseYamlDocuments } from '../kube/yaml-document.ts'
import { checkSchema } from '../policy/check-schema.ts'
import { strings } from '../policy/policy-head.ts'
import { labelSelector } from '../policy/policy-schema.ts'

/** What an installation may say about its webhook entries. */
export interface WebhookSettings {
  /** How long the API server waits for an answer. */
  readonly timeoutSeconds: number
  /** `Ignore`: no entry fails closed, whatever the policies say. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** Namespaces whose objects are not sent, beside the own one and kube-system. */
  readonly excludedNamespaces: readonly string[]
  /** Whose requests are not sent; `*` stands for any text. */
  readonly excludedUsers: readonly string[]
  readonly excludedGroups: readonly string[]
  /** Narrows what is sent, as the two below. */
  readonly namespaceSelector: JsonObject
  readonly objectSelector: JsonObject
  readonly matchConditions: readonly Json[]
}

/** A slow answer is worse than none: the API server's default of 10 s holds every apply up. */
export const DEFAULT_SETTINGS: WebhookSettings = {
  timeoutSeconds: 3,
  failurePolicy: 'Fail',
  excludedNamespaces: [],
  excludedUsers: [],
  excludedGroups: [],
  namespaceSelector: {},
  objectSelector: {},
  matchConditions: [],
}

export type SettingsOutcome =
  | { readonly ok: true; readonly settings: WebhookSettings }
  | { readonly ok: false; readonly reason: string }

/** Reads the text of a file of settings; what it does not say stays as in `defaults`. Never throws. */
export function readWebhookSettings(text: string, defaults: WebhookSettings): SettingsOutcome {
  const [first, second] = parseYamlDocuments(text)
  if (first === undefined) return { ok: true, settings: defaults }
  if (!first.ok) return { ok: false, reason: `${first.error.line}:${first.error.column}: ${first.error.message}` }
  if (second !== undefined) return { ok: false, reason: 'there is more than one YAML document; write one' }
  const [issue] = checkSchema(first.document.value, webhookSettingsSchema)
  if (issue !== undefined) {
    const { locate, locateName } = first.document
    const { line, column } = issue.what === 'name' ? locateName(issue.path) : locate(issue.path)
    return { ok: false, reason: `${line}:${column}: ${formatPath(issue.path)}: ${issue.message}` }
  }
  return { ok: true, settings: withDefaults(asObject(first.document.value), defaults) }
}

function withDefaults(said: JsonObject, defaults: WebhookSettings): WebhookSettings {
  const { timeoutSeconds, failurePolicy, matchConditions } = said
  const { namespaceSelector, objectSelector } = said
  return {
    timeoutSeconds: typeof timeoutSeconds === 'number' ? timeoutSeconds : defaults.timeoutSeconds,
    failurePolicy: failurePolicy === 'Ignore' ? 'Ignore' : defaults.failurePolicy,
    excludedNamespaces: strings(said.excludedNamespaces),
    excludedUsers: strings(said.excludedUsers),
    excludedGroups: strings(said.excludedGroups),
    namespaceSelector: isObject(namespaceSelector) ? namespaceSelector : defaults.namespaceSelector,
    objectSelector: isObject(objectSelector) ? objectSelector : defaults.objectSelector,
    matchConditions: asList(matchConditions),
  }
}

const names = { type: 'array', items: { type: 'string', minLength: 1 } } as const

/** The shape of a file of settings, as JSON Schema (draft 7). */
export const webhookSettingsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    // The bounds of admissionregistration.k8s.io/v1.
    timeoutSeconds: { type: 'integer', minimum: 1, maximum: 30 },
    failurePolicy: { enum: ['Fail', 'Ignore'] },
    excludedNamespaces: names,
    excludedUsers: names,
    excludedGroups: names,
    namespaceSelector: labelSelector,
    objectSelector: labelSelector,
    matchConditions: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'expression'],
        properties: { name: { type: 'string', minLength: 1 }, expression: { type: 'string', minLength: 1 } },
      },
    },
  },
} as const
