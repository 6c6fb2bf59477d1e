import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { Action, FailurePolicy, MatchConstraints, Operation, Policy, ResourceRule, Severity } from './policy.ts'

/** Everything of a policy but its expressions. */
export type PolicyHead = Omit<Policy, 'program' | 'issues' | 'warnings' | 'source'>

/**
 * Reads code, name, scope and failure policy as far as they can be read: a policy with an error elsewhere still
 * answers where it applies. Undefined where code, name or the resources it applies to are missing.
 */
export function readPolicyHead(document: JsonObject): PolicyHead | undefined {
  const spec = asObject(document.spec)
  const { name } = asObject(document.metadata)
  const { code } = spec
  const match = readMatch(asObject(spec.matchConstraints))
  if (typeof name !== 'string' || typeof code !== 'string' || match.resourceRules.length === 0) return undefined
  const params = asObject(spec.params)
  return {
    name,
    code,
    title: text(spec.title),
    category: text(spec.category) || code.replace(/-\d+$/, '').toLowerCase(),
    severity: oneOf<Severity>(spec.severity, ['error', 'warning', 'info'], 'error'),
    description: text(spec.description),
    remediation: text(spec.remediation),
    failurePolicy: oneOf<FailurePolicy>(spec.failurePolicy, ['Fail', 'Ignore'], 'Fail'),
    validationActions: readActions(spec.validationActions) ?? ['Deny'],
    match,
    params: { schema: isObject(params.schema) ? params.schema : undefined, default: asObject(params.default) },
  }
}

/** The actions of a policy or binding; undefined where none is written. */
export function readActions(value: Json | undefined): readonly Action[] | undefined {
  const known = strings(value).filter((item): item is Action => item === 'Deny' || item === 'Warn' || item === 'Audit')
  return known.length > 0 ? known : undefined
}

/** The strings of a list; anything else in it is left out. */
export function strings(value: Json | undefined): readonly string[] {
  return asList(value).filter((item) => typeof item === 'string')
}

function readMatch(match: JsonObject): MatchConstraints {
  return {
    resourceRules: asList(match.resourceRules).flatMap(readRule),
    excludeResourceRules: asList(match.excludeResourceRules).flatMap(readRule),
    namespaceSelector: match.namespaceSelector,
    objectSelector: match.objectSelector,
  }
}

function readRule(value: Json): readonly ResourceRule[] {
  const rule = asObject(value)
  const resources = strings(rule.resources)
  const operations = strings(rule.operations).filter(isOperation)
  if (resources.length === 0 || operations.length === 0) return []
  return [
    {
      apiGroups: strings(rule.apiGroups),
      apiVersions: strings(rule.apiVersions),
      resources,
      operations,
      resourceNames: strings(rule.resourceNames),
    },
  ]
}

function isOperation(value: string): value is Operation | '*' {
  return ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', 'SCAN', '*'].includes(value)
}

function oneOf<T extends string>(value: Json | undefined, known: readonly T[], fallback: T): T {
  return known.find((item) => item === value) ?? fallback
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value.trim() : ''
}
