import { randomUUID } from 'node:crypto'

import type { Decision, Finding } from '../../engine/decision.ts'
import type { AdmissionRequest } from '../../engine/request.ts'
import { subjectOf } from '../../engine/subject.ts'
import { asObject, type JsonObject } from '../../kube/json.ts'
import { issueLine, type PolicyIssue } from '../../policy/policy.ts'
import type { ApiClient } from '../../sources/cluster/api-client.ts'
import { denials, problemsOf } from '../denial-message.ts'
import { createRateLimit } from '../rate-limit.ts'

/** Bytes of a note that events.k8s.io/v1 takes. */
const LONGEST_NOTE = 1024

/** Requests for Events under way; what comes beyond is dropped, since a denial is told to its sender anyway. */
const MOST_UNDER_WAY = 16

export interface EventRecorderOptions {
  readonly api: ApiClient
  /** Of this installation. */
  readonly namespace: string
  /** Of this replica. */
  readonly podName: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
  /** An Event could not be written. */
  readonly problem: (reason: string) => void
}

/** Writes Events for who was not there to read an answer. Returns at once and never throws; never for a dry run. */
export interface EventRecorder {
  /** Of a decision that refuses an object: an Event about it. */
  answered(request: AdmissionRequest, decision: Decision): void
  /** Of a request that was allowed, and has these findings by now: an Event about its object. */
  rechecked(request: AdmissionRequest, findings: readonly Finding[]): void
  /** Of policies that are not as they were meant: an Event about this replica. */
  policies(trouble: 'refused' | 'broken', issues: readonly PolicyIssue[]): void
}

/**
 * Events of one replica: of one object and the same rules no more than one in five minutes (a controller tries for
 * ever), of all together one a second and 25 in a burst, as client-go's recorder has it for one source.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, namespace, podName, monotonic, problem } = options
  const same = createRateLimit({ burst: 1, perSecond: 1 / 300, keys: 1000, monotonic })
  const all = createRateLimit({ burst: 25, perSecond: 1, keys: 1, monotonic })
  let underWay = 0

  const post = async (event: JsonObject, where: string): Promise<void> => {
    const path = `/apis/events.k8s.io/v1/namespaces/${where}/events`
    const { status, body } = await api.send('POST', path, { body: event, timeout: 5000 })
    // The namespace is not there, or is going: the object was refused in one that nobody reads.
    if (status === 201 || status === 404 || asObject(body).reason === 'Forbidden') return
    problem(`the API server answered ${status} to an Event`)
  }
  const record = (key: string, about: EventSubject): void => {
    if (underWay >= MOST_UNDER_WAY || !same(key) || !all('')) return
    underWay += 1
    // The Events of what is in no namespace are kept in `default`, as Kubernetes does.
    const where = about.regarding.namespace || 'default'
    post(toEvent(about, where, options), where)
      .catch((error: unknown) => problem(error instanceof Error ? error.message : String(error)))
      .finally(() => (underWay -= 1))
  }
  const recordFindings = (request: AdmissionRequest, { object, reason, findings, headline }: Found): void => {
    if (request.dryRun) return
    const { apiVersion, kind, namespace, name } = object
    const codes = [...new Set(findings.map(({ code }) => code))]
    record([reason, apiVersion, kind, namespace, name, ...codes].join('\n'), {
      // A generated name is not known yet.
      regarding: { apiVersion, kind, namespace, ...(name === '' ? {} : { name }) },
      reason,
      action: request.operation,
      note: `${headline}${problemsOf(object, findings)}`,
    })
  }

  return {
    answered: (request, decision) => {
      const { object, allowed } = decision
      if (!allowed) recordFindings(request, { object, reason: 'Refused', findings: denials(decision), headline: '' })
    },
    rechecked: (request, findings) => {
      const object = subjectOf(request)
      const headline = 'allowed, and wrong together with what else has changed: '
      recordFindings(request, { object, reason: 'WrongByNow', findings, headline })
    },
    policies: (trouble, issues) => {
      const lines = issues.map(issueLine)
      const { reason, headline } = TROUBLE[trouble]
      record([reason, ...lines].join('\n'), {
        regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name: podName },
        reason,
        action: 'Reload',
        note: [headline, ...lines].join('\n'),
      })
    },
  }
}

const TROUBLE = {
  refused: { reason: 'PoliciesRefused', headline: 'changed policies refused; the last good set stays in force' },
  broken: { reason: 'PolicyBroken', headline: 'policy does not compile and answers by its failure policy' },
} as const

/** What there is to say about an object. */
interface Found {
  readonly object: Decision['object']
  readonly reason: string
  readonly findings: readonly Finding[]
  readonly headline: string
}

interface EventSubject {
  readonly regarding: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace: string
    readonly name?: string
  }
  readonly reason: string
  readonly action: string
  readonly note: string
}

function toEvent(about: EventSubject, namespace: string, { podName, now }: EventRecorderOptions): JsonObject {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `meshward.${randomUUID()}`, namespace },
    eventTime: new Date(now()).toISOString().replace('Z', '000Z'),
    reportingController: 'meshward.io/webhook',
    reportingInstance: podName,
    type: 'Warning',
    ...about,
    note: shorten(about.note),
  }
}

function shorten(note: string): string {
  if (Buffer.byteLength(note) <= LONGEST_NOTE) return note
  // A character that is cut in two becomes a replacement character, of three bytes as the dots are.
  return `${Buffer.from(note)
    .subarray(0, LONGEST_NOTE - 6)
    .toString('utf8')}…`
}
