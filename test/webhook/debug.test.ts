import express from 'express'
import request from 'supertest'
import { expect, test } from 'vitest'

import { createDebug } from '../../src/webhook/debug.ts'
import { createTestServer } from './test-server.ts'

/** `from`: the address that the client seems to have. */
function debug(from = '127.0.0.1') {
  const app = express()
  app.use((incoming, _, next) => {
    Object.defineProperty(incoming.socket, 'remoteAddress', { value: from })
    next()
  })
  return app.use('/debug', createDebug())
}

test('a CPU profile has samples, and is a file that developer tools open', async () => {
  const answer = await request(debug()).get('/debug/cpu?seconds=1')
  expect([answer.status, answer.headers['content-disposition']]).toEqual([
    200,
    'attachment; filename=meshward.cpuprofile',
  ])
  expect(answer.body).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) })
  expect(answer.body.samples.length).toBeGreaterThan(10)
})

test('a heap snapshot is whole', async () => {
  const answer = await request(debug())
    .get('/debug/heap')
    .buffer(true)
    .parse((incoming, done) => {
      let length = 0
      let end = ''
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length
        end = chunk.toString('latin1').trimEnd()
      })
      incoming.on('end', () => done(null, { large: length > 1_000_000, end: end.slice(-1) }))
    })
  expect([answer.status, answer.body]).toEqual([200, { large: true, end: '}' }])
})

test('one at a time: who comes while a profile is taken is put off, and served after it', async () => {
  const app = debug()
  const first = request(app)
    .get('/debug/cpu?seconds=1')
    .then(({ status }) => status)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await request(app).get('/debug/cpu?seconds=1')).status).toBe(503)
  expect(await first).toBe(200)
  expect((await request(app).get('/debug/cpu?seconds=1')).status).toBe(200)
})

test.each(['0', '61', 'ten', '1.5', ''])('seconds=%s is refused', async (seconds) => {
  expect((await request(debug()).get(`/debug/cpu?seconds=${seconds}`)).status).toBe(400)
})

test.each(['/debug/cpu', '/debug/heap'])('%s answers nobody from another machine', async (path) => {
  expect((await request(debug('10.0.0.7')).get(path)).status).toBe(403)
})

test('a server that was not asked for it has nothing there', async () => {
  expect((await request(createTestServer().app).get('/debug/heap')).status).toBe(404)
})
