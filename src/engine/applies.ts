import { asList, asObject, type JsonObject } from '../kube/json.ts'
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
  for (const selector of [match.namespaceSelector, bound.scope.namespaceSelector]) {
    if (selector === undefined || namespace.labels === undefined) continue
    if (matchesLabelSelector(selector, namespace.labels)) continue
    if (namespace.known || !needsMore(selector)) return 'no'
    return { unknownNamespace: request.namespace }
  }
  return 'yes'
}

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

/** `kubernetes.io/metadata.name` is always known; a selector over it alone can be decided without the Namespace. */
function needsMore(selector: unknown): boolean {
  return selectorKeys(selector).some((key) => key !== 'kubernetes.io/metadata.name')
}

function selectorKeys(selector: unknown): readonly string[] {
  const { matchLabels, matchExpressions } = asObject(selector)
  const expressed = asList(matchExpressions).map((item) => asObject(item).key)
  return [...Object.keys(asObject(matchLabels)), ...expressed.filter((key) => typeof key === 'string')]
}
