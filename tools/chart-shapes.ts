import { valueAt } from '../src/kube/field-path.ts'
import { asObject, type JsonObject } from '../src/kube/json.ts'
import { meshPolicyBindingSchema, meshPolicySchema } from '../src/policy/policy-schema.ts'
import { webhookSettingsSchema } from '../src/webhook/webhook-settings.ts'

const open = { type: 'object' } as const
const name = { type: 'string', minLength: 1 } as const
const names = { type: 'array', uniqueItems: true, items: name } as const
const texts = { type: 'object', additionalProperties: { type: 'string' } } as const
/** Objects of Kubernetes' API, which judges them better than a schema that would have to follow it. */
const objects = { type: 'array', items: open } as const
const namespace = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' } as const
const namespaces = { type: 'array', uniqueItems: true, items: namespace } as const
const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const
const positive = { type: 'integer', minimum: 1 } as const
/** As the command line reads them. */
const duration = { type: 'string', pattern: '^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$' } as const
/** As Go reads them, for objects of cert-manager. */
const goDuration = { type: 'string', pattern: '^([0-9]+([.][0-9]+)?(ms|s|m|h))+$' } as const
const scrapeDuration = { type: 'string', pattern: '^([0-9]+(ms|s|m|h))*$' } as const
const countOrPercent = { type: ['integer', 'string'], minimum: 0, pattern: '^[0-9]+%$' } as const
const quantities = { type: 'object', additionalProperties: { type: ['string', 'number'] } } as const
const httpUrl = { type: 'string', pattern: '^(https?://[^/ ].*)?$' } as const

const probe = {
  type: 'object',
  additionalProperties: false,
  properties: {
    initialDelaySeconds: { type: 'integer', minimum: 0 },
    periodSeconds: positive,
    timeoutSeconds: positive,
    failureThreshold: positive,
    successThreshold: positive,
  },
} as const

const updateStrategy = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { enum: ['RollingUpdate', 'Recreate'] },
    rollingUpdate: {
      type: 'object',
      additionalProperties: false,
      properties: { maxUnavailable: countOrPercent, maxSurge: countOrPercent },
    },
  },
} as const

const resources = {
  type: 'object',
  additionalProperties: false,
  properties: { requests: quantities, limits: quantities, claims: objects },
} as const

/** `policies.settings`: the spec of a binding, with a shorter word for its actions. */
function setting(): JsonObject {
  const { validationActions, ...fields } = asObject(
    valueAt(meshPolicyBindingSchema, ['properties', 'spec', 'properties']),
  )
  const properties = { ...fields, actions: validationActions }
  return { type: 'object', additionalProperties: false, required: ['policies'], properties }
}

/** `policies.own`: a text is checked by whoever compiles it, an object of YAML here. */
const ownPolicies: JsonObject = {
  type: 'object',
  additionalProperties: false,
  patternProperties: {
    '^[A-Za-z0-9][-._A-Za-z0-9]*[.]ya?ml$': { ...meshPolicySchema, type: ['string', 'object'], minLength: 1 },
  },
}

const extraRead = {
  type: 'object',
  additionalProperties: false,
  required: ['apiGroups', 'resources'],
  properties: {
    apiGroups: { type: 'array', minItems: 1, items: { type: 'string' } },
    resources: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[a-z0-9]+$' } },
  },
} as const

const settings = webhookSettingsSchema.properties

const profiles = ['baseline', 'strict', 'resilient', 'ambient']

