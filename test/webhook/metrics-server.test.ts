import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { createMetricsApp } from '../../src/webhook/app.ts'
import { startMetricsServer } from '../../src/webhook/metrics-server.ts'
import { createTestServer } from './test-server.ts'

const at = { host: '127.0.0.1', port: 0 }

async function start() {
  const server = await startMetricsServer(at, createMetricsApp(createTestServer()))
  onTestFinished(() => server.stop())
  return {
    server,
    ask: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.address.port}${path}`, { method }),
  }
}

test('a scrape over plain HTTP gets the metrics', async () => {
  const { ask } = await start()
  const answer = await ask('/metrics')
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(await answer.text()).toContain('meshward_build_info{version="1.2.3"')
})

test.each(['/validate', '/mutate', '/dry-run', '/', '/readyz', '/debug/heap'])(
  'what is not for everybody is not there: %s',
  async (path) => {
    const { ask } = await start()
    const answer = await ask(path, path === '/validate' ? 'POST' : 'GET')
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ reason: 'NotFound' })])
  },
)

test('only GET is answered', async () => {
  const { ask } = await start()
  const answer = await ask('/metrics', 'POST')
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('after the end nobody is there', async () => {
  const { server, ask } = await start()
  server.stop()
  await expect(ask('/metrics')).rejects.toThrow()
})

test('a port that is taken is told', async () => {
  const taken = createServer().listen(at)
  onTestFinished(() => void taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  await expect(startMetricsServer({ ...at, port }, () => undefined)).rejects.toThrow(/EADDRINUSE/)
})
