import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import { checkSchema } from './check-schema.ts'
import { meshPolicyBindingSchema } from './policy-schema.ts'
import { readActions, strings } from './policy-head.ts'
import type { Action, Policy, PolicyIssue } from './policy.ts'
import { shapeIssues } from './shape-issues.ts'

/** Where and how policies apply: the text of a MeshPolicyBinding, read. */
export interface Binding {
  readonly name: string
  /** Names, codes or patterns of either. */
  readonly policies: readonly string[]
  readonly scope: BindingScope
  /** Undefined: the policy's own. */
  readonly validationActions: readonly Action[] | undefined
  readonly unchangedFindings: UnchangedFindings
  readonly defaultsAction: DefaultsAction
  /** Laid over the policy's defaults, key by key. */
  readonly params: JsonObject
  /** For messages about it. */
  readonly position: { readonly file: string; readonly line: number; readonly column: number }
}

/** A named set of bindings. Patterns of it that name no policy mean nothing: policies may have been replaced. */
export interface Profile {
  readonly name: string
  readonly bindings: readonly Binding[]
}

/** What a finding that the old object already had leads to: a warning, or what the binding says for new ones. */
export type UnchangedFindings = 'Warn' | 'Deny'

export type DefaultsAction = 'Inject' | 'Off'

/** Which requests a binding is for. Namespaces, users and groups may be patterns with `*`. */
export interface BindingScope {
  /** Empty = all. */
  readonly namespaces: readonly string[]
  readonly excludeNamespaces: readonly string[]
  readonly namespaceSelector: Json | undefined
  readonly objectSelector: Json | undefined
  readonly excludeUsers: readonly string[]
  readonly excludeGroups: readonly string[]
}

export type ReadBindingOutcome =
  | { readonly ok: true; readonly binding: Binding }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/** Reads one MeshPolicyBinding document. Never throws. */
export function readBinding(document: YamlDocument, file: string): ReadBindingOutcome {
  const found = checkSchema(document.value, meshPolicyBindingSchema)
  const issues = shapeIssues(found, { document, file, code: 'BINDING-SHAPE' })
  if (issues.length > 0) return { ok: false, issues }
  const root = asObject(document.value)
  const spec = asObject(root.spec)
  const { name } = asObject(root.metadata)
  const binding: Binding = {
    name: typeof name === 'string' ? name : strings(spec.policies).join(', '),
    policies: strings(spec.policies),
    scope: readScope(asObject(spec.match)),
    validationActions: readActions(spec.validationActions),
    unchangedFindings: spec.unchangedFindings === 'Deny' ? 'Deny' : 'Warn',
    defaultsAction: spec.defaultsAction === 'Off' ? 'Off' : 'Inject',
    params: isObject(spec.params) ? spec.params : {},
    position: { file, ...document.locate(['spec', 'policies']) },
  }
  return { ok: true, binding }
}

/** The binding that ships with a policy: everywhere, with the policy's own actions and parameters. */
export function shippedBinding(policy: Policy): Binding {
  return {
    name: policy.name,
    policies: [policy.name],
    scope: readScope({}),
    validationActions: undefined,
    unchangedFindings: 'Warn',
    defaultsAction: 'Inject',
    params: {},
    position: { file: policy.source.file, line: 1, column: 1 },
  }
}

function readScope(match: JsonObject): BindingScope {
  return {
    namespaces: strings(match.namespaces),
    excludeNamespaces: strings(match.excludeNamespaces),
    namespaceSelector: selector(match.namespaceSelector),
    objectSelector: selector(match.objectSelector),
    excludeUsers: strings(match.excludeUsers),
    excludeGroups: strings(match.excludeGroups),
  }
}

/** An empty selector selects everything, so it need not be asked. */
function selector(value: Json | undefined): Json | undefined {
  const { matchLabels, matchExpressions } = asObject(value)
  const empty = Object.keys(asObject(matchLabels)).length === 0 && asList(matchExpressions).length === 0
  return empty ? undefined : value
}
