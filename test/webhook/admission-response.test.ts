import { expect, test } from 'vitest'

import { mutationResponse, validationResponse } from '../../src/webhook/admission-response.ts'
import { sampleDecision, sampleFilled, sampleFinding } from './sample-decision.ts'

test('an object without findings is allowed, and the audit log gets the id of the decision', () => {
  expect(validationResponse(sampleDecision())).toEqual({
    uid: 'uid-1',
    allowed: true,
    auditAnnotations: { 'decision-id': 'uid-1' },
  })
})

test('a denial is 403 Forbidden with the message for people and a cause per finding for programs', () => {
  const findings = [
    sampleFinding(),
    sampleFinding({ code: 'MTLS-03', outcome: 'error', message: 'the rule could not be evaluated: no such key' }),
    sampleFinding({ code: 'INJ-01', action: 'Warn', field: '', message: 'not injected', remediation: 'label it' }),
  ]
  const response = validationResponse(sampleDecision({ allowed: false, findings }))
  expect(response).toEqual({
    uid: 'uid-1',
    allowed: false,
    status: {
      status: 'Failure',
      code: 403,
      reason: 'Forbidden',
      message: response.status?.message,
      details: {
        group: 'security.istio.io',
        kind: 'PeerAuthentication',
        name: 'default',
        causes: [
          {
            reason: 'MTLS-02',
            field: 'spec.mtls.mode',
            message: 'mode PERMISSIVE accepts plaintext, which carries no identity',
          },
          { reason: 'MTLS-03', field: 'spec.mtls.mode', message: 'the rule could not be evaluated: no such key' },
        ],
      },
    },
    warnings: ['INJ-01: not injected; label it'],
    auditAnnotations: {
      'decision-id': 'uid-1',
      denied: 'MTLS-02,MTLS-03',
      warned: 'INJ-01',
      'not-evaluated': 'MTLS-03',
    },
  })
  expect(response.status?.message).toMatch(/^2 problems in PeerAuthentication shop\/default:\n/)
})

test('audit annotations name each code once, and everything that is also audited', () => {
  const findings = [
    sampleFinding({ action: 'Warn', actions: ['Warn', 'Audit'] }),
    sampleFinding({ action: 'Warn', actions: ['Warn', 'Audit'], field: 'spec' }),
    sampleFinding({ code: 'GW-07', action: 'Audit', actions: ['Audit'] }),
  ]
  expect(validationResponse(sampleDecision({ findings })).auditAnnotations).toEqual({
    'decision-id': 'uid-1',
    warned: 'MTLS-02',
    audited: 'MTLS-02,GW-07',
  })
})

test('a mutation carries its patch in base64 and says what was filled', () => {
  const patch = [{ op: 'add', path: '/spec/http/0/timeout', value: '15s' }] as const
  const response = mutationResponse(sampleDecision({ patch, filled: [sampleFilled()] }))
  expect(response).toEqual({
    uid: 'uid-1',
    allowed: true,
    warnings: ['RES-01 spec.http[0].timeout: was absent, is now 15s'],
    auditAnnotations: { 'decision-id': 'uid-1', filled: 'RES-01' },
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"add","path":"/spec/http/0/timeout","value":"15s"}]').toString('base64'),
  })
})

test('a mutation refuses nothing and leaves findings to the validation', () => {
  const findings = [sampleFinding(), sampleFinding({ action: 'Warn' })]
  const response = mutationResponse(sampleDecision({ allowed: false, findings }))
  expect(response.allowed).toBe(true)
  expect(response).not.toHaveProperty('warnings')
  expect(response).not.toHaveProperty('patch')
})
