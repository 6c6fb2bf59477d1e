import { assert, asyncProperty, constantFrom, json } from 'fast-check'
import request from 'supertest'
import { expect, test } from 'vitest'

import { lateSource } from '../../src/sources/source.ts'
import { peerAuthenticationReview, virtualServiceReview } from './sample-review.ts'
import { createTestServer, testPolicies } from './test-server.ts'

const { app } = createTestServer()

async function post(path: string, body: string | object, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return request(app)
    .post(path)
    .set({ 'Content-Type': 'application/json', ...headers })
    .send(text)
}

test('a review of a broken object is answered with a denial', async () => {
  const answer = await post('/validate', peerAuthenticationReview({ mtls: { mode: 'PERMISSIVE' } }))
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: 'uid-1',
      allowed: false,
      status: {
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message:
          '1 problem in PeerAuthentication shop/default:\n' +
          '  MTLS-02 spec.mtls.mode: mode PERMISSIVE accepts plaintext; set mode to STRICT, or remove it to inherit',
        details: {
          group: 'security.istio.io',
          kind: 'PeerAuthentication',
          name: 'default',
          causes: [{ reason: 'MTLS-02', message: 'mode PERMISSIVE accepts plaintext', field: 'spec.mtls.mode' }],
        },
      },
      auditAnnotations: { 'decision-id': 'uid-1', denied: 'MTLS-02' },
    },
  })
})

test('a review of a good object is allowed', async () => {
  const answer = await post('/validate', peerAuthenticationReview({ mtls: { mode: 'STRICT' } }))
  expect(answer.body.response).toEqual({ uid: 'uid-1', allowed: true, auditAnnotations: { 'decision-id': 'uid-1' } })
})

test('what is missing is filled by /mutate and, filled, found right by /validate', async () => {
  const spec = { hosts: ['shop'], http: [{ route: [{ destination: { host: 'shop' } }] }] }
  const { response } = (await post('/mutate', virtualServiceReview(spec))).body
  expect(response).toMatchObject({ allowed: true, patchType: 'JSONPatch' })
  expect(response.warnings).toEqual(['RES-01 spec.http[0].timeout: was absent, is now 15s'])
  const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8'))
  expect(patch).toContainEqual({ op: 'add', path: '/spec/http/0/timeout', value: '15s' })
  const filled = { hosts: ['shop'], http: [{ route: [{ destination: { host: 'shop' } }], timeout: '15s' }] }
  expect((await post('/validate', virtualServiceReview(filled))).body.response.allowed).toBe(true)
})

const rejected: readonly {
  readonly name: string
  readonly body: string | object
  readonly headers?: Record<string, string>
  readonly status: number
  readonly message: RegExp
}[] = [
  { name: 'no body', body: '', status: 400, message: /^the body is empty\. Send an AdmissionReview as JSON\.$/ },
  {
    name: 'no JSON',
    body: 'hello',
    status: 400,
    message: /^the body is not JSON: .*\. Send an AdmissionReview as JSON\.$/,
  },
  { name: 'JSON cut short', body: '{"apiVersion": "admi', status: 400, message: /^the body is not JSON: / },
  {
    name: 'JSON that is no review',
    body: [1, 2],
    status: 400,
    message:
      /^the body is no AdmissionReview: it is no object with kind: AdmissionReview\. Send what kube-apiserver sends/,
  },
  { name: 'null', body: 'null', status: 400, message: /no AdmissionReview/ },
  {
    name: 'a manifest instead of a review',
    body: { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' },
    status: 400,
    message: /no AdmissionReview/,
  },
  {
    name: 'a review of the old version',
    body: { ...peerAuthenticationReview({}), apiVersion: 'admission.k8s.io/v1beta1' },
    status: 400,
    message:
      /^the AdmissionReview's apiVersion is "admission\.k8s\.io\/v1beta1"; this webhook speaks admission\.k8s\.io\/v1\. Set admissionReviewVersions: \["v1"\] in the webhook configuration\.$/,
  },
  {
    name: 'a review without a request',
    body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: {} },
    status: 400,
    message: /it has no request/,
  },
  { name: 'no uid', body: peerAuthenticationReview({}, { uid: undefined }), status: 400, message: /request\.uid/ },
  { name: 'an empty uid', body: peerAuthenticationReview({}, { uid: '' }), status: 400, message: /request\.uid/ },
  {
    name: 'an odd operation',
    body: peerAuthenticationReview({}, { operation: 'PATCH' }),
    status: 400,
    message: /CREATE, UPDATE, DELETE and CONNECT/,
  },
  {
    name: 'no kind',
    body: peerAuthenticationReview({}, { kind: 'PeerAuthentication' }),
    status: 400,
    message: /request\.kind/,
  },
  {
    name: 'no resource',
    body: peerAuthenticationReview({}, { resource: null }),
    status: 400,
    message: /request\.resource/,
  },
  {
    name: 'an object that is text',
    body: peerAuthenticationReview({}, { object: 'x' }),
    status: 400,
    message: /request\.object/,
  },
  {
    name: 'a creation of nothing',
    body: peerAuthenticationReview({}, { object: null }),
    status: 400,
    message: /request\.object is missing, which every CREATE has/,
  },
  {
    name: 'a million nested brackets',
    body: '['.repeat(1_000_000) + ']'.repeat(1_000_000),
    status: 400,
    message: /^the body is nested deeper than 200 levels/,
  },
  {
    name: 'a review with an object nested too deep',
    body: JSON.stringify(peerAuthenticationReview('SPEC')).replace(
      '"SPEC"',
      '{"a":'.repeat(300) + '1' + '}'.repeat(300),
    ),
    status: 400,
    message: /nested deeper/,
  },
  {
    name: '10 MB',
    body: 'x'.repeat(10_000_000),
    status: 413,
    message: /^the body is larger than 7 MiB, .*Make the object smaller/,
  },
  {
    name: 'another content type',
    body: 'a: 1',
    headers: { 'Content-Type': 'application/yaml' },
    status: 415,
    message: /^the Content-Type is application\/yaml\. Send an AdmissionReview as application\/json\.$/,
  },
  {
    name: 'a compressed body',
    body: 'xx',
    headers: { 'Content-Encoding': 'gzip' },
    status: 415,
    message: /^the body is encoded as "gzip"\. Send it as it is, without Content-Encoding\.$/,
  },
]

