import { describe, expect, test } from 'vitest'

import { asObject, type Json } from '../../../src/kube/json.ts'
import { createEventRecorder } from '../../../src/webhook/cluster/event-recorder.ts'
import { readAdmissionReview } from '../../../src/webhook/admission-review.ts'
import { sampleDecision, sampleFinding } from '../sample-decision.ts'
import { peerAuthenticationReview } from '../sample-review.ts'

/** A recorder in front of an API server that answers every Event with this status. */
function recorder(status = 201) {
  const sent: { readonly path: string; readonly event: Json }[] = []
  const problems: string[] = []
  const clock = { now: 0 }
  const events = createEventRecorder({
    api: {
      send: async (_, path, options) => {
        sent.push({ path, event: options?.body ?? null })
        return { status, body: {} }
      },
    },
    namespace: 'meshward-system',
    podName: 'meshward-1',
    now: () => 1_790_000_000_000,
    monotonic: () => clock.now,
    problem: (reason) => problems.push(reason),
  })
  return { events, sent, problems, clock }
}

function request(dryRun = false) {
  const outcome = readAdmissionReview(asObject(peerAuthenticationReview({}, { dryRun })))
  if (!outcome.ok) throw new Error(outcome.problem.message)
  return outcome.value
}

const refused = sampleDecision({ allowed: false, findings: [sampleFinding()] })
const about = (name: string) => ({ ...refused, object: { ...refused.object, name } })

describe('an Event', () => {
  test('is about the refused object, in its namespace, with the text that kubectl shows', () => {
    const { events, sent } = recorder()
    events.answered(request(), refused)
    expect(sent).toEqual([
      {
        path: '/apis/events.k8s.io/v1/namespaces/shop/events',
        event: {
          apiVersion: 'events.k8s.io/v1',
          kind: 'Event',
          metadata: { name: expect.stringMatching(/^meshward\.[0-9a-f-]{36}$/), namespace: 'shop' },
          eventTime: '2026-09-21T14:13:20.000000Z',
          reportingController: 'meshward.io/webhook',
          reportingInstance: 'meshward-1',
          type: 'Warning',
          regarding: {
            apiVersion: 'security.istio.io/v1',
            kind: 'PeerAuthentication',
            namespace: 'shop',
            name: 'default',
          },
          reason: 'Refused',
          action: 'CREATE',
          note: expect.stringMatching(
            /^1 problem in PeerAuthentication shop\/default:\n {2}MTLS-02 spec\.mtls\.mode: /,
          ),
        },
      },
    ])
  })

  test('about what is in no namespace is kept in default', () => {
    const { events, sent } = recorder()
    events.answered(request(), { ...refused, object: { ...refused.object, namespace: '' } })
    expect(sent[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events')
  })

  test('is not written for what is allowed, nor for a dry run', () => {
    const { events, sent } = recorder()
    events.answered(request(), sampleDecision({ findings: [sampleFinding({ action: 'Warn' })] }))
    events.answered(request(true), refused)
    expect(sent).toEqual([])
  })

  test('is about the object that was allowed and is wrong by now, beside one that refused it', () => {
    const { events, sent } = recorder()
    events.answered(request(), refused)
    events.rechecked(request(), [sampleFinding()])
    events.rechecked(request(true), [sampleFinding({ code: 'MTLS-03' })])
    expect(sent.map(({ event }) => asObject(event))).toMatchObject([
      { reason: 'Refused' },
      {
        regarding: { kind: 'PeerAuthentication', namespace: 'shop', name: 'default' },
        reason: 'WrongByNow',
        action: 'CREATE',
        note: expect.stringMatching(
          /^allowed, and wrong together with what else has changed: 1 problem in PeerAuthentication shop\/default:\n {2}MTLS-02 /,
        ),
      },
    ])
    expect(sent).toHaveLength(2)
  })

  test('comes once in five minutes for one object and the same rules', () => {
    const { events, sent, clock } = recorder()
    events.answered(request(), refused)
    clock.now = 299_000
    events.answered(request(), refused)
    expect(sent).toHaveLength(1)
    events.answered(request(), { ...refused, findings: [sampleFinding({ code: 'MTLS-03' })] })
    events.answered(request(), about('other'))
    expect(sent).toHaveLength(3)
    clock.now = 301_000
    events.answered(request(), refused)
    expect(sent).toHaveLength(4)
  })

  test('of many objects come 25 at once and then one a second', async () => {
    const { events, sent, clock } = recorder()
    for (let count = 0; count < 60; count += 1) {
      events.answered(request(), about(`object-${count}`))
      await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sent).toHaveLength(25)
    clock.now = 3000
    for (let count = 60; count < 80; count += 1) events.answered(request(), about(`object-${count}`))
    expect(sent).toHaveLength(28)
  })

  test.each([
    ['refused', 'PoliciesRefused', 'changed policies refused; the last good set stays in force'],
    ['broken', 'PolicyBroken', 'policy does not compile and answers by its failure policy'],
  ] as const)('of %s policies is about this replica', (trouble, reason, headline) => {
    const { events, sent } = recorder()
    const issue = { code: 'CEL-01', file: 'a.yaml', line: 3, column: 7, message: 'no such field' } as const
    events.policies(trouble, [issue])
    expect(asObject(sent[0]?.event)).toMatchObject({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'meshward-system', name: 'meshward-1' },
      reason,
      note: `${headline}\na.yaml:3:7: CEL-01: no such field`,
    })
  })

  test('is cut at the length that Kubernetes takes, between two characters', () => {
    const { events, sent } = recorder()
    events.answered(request(), { ...refused, findings: [sampleFinding({ message: 'é'.repeat(2000) })] })
    const { note } = asObject(sent[0]?.event)
    expect(Buffer.byteLength(typeof note === 'string' ? note : '')).toBeLessThanOrEqual(1024)
    expect(note).toMatch(/é.?…$/)
  })

  test.each([
    [500, 1],
    [404, 0],
  ])('that the API server answers with %d is a problem %d times', async (status, count) => {
    const { events, problems } = recorder(status)
    events.answered(request(), refused)
    await new Promise((resolve) => setImmediate(resolve))
    expect(problems).toHaveLength(count)
  })
})
