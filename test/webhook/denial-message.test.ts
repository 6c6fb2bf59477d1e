import { expect, test } from 'vitest'

import { denialMessage } from '../../src/webhook/denial-message.ts'
import { sampleDecision, sampleFinding } from './sample-decision.ts'

test('one problem: the object, then the field, what is wrong and what to write', () => {
  const decision = sampleDecision({ allowed: false, findings: [sampleFinding()] })
  expect(denialMessage(decision)).toBe(
    [
      '1 problem in PeerAuthentication shop/default:',
      '  MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext, which carries no identity; set mode to STRICT, or remove it to inherit',
    ].join('\n'),
  )
})

test('what only warns or is audited is no reason for the denial and stays out', () => {
  const findings = [
    sampleFinding({ code: 'RES-04', action: 'Warn' }),
    sampleFinding({ code: 'MTLS-03', field: 'spec.portLevelMtls[8443].mode' }),
    sampleFinding({ code: 'INJ-01', action: 'Audit' }),
    sampleFinding({ field: '', message: 'nothing here is encrypted.', remediation: '' }),
  ]
  expect(denialMessage(sampleDecision({ allowed: false, findings }))).toBe(
    [
      '2 problems in PeerAuthentication shop/default:',
      '  MTLS-03 spec.portLevelMtls[8443].mode: mode PERMISSIVE accepts plaintext, which carries no identity; set mode to STRICT, or remove it to inherit',
      '  MTLS-02: nothing here is encrypted',
    ].join('\n'),
  )
})

test('ten lines are shown and the rest is counted', () => {
  const findings = Array.from({ length: 13 }, (_, index) =>
    sampleFinding({
      code: 'RES-01',
      field: `spec.http[${index}].timeout`,
      message: 'no timeout is set',
      remediation: 'set 15s',
    }),
  )
  const lines = denialMessage(sampleDecision({ allowed: false, findings })).split('\n')
  expect(lines).toEqual([
    '13 problems in PeerAuthentication shop/default:',
    ...Array.from({ length: 10 }, (_, index) => `  RES-01 spec.http[${index}].timeout: no timeout is set; set 15s`),
    '  +3 more',
  ])
})

test('cluster-scoped objects have no namespace before their name', () => {
  const object = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'shop' }
  const decision = sampleDecision({ object, allowed: false, findings: [sampleFinding()] })
  expect(denialMessage(decision).split('\n')[0]).toBe('1 problem in Namespace shop:')
})

test('user values cannot start a line of their own, move the cursor or turn the text round', () => {
  const message = 'host "a\r\n  MTLS-99 forged: all is well\u001B[2K\u202Eb" is unknown'
  const decision = sampleDecision({ allowed: false, findings: [sampleFinding({ message, remediation: '' })] })
  expect(denialMessage(decision)).toBe(
    '1 problem in PeerAuthentication shop/default:\n' +
      '  MTLS-02 spec.mtls.mode: host "a MTLS-99 forged: all is well [2K b" is unknown',
  )
})
