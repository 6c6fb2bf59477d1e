import { afterAll, describe, expect, test } from 'vitest'

import { createGate } from '../../src/webhook/admission-gate.ts'
import { startHttpsServer, type RunningServer } from '../../src/webhook/https-server.ts'
import { makeCertificate } from '../../src/webhook/self-made-certificate.ts'
import { openConnection, rawPost } from './https-client.ts'
import { peerAuthenticationReview } from './sample-review.ts'
import { createTestServer, type TestServerOptions } from './test-server.ts'

const running: RunningServer[] = []

afterAll(async () => {
  await Promise.all(running.map((server) => server.drain(0)))
})

async function start(options: TestServerOptions = {}) {
  const { source, ca } = await makeCertificate({ names: ['localhost', '127.0.0.1'], problem: () => undefined })
  const { app, lifecycle, gate } = createTestServer(options)
  const server = await startHttpsServer({ host: '127.0.0.1', port: 0, certificates: source, lifecycle, listener: app })
  running.push(server)
  return { server, gate, open: () => openConnection(server.address.port, ca) }
}

const REVIEW = JSON.stringify(peerAuthenticationReview({ mtls: { mode: 'STRICT' } }))

test('HTTP/1.1 is what is spoken, also to clients that would rather speak HTTP/2', async () => {
  const { open } = await start()
  const connection = await open()
  expect(connection.socket.alpnProtocol).toBe('http/1.1')
  expect(connection.socket.getProtocol()).toBe('TLSv1.3')
})

test('a connection is kept for the next request, 120 s long', async () => {
  const { open } = await start()
  const connection = await open()
  for (let index = 0; index < 3; index += 1) {
    connection.write(rawPost('/validate?timeout=3s', REVIEW))
    const { status, headers } = await connection.answer()
    expect([status, headers.connection, headers['keep-alive']]).toEqual([200, 'keep-alive', 'timeout=120'])
  }
})

