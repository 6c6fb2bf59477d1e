import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'

import { filledWarnings, findingWarnings } from '../../src/webhook/warnings.ts'
import { sampleDecision, sampleFilled, sampleFinding } from './sample-decision.ts'

const warning = (differences: Parameters<typeof sampleFinding>[0] = {}) =>
  sampleFinding({ action: 'Warn', ...differences })

test.each([
  {
    name: 'a one-step fix of the field itself is said in two words',
    finding: warning({
      message: 'mode PERMISSIVE accepts plaintext',
      fix: [{ op: 'replace', path: '/spec/mtls/mode', value: 'STRICT' }],
    }),
    line: 'MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set STRICT',
  },
  {
    name: 'a fix that removes the field',
    finding: warning({
      message: 'mode PERMISSIVE accepts plaintext',
      fix: [{ op: 'remove', path: '/spec/mtls/mode' }],
    }),
    line: 'MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; remove it',
  },
  {
    name: 'a fix of another place than the field leaves the word to the remediation',
    finding: warning({ message: 'mode PERMISSIVE accepts plaintext', fix: [{ op: 'remove', path: '/spec/mtls' }] }),
    line: 'MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set mode to STRICT, or remove it to inherit',
  },
  {
    name: 'without a fix the first sentence of the remediation is kept',
    finding: warning({ message: 'no retries', remediation: 'STRICT is right. Ask the platform team.' }),
    line: 'MTLS-02 spec.mtls.mode: no retries; STRICT is right',
  },
  {
    name: 'what is wrong is shortened before what to do',
    finding: warning({ message: 'x'.repeat(200), fix: [{ op: 'add', path: '/spec/mtls/mode', value: 'STRICT' }] }),
    line: `MTLS-02 spec.mtls.mode: ${'x'.repeat(83)}…; set STRICT`,
  },
  {
    name: 'a long remedy leaves a quarter of the room to what is wrong',
    finding: warning({ message: 'x'.repeat(200), remediation: 'y'.repeat(200) }),
    line: `MTLS-02 spec.mtls.mode: ${'x'.repeat(23)}…; ${'y'.repeat(69)}…`,
  },
])('$name', ({ finding, line }) => {
  expect(findingWarnings(sampleDecision({ findings: [finding] }))).toEqual([line])
})

test('denials, audits and skipped rules are not warned of', () => {
  const findings = [sampleFinding(), sampleFinding({ action: 'Audit' }), warning({ outcome: 'skip' })]
  expect(findingWarnings(sampleDecision({ findings }))).toEqual([])
})

test('what could not be found out comes last, and is what is left out first', () => {
  const unknown = Array.from({ length: 10 }, () => warning({ code: 'DR-01', outcome: 'error', message: 'no answer' }))
  const lines = findingWarnings(sampleDecision({ findings: [...unknown, warning({ message: 'wrong' })] }))
  expect(lines[0]).toContain('MTLS-02 spec.mtls.mode: wrong')
  expect(lines.slice(1, 10).every((line) => line.startsWith('DR-01 '))).toBe(true)
  expect(lines.slice(10)).toEqual(['+1 more'])
})

test('ten lines, then how many more', () => {
  const findings = Array.from({ length: 12 }, (_, index) => warning({ field: `spec.http[${index}]`, message: 'wrong' }))
  const lines = findingWarnings(sampleDecision({ findings }))
  expect(lines).toHaveLength(11)
  expect(lines.at(-1)).toBe('+2 more')
})

test('no warning is longer than 120 characters or holds a control character, whatever is in it', () => {
  const text = string({ unit: 'binary', maxLength: 300 })
  assert(
    property(text, text, text, (field, message, remediation) => {
      const [line = ''] = findingWarnings(sampleDecision({ findings: [warning({ field, message, remediation })] }))
      expect(line.length).toBeLessThanOrEqual(120)
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    }),
  )
})

test.each([
  {
    name: 'a filled default names its rule, its field and the value',
    filled: [sampleFilled()],
    lines: ['RES-01 spec.http[0].timeout: was absent, is now 15s'],
  },
  {
    name: 'the note of a default is told',
    filled: [
      sampleFilled({
        code: 'RES-07',
        field: 'spec.trafficPolicy.outlierDetection',
        value: { interval: '10s' },
        note: 'this turns locality load balancing on',
      }),
    ],
    lines: [
      'RES-07 spec.trafficPolicy.outlierDetection: was absent, is now {"interval":"10s"}; this turns locality load balancing on',
    ],
  },
  {
    name: 'places in a list with one value share a line',
    filled: [0, 1, 2].map((index) => sampleFilled({ field: `spec.http[${index}].timeout` })),
    lines: ['RES-01 spec.http[0].timeout and 2 more: was absent, is now 15s'],
  },
  {
    name: 'places in a list with different values do not',
    filled: [sampleFilled(), sampleFilled({ field: 'spec.http[1].timeout', value: '8s' })],
    lines: [
      'RES-01 spec.http[0].timeout: was absent, is now 15s',
      'RES-01 spec.http[1].timeout: was absent, is now 8s',
    ],
  },
  {
    name: 'a value that the stored object has already is not worth a word',
    filled: [sampleFilled({ restored: true })],
    lines: [],
  },
])('$name', ({ filled, lines }) => {
  expect(filledWarnings(sampleDecision({ filled }))).toEqual(lines)
})
