import { asList, type Json, type JsonObject } from '../kube/json.ts'
import type { BoundPolicy, PolicySet } from '../policy/policy-set.ts'
import type { Operation } from '../policy/policy.ts'
import { matchConditions } from './match-conditions.ts'
import { DEFAULT_SETTINGS, type WebhookSettings } from './webhook-settings.ts'

/** Where the API server reaches the webhook, and what it must never ask it about. */
export interface WebhookTarget {
  /** Of both configurations. */
  readonly name: string
  readonly clientConfig: (path: '/validate' | '/mutate') => JsonObject
  /** Namespaces whose objects are never sent: the own one and kube-system, nothing wider. */
  readonly excludedNamespaces: readonly string[]
  /** Where istiod's readiness probe creates its invalid Gateway. */
  readonly istioNamespace: string
  /** The installation's own wishes; `DEFAULT_SETTINGS` when left out. */
  readonly settings?: WebhookSettings
}

/** Workload kinds, Services and Namespaces: a cluster must be able to make these whatever happens to us. */
const NEVER_FAIL_CLOSED = new Set(['', 'apps', 'batch', 'argoproj.io'])

/**
 * The webhook lists of both configurations for the policies in force. Kinds are partitioned by failure policy, so that
 * one object meets exactly one validating and at most one mutating entry and gets all its findings in one answer.
 */
export function webhookLists(
  set: PolicySet,
  target: WebhookTarget,
): { readonly validating: Json; readonly mutating: Json } {
  const validating = new Map<string, Rule>()
  const mutating = new Map<string, Rule>()
  for (const bound of set.bound) {
    collect(validating, bound, ({ program }) => program === undefined || program.validations.length > 0)
    if (bound.defaultsAction === 'Inject')
      collect(mutating, bound, ({ program }) => (program?.defaults.length ?? 0) > 0)
  }
  const mayFail = settingsOf(target).failurePolicy === 'Fail'
  const closed = [...validating.values()].filter(({ failsClosed }) => mayFail && failsClosed)
  const open = [...validating.values()].filter(({ failsClosed }) => !mayFail || !failsClosed)
  return {
    validating: [
      ...entry(target, {
        name: 'closed.validate.meshward.io',
        path: '/validate',
        failurePolicy: 'Fail',
        rules: closed,
      }),
      ...entry(target, { name: 'open.validate.meshward.io', path: '/validate', failurePolicy: 'Ignore', rules: open }),
    ],
    mutating: entry(target, {
      name: 'mutate.meshward.io',
      path: '/mutate',
      failurePolicy: 'Ignore',
      rules: [...mutating.values()],
      // What another webhook adds may lack a default of ours.
      reinvocationPolicy: 'IfNeeded',
    }),
  }
}

/** What is asked about one resource. */
interface Rule {
  readonly group: string
  readonly resource: string
  readonly operations: ReadonlySet<Operation | '*'>
  readonly failsClosed: boolean
}

function collect(
  rules: Map<string, Rule>,
  { policy }: BoundPolicy,
  counts: (policy: BoundPolicy['policy']) => boolean,
): void {
  if (!counts(policy)) return
  for (const { apiGroups, resources, operations: all } of policy.match.resourceRules) {
    const operations = all.filter((operation) => operation !== 'SCAN')
    if (operations.length === 0) continue
    for (const group of apiGroups) {
      for (const resource of resources) {
        const key = `${group}/${resource}`
        const known = rules.get(key)
        const failsClosed = policy.failurePolicy === 'Fail' && !NEVER_FAIL_CLOSED.has(group)
        rules.set(key, {
          group,
          resource,
          operations: new Set([...(known?.operations ?? []), ...operations]),
          failsClosed: failsClosed || (known?.failsClosed ?? false),
        })
      }
    }
  }
}

interface Entry {
  readonly name: string
  readonly path: '/validate' | '/mutate'
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly rules: readonly Rule[]
  readonly reinvocationPolicy?: 'IfNeeded'
}

function settingsOf({ settings }: WebhookTarget): WebhookSettings {
  return settings ?? DEFAULT_SETTINGS
}

function entry(target: WebhookTarget, { rules, path, ...rest }: Entry): readonly JsonObject[] {
  if (rules.length === 0) return []
  const settings = settingsOf(target)
  const { timeoutSeconds, objectSelector } = settings
  return [
    {
      ...rest,
      clientConfig: target.clientConfig(path),
      rules: grouped(rules),
      namespaceSelector: namespaceSelector(target),
      objectSelector,
      matchConditions: [...matchConditions(target.istioNamespace, settings), ...settings.matchConditions],
      matchPolicy: 'Equivalent',
      sideEffects: 'None',
      timeoutSeconds,
      admissionReviewVersions: ['v1'],
    },
  ]
}

/** Never the excluded namespaces, and of the rest those that the installation asks for. */
function namespaceSelector(target: WebhookTarget): JsonObject {
  const { namespaceSelector, excludedNamespaces } = settingsOf(target)
  const values = [...new Set([...target.excludedNamespaces, ...excludedNamespaces])]
  const expression = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values }
  return { ...namespaceSelector, matchExpressions: [expression, ...asList(namespaceSelector.matchExpressions)] }
}

/** Resources of one group with the same operations share a rule; order is that of names, so that nothing drifts. */
function grouped(rules: readonly Rule[]): readonly JsonObject[] {
  const groups = new Map<string, { group: string; operations: readonly string[]; resources: string[] }>()
  const ordered = rules.toSorted((a, b) => (`${a.group}/${a.resource}` < `${b.group}/${b.resource}` ? -1 : 1))
  for (const { group, resource, operations } of ordered) {
    const sorted = [...operations].sort()
    const key = `${group} ${sorted.join()}`
    const known = groups.get(key)
    if (known === undefined) groups.set(key, { group, operations: sorted, resources: [resource] })
    else known.resources.push(resource)
  }
  return [...groups.values()].map(({ group, operations, resources }) => ({
    apiGroups: [group],
    apiVersions: ['*'],
    resources,
    operations,
    scope: '*',
  }))
}
