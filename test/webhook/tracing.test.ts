import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts'
import { readAdmissionReview } from '../../src/webhook/admission-review.ts'
import { createTracing, type AnsweredRequest } from '../../src/webhook/tracing.ts'
import { sampleDecision, sampleFinding } from './sample-decision.ts'
import { peerAuthenticationReview } from './sample-review.ts'

/** A collector that speaks OTLP over HTTP, and what it was sent. */
async function startCollector(status = 200) {
  const received: { readonly path: string | undefined; readonly body: JsonObject }[] = []
  const server = createServer((request: IncomingMessage, response) => {
    void json(request).then((body) => {
      received.push({ path: request.url, body: asObject(body) })
      response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return { endpoint: `http://127.0.0.1:${port}`, received }
}

function answered(traceparent?: string): AnsweredRequest {
  const review = readAdmissionReview(asObject(peerAuthenticationReview({ mtls: { mode: 'PERMISSIVE' } })))
  if (!review.ok) throw new Error(review.problem.message)
  const decision = sampleDecision({ allowed: false, findings: [sampleFinding()] })
  const ended = performance.now()
  return { webhook: 'validate', request: review.value, decision, traceparent, started: ended - 5, ended }
}

async function traced(endpoint: string, problems: string[], ...requests: readonly AnsweredRequest[]) {
  const problem = (reason: string): void => void problems.push(reason)
  const tracing = createTracing({ endpoint, version: '1.2.3', instance: 'meshward-1', problem })
  for (const request of requests) tracing.answered(request)
  await tracing.stop()
}

test('an answer is a span that continues the trace of the API server, with the verdict and nothing of the object', async () => {
  const { endpoint, received } = await startCollector()
  await traced(endpoint, [], answered('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'))
  expect(received.map(({ path }) => path)).toEqual(['/v1/traces'])
  const [resourceSpans] = asList(received[0]?.body.resourceSpans).map(asObject)
  const resource = JSON.stringify(resourceSpans?.resource)
  for (const value of ['meshward', '1.2.3', 'meshward-1']) expect(resource).toContain(`"stringValue":"${value}"`)
  const spans = asList(resourceSpans?.scopeSpans).flatMap((scope) => asList(asObject(scope).spans))
  expect(spans).toMatchObject([
    {
      name: 'admission validate',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
    },
  ])
  const { startTimeUnixNano: start, endTimeUnixNano: end, attributes } = asObject(spans[0])
  expect((Number(end) - Number(start)) / 1e6).toBeCloseTo(5, 1)
  expect(Math.abs(Number(start) / 1e6 - Date.now())).toBeLessThan(60_000)
  const text = JSON.stringify(attributes)
  for (const value of ['deny', 'MTLS-02', 'PeerAuthentication.security.istio.io', 'shop']) expect(text).toContain(value)
  expect(text).not.toContain('PERMISSIVE')
})

test.each([undefined, 'nonsense'])('without a trace of the API server (%s) an answer begins one', async (header) => {
  const { endpoint, received } = await startCollector()
  await traced(endpoint, [], answered(header))
  const text = JSON.stringify(received)
  expect(text).toContain('"name":"admission validate"')
  expect(text).not.toContain('parentSpanId":"b7')
})

test('a trace that the API server does not record is not recorded here', async () => {
  const { endpoint, received } = await startCollector()
  await traced(endpoint, [], answered('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'))
  expect(received).toEqual([])
})

test('a path of one’s own is kept', async () => {
  const { endpoint, received } = await startCollector()
  await traced(`${endpoint}/otlp/traces`, [], answered())
  expect(received.map(({ path }) => path)).toEqual(['/otlp/traces'])
})

test('a collector that refuses is a problem that is told, and nothing else', async () => {
  const { endpoint } = await startCollector(400)
  const problems: string[] = []
  await traced(endpoint, problems, answered())
  expect(problems).toHaveLength(1)
})
