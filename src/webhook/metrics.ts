import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

import type { Decision } from '../engine/decision.ts'
import type { AdmissionRequest } from '../engine/request.ts'
import { registerGauges, type Gauged } from './gauges.ts'
import { capped, createTally } from './tally.ts'
import { verdictOf } from './verdict.ts'

/** The two doors of the API server. */
export type WebhookName = 'validate' | 'mutate'

/** Everything that is counted. The names are a contract: never repurposed, never renamed. */
export interface Metrics {
  readonly contentType: string
  decided(webhook: WebhookName, request: AdmissionRequest, decision: Decision, seconds: number): void
  /** A request that got no verdict. */
  refused(path: string, status: number): void
  /** An allowed request of which a rule says no by now. */
  rechecked(code: string): void
  /** An allowed request that was not judged again. */
  recheckPassedOver(): void
  /** Another set of policies is in force. */
  policiesChanged(): void
  /** Changed policies are no set, and stay out of force until they change again. */
  policiesRefused(): void
  /** A file about policies cannot be used. */
  reloadFailed(): void
  /** The text of a scrape. */
  render(): Promise<string>
}

/** Seconds; the API server waits 3 s by our configuration, 10 s by its default. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10]

export function createMetrics(options: Gauged): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerGauges(registry, options)
  const tally = (name: string, help: string, ...labels: readonly string[]) =>
    createTally({ name: `meshward_${name}`, help, labels, registry })

  const requests = tally('requests_total', 'Admission requests.', 'webhook', 'kind', 'operation', 'decision')
  const refusals = tally('refused_requests_total', 'Requests that got no verdict.', 'path', 'status')
  const evaluations = tally('rule_evaluations_total', 'Evaluations of a policy.', 'policy')
  const errors = tally('rule_errors_total', 'Policies that could not be evaluated.', 'code')
  const violations = tally('violations_total', 'Findings, by what they led to.', 'code', 'namespace', 'action')
  const mutations = tally('mutations_total', 'Fields that were filled.', 'code')
  const rechecks = tally('recheck_findings_total', 'Findings about requests that were allowed a moment before.', 'code')
  const passedOver = tally('recheck_skipped_total', 'Allowed requests that were not judged again.')
  const reloads = tally('policy_reload_errors_total', 'Changes of policies that were refused.')
  const outdated = new Gauge({
    name: 'meshward_policies_refused',
    help: 'Whether what was last written is no set of policies, so that an older one is in force.',
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'meshward_request_duration_seconds',
    help: 'From the first byte of a request to its answer.',
    labelNames: ['webhook'],
    buckets: BUCKETS,
    registers: [registry],
  })
  const durations = { validate: duration.labels('validate'), mutate: duration.labels('mutate') }
  const namespaces = capped(100)
  const kinds = capped(100)

  return {
    contentType: registry.contentType,
    decided(webhook, { kind, operation, namespace }, decision, seconds) {
      const kindName = kinds(kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`)
      requests(webhook, kindName, operation, verdictOf(decision))
      durations[webhook].observe(seconds)
      for (const policy of decision.evaluated) evaluations(policy)
      for (const { code, outcome, action } of decision.findings) {
        if (outcome === 'error') errors(code)
        else if (outcome === 'fail') violations(code, namespaces(namespace), action)
      }
      for (const { code, restored } of decision.filled) if (restored !== true) mutations(code)
    },
    refused: (path, status) => refusals(path, String(status)),
    rechecked: (code) => rechecks(code),
    recheckPassedOver: () => passedOver(),
    policiesChanged: () => outdated.set(0),
    policiesRefused: () => {
      reloads()
      outdated.set(1)
    },
    reloadFailed: () => reloads(),
    render: () => registry.metrics(),
  }
}
