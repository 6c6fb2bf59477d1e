import { asList, asObject, type Json, type JsonObject } from '../kube/json.ts'
import { matchesAnyGlob } from '../kube/glob.ts'
import { labelsOf } from '../kube/object.ts'
import { matchesLabelSelector } from '../kube/selector.ts'
import type { BindingScope } from '../policy/binding.ts'
import { covers, type BoundPolicy } from '../policy/policy-set.ts'
import type { MatchConstraints, ResourceRule } from '../policy/policy.ts'
import type { AdmissionRequest } from './request.ts'

/** Labels of the request's namespace, as far as they are known. */
export type NamespaceLabels =
  /** The labels are known, or the object is cluster-scoped and has no namespace (`labels` undefined). */
  | { readonly known: true; readonly labels: Readonly<Record<string, string>> | undefined }
  | { readonly known: false; readonly labels: Readonly<Record<string, string>> }

export type Applicability = 'yes' | 'no' | { readonly unknownNamespace: string }

/**
 * Is this bound policy for this request, by its match constraints and its binding's scope? Namespace selectors over
 * labels that nobody knows are neither yes nor no: the policy then answers by its failure policy.
 */
export function applies(bound: BoundPolicy, request: AdmissionRequest, namespace: NamespaceLabels): Applicability {
  const { match } = bound.policy
  if (!match.resourceRules.some((rule) => ruleMatches(rule, request))) return 'no'
  if (match.excludeResourceRules.some((rule) => ruleMatches(rule, request))) return 'no'
  if (!scopeNames(bound.scope, request)) return 'no'
  if (!selectsObject(match, request) || !selectsObject(bound.scope, request)) return 'no'
  const byPolicy = selectsNamespace(match.namespaceSelector, namespace)
  const byBinding = selectsNamespace(bound.scope.namespaceSelector, namespace)
  if (byPolicy === 'no' || byBinding === 'no') return 'no'
  return byPolicy === 'yes' && byBinding === 'yes' ? 'yes' : { unknownNamespace: request.namespace }
}

/**
 * Of a namespace that nobody knows only `kubernetes.io/metadata.name` is certain: what a selector asks of that is
 * decided, what it asks of other labels is not, whether they would have to be there or to be absent.
 */
function selectsNamespace(selector: Json | undefined, namespace: NamespaceLabels): 'yes' | 'no' | 'unknown' {
  const { labels } = namespace
  // As in Kubernetes, a namespace selector does not speak of cluster-scoped objects.
  if (selector === undefined || labels === undefined) return 'yes'
  if (namespace.known) return matchesLabelSelector(selector, labels) ? 'yes' : 'no'
  const { certain, open } = split(selector)
  if (!matchesLabelSelector(certain, labels)) return 'no'
  return open ? 'unknown' : 'yes'
}

/** The part of a selector that asks for the name of the namespace, and whether there is another. */
function split(selector: Json): { readonly certain: JsonObject; readonly open: boolean } {
  const { matchLabels, matchExpressions } = asObject(selector)
  const labels = Object.entries(asObject(matchLabels))
  const named = labels.filter(([key]) => key === NAME_LABEL)
  const expressions = asList(matchExpressions)
  const namedExpressions = expressions.filter((item) => asObject(item).key === NAME_LABEL)
  return {
    certain: { matchLabels: Object.fromEntries(named), matchExpressions: namedExpressions },
    open: named.length < labels.length || namedExpressions.length < expressions.length,
  }
}

/** The API server puts it on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name'

function ruleMatches(rule: ResourceRule, request: AdmissionRequest): boolean {
  const { group, version, resource } = request.resource
  const name = request.subResource === '' ? resource : `${resource}/${request.subResource}`
  return (
    covers(rule, group, name, request.operation) &&
    (rule.apiVersions.includes('*') || rule.apiVersions.includes(version)) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(request.name))
  )
}

function scopeNames(scope: BindingScope, request: AdmissionRequest): boolean {
  if (scope.namespaces.length > 0 && !matchesAnyGlob(scope.namespaces, request.namespace)) return false
  if (matchesAnyGlob(scope.excludeNamespaces, request.namespace)) return false
  if (matchesAnyGlob(scope.excludeUsers, request.userInfo.username)) return false
  return !request.userInfo.groups.some((group) => matchesAnyGlob(scope.excludeGroups, group))
}

/** As in Kubernetes, an object selector is met when the new or the old object meets it. */
function selectsObject(
  { objectSelector }: Pick<MatchConstraints | BindingScope, 'objectSelector'>,
  request: AdmissionRequest,
): boolean {
  if (objectSelector === undefined) return true
  const selects = (object: JsonObject | null): boolean =>
    object !== null && matchesLabelSelector(objectSelector, labelsOf(object))
  return selects(request.object) || selects(request.oldObject)
}
