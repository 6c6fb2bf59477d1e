import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api'
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

import type { Decision } from '../engine/decision.ts'
import type { AdmissionRequest } from '../engine/request.ts'
import type { WebhookName } from './metrics.ts'
import { verdictOf } from './verdict.ts'

export interface TracingOptions {
  /** Of an OTLP/HTTP collector, such as `http://otel-collector:4318`; `/v1/traces` is added where it has no path. */
  readonly endpoint: string
  readonly version: string
  /** Of this replica. */
  readonly instance: string
  /** Spans could not be sent. */
  readonly problem: (reason: string) => void
}

/** A request to a webhook that was answered. */
export interface AnsweredRequest {
  readonly webhook: WebhookName
  readonly request: AdmissionRequest
  readonly decision: Decision
  /** The header in which an API server that traces says what this is a part of. */
  readonly traceparent: string | readonly string[] | undefined
  /** Milliseconds, of `performance.now()`, as the one below. */
  readonly started: number
  readonly ended: number
}

/** Sends one span for each answer, in batches and behind the answers; when the collector is slow, spans are dropped. */
export interface Tracing {
  answered(answered: AnsweredRequest): void
  /** Sends what is left. Never rejects. */
  stop(): Promise<void>
}

/** Traces of one process; to be made once. A span tells who, what and the verdict, never what an object holds. */
export function createTracing({ endpoint, version, instance, problem }: TracingOptions): Tracing {
  setGlobalErrorHandler((error) => problem(typeof error === 'string' ? error : (error.message ?? 'no reason given')))
  const exporter = new OTLPTraceExporter({ url: tracesUrl(endpoint) })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'meshward',
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('meshward', version)
  return {
    answered: ({ webhook, request, decision, traceparent, started, ended }) => {
      const span = tracer.startSpan(
        `admission ${webhook}`,
        { startTime: started, attributes: attributesOf(webhook, request, decision) },
        parentOf(traceparent),
      )
      span.end(ended)
    },
    stop: () => provider.shutdown().catch((error: unknown) => problem(String(error))),
  }
}

function parentOf(traceparent: AnsweredRequest['traceparent']): Context {
  const parent = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true })
}

function attributesOf(
  webhook: WebhookName,
  { operation, kind, namespace, name, dryRun }: AdmissionRequest,
  decision: Decision,
): Record<string, string | boolean | string[]> {
  return {
    'meshward.webhook': webhook,
    'meshward.uid': decision.uid,
    'meshward.operation': operation,
    'meshward.kind': kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`,
    'meshward.dry_run': dryRun,
    'meshward.decision': verdictOf(decision),
    'meshward.codes': [...new Set(decision.findings.map(({ code }) => code))],
    'k8s.namespace.name': namespace,
    'meshward.name': name,
  }
}

function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint)
  return url.pathname === '/' ? new URL('/v1/traces', url).href : url.href
}
