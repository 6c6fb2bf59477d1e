import request from 'supertest'
import { describe, expect, test } from 'vitest'

import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import { createTestServer } from './test-server.ts'

const { app } = createTestServer()

function dryRun(text: string, query = '', type = 'application/yaml') {
  return request(app).post(`/dry-run${query}`).set('Content-Type', type).send(text)
}

const PERMISSIVE = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: shop
spec:
  mtls:
    mode: PERMISSIVE
`
const BARE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
spec:
  http:
    - name: all # kept
`

test('one manifest: the report of `check -o json` and the decision on the object', async () => {
  const answer = await dryRun(PERMISSIVE)
  expect([answer.status, answer.type]).toEqual([200, 'application/json'])
  const object = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', namespace: 'shop', name: 'default' }
  expect(answer.body).toEqual({
    documents: 1,
    findings: [
      {
        code: 'MTLS-02',
        policy: 'require-strict-mtls',
        outcome: 'fail',
        action: 'Deny',
        actions: ['Deny'],
        severity: 'error',
        object,
        source: { file: '-', document: 0, line: 8, column: 11 },
        field: 'spec.mtls.mode',
        message: 'mode PERMISSIVE accepts plaintext',
        remediation: 'Set mode to STRICT, or remove it to inherit.',
      },
    ],
    errors: [],
    summary: { deny: 1, warn: 0, audit: 0, error: 0, skipped: 0 },
    objects: [{ object, allowed: false, findings: [0], patch: [], diff: '', filled: [] }],
  })
})

test('a default: filled, as a patch that applies and as a diff of the text that was sent', async () => {
  const { body } = await dryRun(BARE)
  expect(body.findings).toEqual([])
  const [object] = body.objects
  expect(object).toMatchObject({
    allowed: true,
    findings: [],
    filled: [{ field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' }],
  })
  expect(applyJsonPatch({ metadata: {}, spec: { http: [{}] } }, object.patch)).toMatchObject({
    spec: { http: [{ timeout: '15s' }] },
  })
  expect(object.diff).toContain('     - name: all # kept\n+      timeout: 15s\n')
})

test('defaults=off judges the document as it is written', async () => {
  const { body } = await dryRun(BARE, '?defaults=off')
  expect(body.findings).toMatchObject([{ code: 'RES-01', field: 'spec.http[0].timeout' }])
  expect(body.objects).toMatchObject([{ allowed: false, findings: [0], patch: [], diff: '', filled: [] }])
})

test('several documents, one of which is broken: the others are judged and it has its place', async () => {
  const { status, body } = await dryRun(`${PERMISSIVE}---\nkind: [\n---\n${BARE}`, '?defaults=off')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    documents: 2,
    findings: [
      { code: 'MTLS-02', source: { document: 0 } },
      { code: 'RES-01', source: { document: 2 } },
    ],
    errors: [{ code: 'DOC-01', document: 1, line: 10 }],
    objects: [{ findings: [0] }, { findings: [1] }],
  })
})

test('a List in JSON counts by its items', async () => {
  const item = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', spec: { mtls: { mode: 'DISABLE' } } }
  const items = ['a', 'b'].map((name) => ({ ...item, metadata: { name, namespace: 'shop' } }))
  const { body } = await dryRun(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), '', 'application/json')
  expect(body).toMatchObject({ documents: 2, findings: [{ source: { item: 0 } }, { source: { item: 1 } }] })
})

test('only asks some of the rules', async () => {
  const { body } = await dryRun(`${PERMISSIVE}---\n${BARE}`, '?defaults=off&only=res-01')
  expect(body.findings).toMatchObject([{ code: 'RES-01' }])
})

describe('what cannot be answered says what to do', () => {
  test.each([
    ['an unknown rule', '?only=RES-1', 400, /only: "RES-1" is no rule, area or policy; did you mean "RES-01"\?/],
    ['an odd value of defaults', '?defaults=on', 400, /defaults is "on"\. Write inject or off/],
    ['an odd value of context', '?context=prod', 400, /context is "prod"\. Write cluster or none/],
    ['an unknown parameter', '?file=x', 400, /no query parameter "file"\. There are only, defaults, context/],
  ])('%s', async (_, query, status, message) => {
    const answer = await dryRun(PERMISSIVE, query)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toMatch(message)
  })

  test('an empty body', async () => {
    const answer = await dryRun('')
    expect([answer.status, answer.body.message]).toEqual([400, 'the body is empty. Send manifests as YAML or JSON.'])
  })

  test('a form with files', async () => {
    const answer = await dryRun('--x', '', 'multipart/form-data; boundary=x')
    expect([answer.status, answer.body.code]).toEqual([415, 415])
  })

  test('more than is read at once', async () => {
    expect((await dryRun('a'.repeat(9_000_000))).status).toBe(413)
  })
})

test('curl that was told no content type is understood', async () => {
  expect((await dryRun(PERMISSIVE, '', 'application/x-www-form-urlencoded')).body.documents).toBe(1)
})

describe('a listener that others reach', () => {
  test.each(['0.0.0.0', '::', '10.0.0.7', '192.168.1.1'])('%s does not answer', async (listensOn) => {
    const { app } = createTestServer({ listensOn })
    const answer = await request(app).post('/dry-run').set('Content-Type', 'application/yaml').send(PERMISSIVE)
    expect(answer.status).toBe(403)
    expect(answer.body.message).toContain(`this server listens on ${listensOn}. Run \`meshward check\``)
    expect((await request(app).get('/')).status).toBe(403)
  })

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is none', async (listensOn) => {
    const { app } = createTestServer({ listensOn })
    expect((await request(app).get('/')).status).toBe(200)
  })
})

test('the page needs nothing from elsewhere and lets nothing but its own script run', async () => {
  const { text, headers } = await request(app).get('/')
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; connect-src 'self'; /,
  )
  expect(text).not.toMatch(/https?:\/\/|src=|@import|innerHTML|\son\w+=/)
})
