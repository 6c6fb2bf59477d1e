import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'

import { decide } from '../engine/decide.ts'
import type { MeshKnowledge } from '../engine/mesh-knowledge.ts'
import type { Decision } from '../engine/decision.ts'
import type { AdmissionRequest } from '../engine/request.ts'
import { subjectOf } from '../engine/subject.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Source } from '../sources/source.ts'
import type { AdmissionGate, Ticket } from './admission-gate.ts'
import { mutationResponse, validationResponse } from './admission-response.ts'
import { readAdmissionReview } from './admission-review.ts'
import type { EventRecorder } from './cluster/event-recorder.ts'
import { failed, NOT_READY, type HttpProblem, type Outcome } from './http-problem.ts'
import type { MeshInForce } from './mesh-in-force.ts'
import type { Metrics, WebhookName } from './metrics.ts'
import { parseJson } from './parse-json.ts'
import { BUSY, MEBIBYTE, readBody } from './read-body.ts'
import type { RecheckQueue } from './recheck-queue.ts'
import { refuse } from './refuse.ts'
import { requestTimeout } from './request-timeout.ts'
import type { Tracing } from './tracing.ts'
import { verdictOf } from './verdict.ts'

// Object and old object of at most 3 MiB each (kube-apiserver's limit for one request) and 1 MiB for the envelope.
const MOST_BYTES = 7 * MEBIBYTE

export interface AdmissionContext {
  readonly policies: Source<PolicySet>
  readonly mesh: Pick<MeshInForce, 'hasSynced' | 'withNamespace'>
  /** How much of the mesh `mesh` is, at this moment. */
  readonly knowledge: () => MeshKnowledge
  readonly gate: AdmissionGate
  readonly metrics: Metrics
  readonly logger: Logger
  /** Told of what was validated, to look at it again. */
  readonly rechecks: Pick<RecheckQueue, 'admitted'>
  /** Told of the same; undefined where no Events are wanted. */
  readonly events?: Pick<EventRecorder, 'answered'> | undefined
  /** Told of every answer; undefined where no traces are wanted. */
  readonly tracing?: Pick<Tracing, 'answered'> | undefined
}

/** Answers one request to a webhook. Never rejects; whatever happens, the process goes on. */
export type AdmissionHandler = (
  webhook: WebhookName,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>

/** The handler of `/validate` and `/mutate`: AdmissionReview in, AdmissionReview out. */
export function createAdmissionHandler(context: AdmissionContext): AdmissionHandler {
  return async (webhook, request, response) => {
    const started = performance.now()
    const ticket = context.gate.enter()
    try {
      const outcome = await judge(context, { webhook, request, ticket, started })
      if (!outcome.ok) return reject(context, { webhook, request, response, problem: outcome.problem })
      sendReview(response, webhook, outcome.value.decision)
      const ended = performance.now()
      report(context, webhook, outcome.value, ended - started)
      const { admission, decision } = outcome.value
      const { traceparent } = request.headers
      context.tracing?.answered({ webhook, request: admission, decision, traceparent, started, ended })
      if (webhook !== 'validate') return
      context.rechecks.admitted({ request: admission, decision })
      context.events?.answered(admission, decision)
    } catch (error) {
      context.logger.error({ err: error, webhook }, 'admission request failed on a bug')
      reject(context, { webhook, request, response, problem: BUG })
    } finally {
      ticket?.leave()
    }
  }
}

/** HTTP 500 leaves the decision to the `failurePolicy` of the cluster. */
const BUG: HttpProblem = {
  status: 500,
  message: 'Meshward met an error of its own and has no verdict. Its log has the details; please report them.',
}

interface Judged {
  readonly admission: AdmissionRequest
  readonly decision: Decision
  readonly bytes: number
}

interface Incoming {
  readonly webhook: WebhookName
  readonly request: IncomingMessage
  readonly ticket: Ticket | undefined
  /** Milliseconds, of `performance.now()`. */
  readonly started: number
}

async function judge(context: AdmissionContext, incoming: Incoming): Promise<Outcome<Judged>> {
  const { webhook, request, ticket, started } = incoming
  if (ticket === undefined) return BUSY
  if (!isJson(request.headers['content-type'])) {
    const sent = request.headers['content-type'] ?? 'missing'
    return failed(415, `the Content-Type is ${sent}. Send an AdmissionReview as application/json.`)
  }
  if (!context.policies.hasSynced() || !context.mesh.hasSynced()) return NOT_READY
  const timeout = requestTimeout(request.url ?? '')
  const body = await readBody(request, { mostBytes: MOST_BYTES, whyNotMore: WHY_NOT_MORE, timeout, ticket })
  if (!body.ok) return body
  if (performance.now() - started > timeout) return TOO_LATE
  const json = parseJson(body.value, 'an AdmissionReview')
  if (!json.ok) return json
  const admission = readAdmissionReview(json.value)
  if (!admission.ok) return admission
  const mesh = await context.mesh.withNamespace(subjectOf(admission.value).namespace)
  const decision = decide({
    request: admission.value,
    policies: context.policies.current(),
    mesh,
    knowledge: context.knowledge(),
    phase: webhook,
    isLate: () => performance.now() - started > timeout * SHARE_FOR_JUDGING,
  })
  return { ok: true, value: { admission: admission.value, decision, bytes: body.value.length } }
}

const WHY_NOT_MORE = 'more than an object and its predecessor can take. Make the object smaller; etcd keeps 1.5 MiB'

/** Of the time that the caller waits; the rest is for the answer. */
const SHARE_FOR_JUDGING = 0.8

const TOO_LATE: Outcome<never> = {
  ok: false,
  problem: {
    status: 503,
    message:
      'the time that the caller waits is over before the request was looked at. Try again; if it lasts, run more replicas.',
    headers: { 'Retry-After': '1' },
  },
}

function isJson(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^\s*application\/json\s*(?:;|$)/i.test(contentType ?? '')
}

function sendReview(response: ServerResponse, webhook: WebhookName, decision: Decision): void {
  const answer = webhook === 'validate' ? validationResponse(decision) : mutationResponse(decision)
  const text = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer })
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

function report(
  { metrics, logger }: AdmissionContext,
  webhook: WebhookName,
  judged: Judged,
  milliseconds: number,
): void {
  const { admission, decision, bytes } = judged
  metrics.decided(webhook, admission, decision, milliseconds / 1000)
  if (!logger.isLevelEnabled('info')) return
  const { findings, filled, object } = decision
  logger.info(
    {
      webhook,
      uid: decision.uid,
      operation: admission.operation,
      kind: object.kind,
      namespace: object.namespace,
      name: object.name,
      user: admission.userInfo.username,
      decision: verdictOf(decision),
      ...(findings.length > 0 ? { codes: codesOf(findings) } : {}),
      ...(filled.length > 0 ? { filled: codesOf(filled) } : {}),
      ...(admission.dryRun ? { dryRun: true } : {}),
      bytes,
      ms: Math.round(milliseconds * 1000) / 1000,
    },
    'admission request answered',
  )
}

function codesOf(items: readonly { readonly code: string }[]): string {
  return [...new Set(items.map(({ code }) => code))].join(',')
}

interface Rejected {
  readonly webhook: WebhookName
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly problem: HttpProblem
}

function reject({ metrics, logger }: AdmissionContext, { webhook, request, response, problem }: Rejected): void {
  metrics.refused(`/${webhook}`, problem.status)
  logger.warn({ webhook, status: problem.status }, 'admission request refused')
  refuse(request, response, problem)
}