test.each(rejected)('$name: HTTP $status and what to do', async ({ body, headers, status, message }) => {
  const answer = await post('/validate', body, headers)
  expect({ status: answer.status, type: answer.type, code: answer.body.code }).toEqual({
    status,
    type: 'application/json',
    code: status,
  })
  expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure' })
  expect(answer.body.message).toMatch(message)
  expect(answer.body.message).toMatch(/\.$/)
})

test.each([
  ['spec is null', null],
  ['spec is a list', [1]],
  ['a list holds null', { mtls: null, portLevelMtls: [null] }],
  ['a number where text belongs', { mtls: { mode: 7 } }],
  ['keys of every object', { constructor: { mode: 'PERMISSIVE' }, toString: 1, hasOwnProperty: null }],
  ['a lone surrogate', { mtls: { mode: '\uD800' } }],
])('an object that can be read gets a verdict: %s', async (_, spec) => {
  const answer = await post('/validate', peerAuthenticationReview(spec))
  expect(answer.status).toBe(200)
  expect(answer.body.response).toMatchObject({ uid: 'uid-1', allowed: expect.any(Boolean) })
})

test('__proto__ is a key like any other and changes no object but its own', async () => {
  const text = JSON.stringify(peerAuthenticationReview('SPEC')).replace(
    '"SPEC"',
    '{"__proto__":{"mtls":{"mode":"PERMISSIVE"}}}',
  )
  const answer = await post('/validate', text)
  expect(answer.body.response.allowed).toBe(true)
})

test('a key that is written twice counts as its last, as the API server reads it', async () => {
  const text = JSON.stringify(peerAuthenticationReview('SPEC')).replace(
    '"SPEC"',
    '{"mtls":{"mode":"STRICT","mode":"DISABLE"}}',
  )
  const answer = await post('/validate', text)
  expect(answer.body.response.allowed).toBe(false)
})

test('whatever JSON stands in a review, there is a verdict', async () => {
  const spec = json({ maxDepth: 6 }).map((text) => JSON.parse(text))
  await assert(
    asyncProperty(spec, constantFrom('/validate', '/mutate'), async (value, path) => {
      const answer = await post(path, virtualServiceReview({ http: value, mtls: value }))
      expect(answer.status).toBe(200)
    }),
    { numRuns: 100 },
  )
})

test('before the policies are there, 503 and when to ask again', async () => {
  const early = createTestServer({ policies: lateSource() })
  const answer = await request(early.app)
    .post('/validate')
    .set('Content-Type', 'application/json')
    .send(JSON.stringify(peerAuthenticationReview({})))
  expect(answer.status).toBe(503)
  expect(answer.headers['retry-after']).toBe('1')
  expect(answer.body.message).toMatch(/policies are still being loaded/)
})

test('a bug of ours is HTTP 500, so that the cluster decides, and the server lives on', async () => {
  let broken = true
  const set = testPolicies()
  const policies = {
    hasSynced: () => true,
    current: () => {
      if (broken) throw new Error('this should never happen')
      return set
    },
  }
  const { app, logged } = createTestServer({ policies })
  const send = () =>
    request(app)
      .post('/validate')
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(peerAuthenticationReview({})))
  const answer = await send()
  expect(answer.status).toBe(500)
  expect(answer.body.message).toMatch(/an error of its own/)
  expect(answer.body.message).not.toMatch(/never happen/)
  expect(logged.find(({ msg }) => msg === 'admission request failed on a bug')).toMatchObject({
    err: { message: 'this should never happen' },
  })
  broken = false
  expect((await send()).status).toBe(200)
})

test('other methods and paths say what there is', async () => {
  const wrong = await request(app).get('/validate')
  expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST'])
  expect(wrong.body.message).toBe('/validate answers POST only. Send the request again as POST.')
  const nowhere = await request(app).post('/validated').send('x')
  expect(nowhere.status).toBe(404)
  expect(nowhere.body.message).toMatch(/\/validate, \/mutate, \/dry-run/)
})

test('each request leaves one line of log with the decision and nothing of the object', async () => {
  const { app, logged } = createTestServer()
  const spec = { mtls: { mode: 'PERMISSIVE' }, secret: 'hush' }
  await request(app)
    .post('/validate')
    .set('Content-Type', 'application/json')
    .send(JSON.stringify(peerAuthenticationReview(spec, { dryRun: true })))
  await request(app).post('/validate').set('Content-Type', 'application/json').send('{}')
  expect(logged).toEqual([
    {
      level: 30,
      time: expect.any(Number),
      webhook: 'validate',
      uid: 'uid-1',
      operation: 'CREATE',
      kind: 'PeerAuthentication',
      namespace: 'shop',
      name: 'default',
      user: 'jane',
      decision: 'deny',
      codes: 'MTLS-02',
      dryRun: true,
      bytes: expect.any(Number),
      ms: expect.any(Number),
      msg: 'admission request answered',
    },
    {
      level: 40,
      time: expect.any(Number),
      webhook: 'validate',
      status: 400,
      msg: 'admission request refused',
    },
  ])
})
