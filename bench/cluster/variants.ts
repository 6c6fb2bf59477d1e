import type { JsonObject } from '../../src/kube/json.ts'
import { urlClientConfig, webhookEntry } from '../../test/cluster/harness/webhook-entry.ts'

/** Where a webhook is reached. */
export interface Webhook {
  readonly url: string
  readonly ca: string
}

/** Something that stands in the way of requests to one namespace, and nothing in the way of the others. */
export interface Variant {
  readonly name: string
  readonly namespace: string
  readonly validating: readonly JsonObject[]
  readonly mutating: readonly JsonObject[]
}

/** Nothing; a webhook that always allows; Meshward; each of them asked once and, as it is installed, twice. */
export function webhookVariants(allow: Webhook, meshward: Webhook): readonly Variant[] {
  return [
    { name: 'nothing', namespace: 'bench-nothing', validating: [], mutating: [] },
    ...twice('always allows', 'bench-allow', allow, { validate: '/validate', mutate: '/validate' }),
    ...twice('Meshward', 'bench-meshward', meshward, { validate: '/validate', mutate: '/mutate' }),
  ]
}

function twice(
  name: string,
  namespace: string,
  { url, ca }: Webhook,
  paths: { readonly validate: string; readonly mutate: string },
): readonly Variant[] {
  const entryFor = (target: string, path: string): JsonObject => ({
    ...webhookEntry({
      name: `${target}.bench.meshward.io`,
      clientConfig: urlClientConfig(`${url}${path}`, ca),
      rules: [VIRTUAL_SERVICES],
      failurePolicy: 'Fail',
    }),
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': target } },
  })
  const both = `${namespace}-both`
  return [
    { name: `${name}, validating`, namespace, validating: [entryFor(namespace, paths.validate)], mutating: [] },
    {
      name: `${name}, mutating and validating`,
      namespace: both,
      validating: [entryFor(both, paths.validate)],
      mutating: [entryFor(both, paths.mutate)],
    },
  ]
}

const VIRTUAL_SERVICES = {
  apiGroups: ['networking.istio.io'],
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['virtualservices'],
}

/** The namespace that the ten ValidatingAdmissionPolicies are bound to. */
export const POLICIES_NAMESPACE = 'bench-policies'

/** Ten policies over the routes of VirtualServices, of the kind that people write with what Kubernetes has. */
export function tenPolicies(): readonly JsonObject[] {
  return EXPRESSIONS.flatMap((expression, index) => {
    const metadata = { name: `bench-${index}` }
    const apiVersion = 'admissionregistration.k8s.io/v1'
    return [
      {
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata,
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: { resourceRules: [VIRTUAL_SERVICES] },
          validations: [{ expression }],
        },
      },
      {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata,
        spec: {
          policyName: metadata.name,
          validationActions: ['Deny'],
          matchResources: {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': POLICIES_NAMESPACE } },
          },
        },
      },
    ]
  })
}

const ROUTES = 'object.spec.http'
const EXPRESSIONS = [
  `${ROUTES}.all(r, has(r.timeout) && duration(r.timeout) > duration('0s') && duration(r.timeout) <= duration('60s'))`,
  `${ROUTES}.all(r, !has(r.retries) || r.retries.attempts <= 3)`,
  `${ROUTES}.all(r, !has(r.retries) || r.retries.attempts == 0 || has(r.retries.perTryTimeout))`,
  `${ROUTES}.all(r, !has(r.retries) || !has(r.retries.perTryTimeout) || duration(r.retries.perTryTimeout) <= duration(r.timeout))`,
  `${ROUTES}.all(r, !has(r.retries) || !has(r.retries.retryOn) || !r.retries.retryOn.contains('5xx'))`,
  `${ROUTES}.all(r, !has(r.fault))`,
  `${ROUTES}.all(r, !has(r.corsPolicy) || !has(r.corsPolicy.allowOrigins) || r.corsPolicy.allowOrigins.all(o, !has(o.exact) || o.exact != '*'))`,
  `${ROUTES}.all(r, r.route.all(d, d.destination.host != '*'))`,
  `${ROUTES}.all(r, r.route.size() == 1 || r.route.map(d, d.weight).sum() == 100)`,
  `object.spec.hosts.all(h, h != '*' && !h.startsWith('*.'))`,
]