test('a body that comes in pieces is put together', async () => {
  const { open } = await start()
  const connection = await open()
  const message = rawPost('/validate', REVIEW)
  for (let at = 0; at < message.length; at += 100) {
    connection.write(message.slice(at, at + 100))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(JSON.parse((await connection.answer()).body).response.allowed).toBe(true)
})

test('a body without a declared length is read to its end, and refused past the limit', async () => {
  const { open } = await start()
  const chunked = { 'Transfer-Encoding': 'chunked', 'Content-Length': '' }
  const head = rawPost('/validate', '', chunked).replace('Content-Length: \r\n', '')
  const good = await open()
  good.write(`${head}${REVIEW.length.toString(16)}\r\n${REVIEW}\r\n0\r\n\r\n`)
  expect((await good.answer()).status).toBe(200)
  const large = await open()
  const piece = 'x'.repeat(1024 * 1024)
  large.write(head)
  for (let index = 0; index < 8; index += 1) large.write(`100000\r\n${piece}\r\n`)
  const { status, headers } = await large.answer()
  expect([status, headers.connection]).toEqual([413, 'close'])
  await large.ended
})

test('a refusal does not wait for the body, and its sender gets to read it', async () => {
  const { open } = await start()
  const connection = await open()
  connection.write(rawPost('/validate', 'x', { 'Content-Length': 10_000_000 }))
  expect((await connection.answer()).status).toBe(413)
  await connection.ended
})

test('a refused small request does not cost the connection', async () => {
  const { open } = await start()
  const connection = await open()
  connection.write(rawPost('/validate', 'hello', { 'Content-Type': 'text/plain' }))
  expect((await connection.answer()).status).toBe(415)
  connection.write(rawPost('/validate', REVIEW))
  expect((await connection.answer()).status).toBe(200)
})

describe('a body that does not come', () => {
  test('is waited for as long as the caller waits', async () => {
    const { open, gate } = await start()
    const connection = await open()
    connection.write(rawPost('/validate?timeout=200ms', '{', { 'Content-Length': 100 }))
    const { status, body } = await connection.answer()
    expect([status, JSON.parse(body).message]).toEqual([
      408,
      'the body did not arrive within 0.2 s. Send it again, at once.',
    ])
    expect(gate.inFlight()).toEqual({ requests: 0, bytes: 0 })
  })

  test('is given up when the connection ends, and the server lives on', async () => {
    const { open, gate } = await start()
    const connection = await open()
    connection.write(rawPost('/validate', '{', { 'Content-Length': 100 }))
    await expect.poll(() => gate.inFlight().requests).toBe(1)
    connection.socket.destroy()
    await expect.poll(() => gate.inFlight()).toEqual({ requests: 0, bytes: 0 })
    const next = await open()
    next.write(rawPost('/validate', REVIEW))
    expect((await next.answer()).status).toBe(200)
  })

  test('and a sender that says so is answered', async () => {
    const { open } = await start()
    const connection = await open()
    connection.write(rawPost('/validate', '{', { 'Content-Length': 100 }))
    connection.socket.end()
    const { status, body } = await connection.answer()
    expect([status, JSON.parse(body).message]).toEqual([
      400,
      'the connection ended before the body did. Send it again, whole.',
    ])
  })
})

test('what is no HTTP gets an answer all the same', async () => {
  const { open } = await start()
  const connection = await open()
  connection.write('hello\r\n\r\n')
  const { status, body } = await connection.answer()
  expect([status, JSON.parse(body).message]).toEqual([400, 'this is no HTTP/1.1 request. Send one.'])
})

describe('a full house', () => {
  test('answers 503 at once past so many requests, and lets in again when one has left', async () => {
    const { gate, open } = await start({ gate: createGate({ requests: 2, bytes: 1_000_000 }) })
    const slow = await Promise.all([open(), open()])
    for (const connection of slow)
      connection.write(rawPost('/validate', REVIEW.slice(0, 5), { 'Content-Length': REVIEW.length }))
    await expect.poll(() => gate.inFlight().requests).toBe(2)
    const third = await open()
    third.write(rawPost('/validate', REVIEW))
    const refused = await third.answer()
    expect([refused.status, refused.headers['retry-after'], refused.headers.connection]).toEqual([
      503,
      '1',
      'keep-alive',
    ])
    expect(JSON.parse(refused.body).message).toMatch(/^as many requests are under way as may be at once\. Try again/)
    for (const connection of slow) {
      connection.write(REVIEW.slice(5))
      expect((await connection.answer()).status).toBe(200)
    }
    third.write(rawPost('/validate', REVIEW))
    expect((await third.answer()).status).toBe(200)
  })

  test('answers 503 at once past so many bytes, declared or not', async () => {
    const { gate, open } = await start({ gate: createGate({ requests: 10, bytes: REVIEW.length + 10 }) })
    const slow = await open()
    slow.write(rawPost('/validate', REVIEW.slice(0, 5), { 'Content-Length': REVIEW.length }))
    await expect.poll(() => gate.inFlight().bytes).toBe(REVIEW.length)
    const second = await open()
    second.write(rawPost('/validate', REVIEW))
    expect((await second.answer()).status).toBe(503)
    slow.write(REVIEW.slice(5))
    expect((await slow.answer()).status).toBe(200)
  })
})

describe('draining', () => {
  test('a request that has begun is answered, with the wish to close', async () => {
    const { server, gate, open } = await start()
    const connection = await open()
    connection.write(rawPost('/validate', REVIEW.slice(0, 5), { 'Content-Length': REVIEW.length }))
    await expect.poll(() => gate.inFlight().requests).toBe(1)
    const drained = server.drain(0)
    await new Promise((resolve) => setTimeout(resolve, 800))
    connection.write(REVIEW.slice(5))
    const { status, headers } = await connection.answer()
    expect([status, headers.connection]).toEqual([200, 'close'])
    await drained
  })

  test('meanwhile everything is still answered, on old connections and new ones, and asked to close', async () => {
    const { server, open } = await start()
    const old = await open()
    const drained = server.drain(2000)
    for (const connection of [old, await open()]) {
      connection.write(rawPost('/validate', REVIEW))
      const { status, headers } = await connection.answer()
      expect([status, headers.connection]).toEqual([200, 'close'])
      await connection.ended
    }
    await drained
    await expect(open()).rejects.toThrow('ECONNREFUSED')
  })

  test('connections on which nobody says anything do not hold it up', async () => {
    const { server, open } = await start()
    const silent = await open()
    const used = await open()
    used.write(rawPost('/validate', REVIEW))
    await used.answer()
    const started = performance.now()
    await server.drain(0)
    expect(performance.now() - started).toBeLessThan(10_000)
    await Promise.all([silent.ended, used.ended])
  })
})