/** What values of the chart may be, beyond the type of their default. */
export const CHART_SHAPES: Readonly<Record<string, JsonObject>> = {
  nameOverride: { type: 'string', pattern: '^([a-z]([-a-z0-9]*[a-z0-9])?)?$' },
  labels: texts,
  annotations: texts,
  enforcement: { enum: ['enforce', 'warn', 'off'] },
  profile: { oneOf: [{ enum: ['', ...profiles] }, { type: 'array', uniqueItems: true, items: { enum: profiles } }] },
  'istio.namespace': namespace,
  'policies.disabled': { ...names, items: { type: 'string', pattern: '^[A-Za-z0-9.*-]+$' } },
  'policies.settings': { type: 'array', items: setting() },
  'policies.own': ownPolicies,
  'policies.bindings': { type: 'array', items: meshPolicyBindingSchema },
  'policies.extraReads': { type: 'array', items: extraRead },
  'webhook.timeoutSeconds': settings.timeoutSeconds,
  'webhook.failurePolicy': settings.failurePolicy,
  'webhook.excludedNamespaces': namespaces,
  'webhook.excludedUsers': settings.excludedUsers,
  'webhook.excludedGroups': settings.excludedGroups,
  'webhook.namespaceSelector': settings.namespaceSelector,
  'webhook.objectSelector': settings.objectSelector,
  'webhook.matchConditions': settings.matchConditions,
  'webhook.url': { type: 'string', pattern: '^(https://[^/?#@]+/?)?$' },
  'webhook.port': port,
  'webhook.listenAddress': name,
  'certificates.mode': { enum: ['self', 'cert-manager', 'existing'] },
  'certificates.self.caValidity': duration,
  'certificates.self.leafValidity': duration,
  'certificates.self.rotateBefore': duration,
  'certificates.certManager.issuerRef.kind': name,
  'certificates.certManager.duration': goDuration,
  'certificates.certManager.renewBefore': goDuration,
  'image.repository': name,
  'image.digest': { type: 'string', pattern: '^([a-z0-9]+:[0-9a-f]{32,})?$' },
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'image.pullSecrets': {
    type: 'array',
    items: { type: 'object', additionalProperties: false, required: ['name'], properties: { name } },
  },
  'autoscaling.minReplicas': positive,
  'autoscaling.maxReplicas': positive,
  'autoscaling.targetCPUUtilizationPercentage': positive,
  'podDisruptionBudget.maxUnavailable': countOrPercent,
  updateStrategy,
  affinity: open,
  topologySpreadConstraints: objects,
  nodeSelector: texts,
  tolerations: objects,
  resources,
  podSecurityContext: open,
  securityContext: open,
  podLabels: texts,
  podAnnotations: texts,
  extraArgs: { type: 'array', items: { type: 'string', pattern: '^--[a-z]' } },
  extraEnv: objects,
  extraVolumes: objects,
  extraVolumeMounts: objects,
  'probes.startup': probe,
  'probes.readiness': probe,
  'probes.liveness': probe,
  lifecycle: open,
  shutdownDelay: duration,
  terminationGracePeriodSeconds: positive,
  dnsPolicy: { enum: ['', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] },
  'service.type': { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
  'service.port': port,
  'service.annotations': texts,
  'serviceAccount.annotations': texts,
  'rbac.secretNamespaces': namespaces,
  'networkPolicy.egress': objects,
  logLevel: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] },
  maxInFlight: { type: 'integer', minimum: 1, maximum: 100_000 },
  maxStaleness: duration,
  'tracing.endpoint': httpUrl,
  'metrics.port': { type: 'integer', minimum: 0, maximum: 65_535 },
  'metrics.serviceMonitor.interval': scrapeDuration,
  'metrics.serviceMonitor.scrapeTimeout': scrapeDuration,
  'metrics.serviceMonitor.labels': texts,
  'metrics.serviceMonitor.relabelings': objects,
  'metrics.serviceMonitor.metricRelabelings': objects,
  'metrics.prometheusRule.labels': texts,
  'metrics.prometheusRule.alertLabels': texts,
  'metrics.prometheusRule.disabled': { type: 'array', uniqueItems: true, items: name },
  'metrics.prometheusRule.runbookUrl': httpUrl,
  'metrics.prometheusRule.thresholds.certificateDays': { type: 'number', exclusiveMinimum: 0 },
  'metrics.prometheusRule.thresholds.latencySeconds': { type: 'number', exclusiveMinimum: 0 },
  'metrics.prometheusRule.thresholds.errorPercent': { type: 'number', minimum: 0, maximum: 100 },
  'metrics.dashboard.labels': texts,
}
