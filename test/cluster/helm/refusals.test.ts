import { beforeAll, describe, expect, test } from 'vitest'

import type { JsonObject } from '../../../src/kube/json.ts'
import { openRenderer, type Renderer } from './render.ts'

// Values that go together badly are refused before anything is installed, in a sentence.

let renderer: Renderer
beforeAll(async () => {
  renderer = await openRenderer('4')
})

const monitored = { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } }

describe('refused', () => {
  test.each<[what: string, values: JsonObject, sentence: string]>([
    [
      "a Secret of one's own that is not named",
      { certificates: { mode: 'existing' } },
      'certificates.mode is "existing", so certificates.existingSecret must name the Secret (tls.crt, tls.key, ca.crt).',
    ],
    [
      "a Secret of one's own that is not used",
      { certificates: { existingSecret: 'mine' } },
      'certificates.existingSecret is only used with certificates.mode=existing, which is "self"; leave one of them out.',
    ],
    [
      'cert-manager without an issuer',
      { certificates: { mode: 'cert-manager' } },
      'certificates.mode is "cert-manager", so certificates.certManager.issuerRef.name must name an issuer whose certificates carry their ca.crt.',
    ],
    [
      'a rotation that never ends',
      { certificates: { self: { leafValidity: '30d' } } },
      'certificates.self.rotateBefore is as long as certificates.self.leafValidity: nothing would ever be new enough.',
    ],
    [
      'more replicas at least than at most',
      { autoscaling: { enabled: true, minReplicas: 7 } },
      'autoscaling.maxReplicas is less than autoscaling.minReplicas.',
    ],
    [
      'a part of no request',
      { autoscaling: { enabled: true }, resources: { requests: null } },
      'autoscaling.enabled needs resources.requests.cpu, of which autoscaling.targetCPUUtilizationPercentage is a part.',
    ],
    [
      'a budget that stops every drain',
      { podDisruptionBudget: { maxUnavailable: 0 } },
      'podDisruptionBudget.maxUnavailable of 0 keeps every node from being drained; write 1, or switch the budget off.',
    ],
    [
      'the same in percent',
      { podDisruptionBudget: { maxUnavailable: '0%' } },
      'podDisruptionBudget.maxUnavailable of 0 keeps every node from being drained; write 1, or switch the budget off.',
    ],
    [
      'a death before the end',
      { shutdownDelay: '0.5m' },
      'terminationGracePeriodSeconds must be longer than shutdownDelay, or pods are killed while they still answer.',
    ],
    [
      'rights for everybody in the namespace',
      { serviceAccount: { create: false } },
      'serviceAccount.create is false, so serviceAccount.name must name the account; the rights would go to the default one of the namespace.',
    ],
    [
      'one port for two protocols',
      { metrics: { port: 8443 } },
      'metrics.port is webhook.port, which speaks HTTPS; give another, or 0 to scrape that one.',
    ],
    [
      'one port of the Service twice',
      { metrics: { port: 443 } },
      'metrics.port is service.port, and a Service has a port only once; give another.',
    ],
    [
      'alerts about what nobody scrapes',
      { metrics: { prometheusRule: { enabled: true } } },
      'metrics.prometheusRule.enabled needs metrics.serviceMonitor.enabled, or metrics.prometheusRule.selector for what scrapes instead: MeshwardDown fires where no sample is found.',
    ],
    [
      'an alert that comes too late',
      { metrics: monitored, maxStaleness: '180s' },
      'metrics.prometheusRule.thresholds.stalenessSeconds must be less than maxStaleness, or the alert comes when rules already answer by their failure policy.',
    ],
    [
      'an alert that comes too early',
      { metrics: monitored, certificates: { self: { rotateBefore: '14d' } } },
      'metrics.prometheusRule.thresholds.certificateDays must be less than certificates.self.rotateBefore, or the alert comes before the renewal is due.',
    ],
    [
      'an alert that there is not',
      { metrics: { ...monitored, prometheusRule: { enabled: true, disabled: ['MeshwardSad'] } } },
      'metrics.prometheusRule.disabled names "MeshwardSad", which is no alert; there are MeshwardDown, ',
    ],
    [
      'traces for nobody',
      { tracing: { enabled: true } },
      'tracing.enabled needs tracing.endpoint, such as http://otel-collector.observability:4318.',
    ],
    [
      'a policy that is no YAML',
      { policies: { own: { 'ours.yaml': 'kind: MeshPolicy\n---\nspec: [' } } },
      'policies.own."ours.yaml" is no YAML: ',
    ],
    [
      'something else where a policy belongs',
      { policies: { own: { 'ours.yaml': 'kind: ConfigMap' } } },
      'policies.own."ours.yaml" has a document of kind "ConfigMap" where a MeshPolicy belongs.',
    ],
  ])('%s', async (_, values, sentence) => {
    expect(await renderer.refusal(values)).toContain(`: ${sentence}`)
  })
})

describe('not refused', () => {
  test.each<[what: string, values: JsonObject]>([
    ["a Secret of one's own", { certificates: { mode: 'existing', existingSecret: 'mine' } }],
    [
      'cert-manager with an issuer',
      { certificates: { mode: 'cert-manager', certManager: { issuerRef: { name: 'a' } } } },
    ],
    ['a rotation that ends', { certificates: { self: { leafValidity: '31d' } } }],
    ['as many replicas at least as at most', { autoscaling: { enabled: true, minReplicas: 6 } }],
    ['no budget at all', { podDisruptionBudget: { enabled: false, maxUnavailable: 0 } }],
    ['an end in time', { shutdownDelay: '29s' }],
    ['the default account without rights', { serviceAccount: { create: false }, rbac: { create: false } }],
    [
      'alerts about what something else scrapes',
      { metrics: { prometheusRule: { enabled: true, selector: 'app="x"' } } },
    ],
    ['an alert in time', { metrics: monitored, maxStaleness: '181s' }],
    ['thresholds of alerts that are not made', { maxStaleness: '1s', certificates: { self: { rotateBefore: '1h' } } }],
    ['a policy as a text with comments', { policies: { own: { 'ours.yaml': '# ---\n---\nkind: MeshPolicy\n---\n' } } }],
    ['an endpoint that is not used', { tracing: { endpoint: 'http://a:4318' } }],
    ['what a parent chart adds', { global: { a: 1 }, enabled: true }],
  ])('%s', async (_, values) => {
    expect((await renderer.render(values)).has('Deployment/meshward')).toBe(true)
  })
})
