import express from 'express'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { makeCertificate } from '../../src/webhook/self-made-certificate.ts'

/*
 * The servers that Meshward is measured against. Each reads an AdmissionReview and allows it, nothing more:
 *   limit   raw node:https, body collected by hand, JSON.parse
 *   d       the same inside Express 5
 *   c       Express 5 with express.json, as most webhooks in this language are written
 * Run as `node baseline-server.ts KIND`; prints its address on one line.
 */
const servers: Readonly<Record<string, () => RequestListener>> = {
  limit: () => (request, response) => void readJson(request).then((review) => answer(response, review)),
  d: () => {
    const app = express()
    app.disable('x-powered-by').set('etag', false).set('query parser', false)
    app.post('/validate', async (request, response) => answer(response, await readJson(request)))
    return app
  },
  c: () => {
    const app = express()
    app.use(express.json({ limit: '7mb' }))
    app.post('/validate', (request, response) => {
      response.json(allow(request.body))
    })
    return app
  },
}

interface Review {
  readonly request: { readonly uid: string }
}

function readJson(request: IncomingMessage): Promise<Review> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
  })
}

function allow({ request }: Review): object {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } }
}

function answer(response: ServerResponse, review: Review): void {
  const text = JSON.stringify(allow(review))
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

const kind = process.argv[2] ?? ''
const listener = servers[kind]?.()
if (listener === undefined)
  throw new Error(`no server is called "${kind}"; there are ${Object.keys(servers).join(', ')}`)
const { source, ca } = await makeCertificate({ names: ['127.0.0.1', 'localhost'], problem: console.error })
const { cert, key } = source.current()
const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, listener)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address !== 'object') return
  // For a client that wants to know whom it speaks to.
  console.log(`${ca.trim()}\nhttps://127.0.0.1:${address.port}`)
})
