import request from 'supertest'
import { expect, test } from 'vitest'

import { fixedSource, lateSource } from '../../src/sources/source.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { peerAuthenticationReview, virtualServiceReview } from './sample-review.ts'
import { createTestServer, testPolicies } from './test-server.ts'

test('/livez says ok whatever is missing', async () => {
  const answer = await request(createTestServer({ policies: lateSource() }).app).get('/livez')
  expect([answer.status, answer.text]).toEqual([200, 'ok\n'])
})

test('/readyz follows the policies and the end of the process, and says why not', async () => {
  const policies = lateSource<PolicySet>()
  const { app, lifecycle } = createTestServer({ policies })
  const before = await request(app).get('/readyz')
  expect([before.status, before.text]).toEqual([503, '[-]policies: not loaded yet\n[+]mesh ok\n[+]shutdown ok\n'])
  policies.follow(fixedSource(testPolicies()))
  const ready = await request(app).get('/readyz')
  expect([ready.status, ready.text]).toEqual([200, '[+]policies ok\n[+]mesh ok\n[+]shutdown ok\n'])
  lifecycle.startDraining()
  const after = await request(app).get('/readyz')
  expect([after.status, after.text]).toEqual([
    503,
    '[+]policies ok\n[+]mesh ok\n[-]shutdown: this server is shutting down\n',
  ])
})

test('/metrics counts what was decided, found, filled and refused', async () => {
  const { app } = createTestServer()
  const post = (path: string, body: object) =>
    request(app).post(path).set('Content-Type', 'application/json').send(JSON.stringify(body))
  await post('/validate', peerAuthenticationReview({ mtls: { mode: 'DISABLE' } }))
  await post('/validate', peerAuthenticationReview({ mtls: { mode: 'DISABLE' } }))
  await post('/mutate', virtualServiceReview({ http: [{ name: 'a' }, { name: 'b' }] }))
  await post('/mutate', {})
  const { text, headers } = await request(app).get('/metrics')
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  const ours = text.split('\n').filter((line) => /^meshward_(?!request_duration)/.test(line))
  expect(ours.sort()).toEqual([
    `meshward_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    'meshward_certificate_expiry_timestamp_seconds 1900000000',
    'meshward_mesh_staleness_seconds 0',
    'meshward_mutations_total{code="RES-01"} 2',
    'meshward_policies_refused 0',
    'meshward_policies{state="broken"} 0',
    'meshward_policies{state="compiled"} 2',
    'meshward_policy_reload_errors_total 0',
    'meshward_recheck_skipped_total 0',
    'meshward_refused_requests_total{path="/mutate",status="400"} 1',
    'meshward_request_bytes_in_flight 0',
    'meshward_requests_in_flight 0',
    'meshward_requests_total{webhook="mutate",kind="VirtualService.networking.istio.io",operation="CREATE",decision="mutate"} 1',
    'meshward_requests_total{webhook="validate",kind="PeerAuthentication.security.istio.io",operation="CREATE",decision="deny"} 2',
    'meshward_rule_evaluations_total{policy="require-strict-mtls"} 2',
    'meshward_violations_total{code="MTLS-02",namespace="shop",action="Deny"} 2',
  ])
  expect(text).toMatch(/^meshward_request_duration_seconds_count\{webhook="validate"\} 2$/m)
})

test('names that requests choose cannot fill the memory: from the 101st on they are one', async () => {
  const { app } = createTestServer()
  const spec = { mtls: { mode: 'DISABLE' } }
  for (let index = 0; index < 105; index += 1) {
    await request(app)
      .post('/validate')
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(peerAuthenticationReview(spec, { namespace: `n${index}` })))
  }
  const { text } = await request(app).get('/metrics')
  expect(text.match(/^meshward_violations_total\{/gm)).toHaveLength(101)
  expect(text).toContain('meshward_violations_total{code="MTLS-02",namespace="other",action="Deny"} 5')
})

test('headers tell nothing of the library and answers are not compared by tag', async () => {
  const { headers } = await request(createTestServer().app).get('/livez')
  expect(headers).not.toHaveProperty('x-powered-by')
  expect(headers).not.toHaveProperty('etag')
})
