import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import { json } from 'node:stream/consumers'

import { asObject, type JsonObject } from '../../../src/kube/json.ts'
import { makeCertificate } from '../../../src/webhook/self-made-certificate.ts'

/** One call, as it came in. */
export interface RecordedCall {
  readonly httpVersion: string
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  /** Calls over one connection have the same number here. */
  readonly connection: number
  /** The `request` of the AdmissionReview. */
  readonly request: JsonObject
}

/** A webhook for looking at what the API server sends. */
export interface RecordingWebhook {
  readonly url: string
  /** PEM of the authority that its certificate is verified against. */
  readonly ca: string
  /** The calls since the last look, oldest first. */
  readonly takeCalls: () => readonly RecordedCall[]
  readonly close: () => Promise<void>
}

/** The `response` of an AdmissionReview without its uid; nothing: no answer is ever given. */
export type Answer = (call: RecordedCall) => JsonObject | undefined

export interface RecordingOptions {
  /** Awaited before each answer: until then what it is asked about is under way. */
  readonly hold?: () => Promise<void>
}

/** Starts a webhook on a free loopback port that records every call and answers it as it is told. */
export async function startRecordingWebhook(
  answer: Answer,
  { hold = () => Promise.resolve() }: RecordingOptions = {},
): Promise<RecordingWebhook> {
  const { source, ca } = await makeCertificate({ names: ['127.0.0.1'], problem: () => {} })
  const { cert, key } = source.current()
  const connections = new WeakMap<object, number>()
  let opened = 0
  let calls: RecordedCall[] = []
  const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, (incoming, outgoing) => {
    void json(incoming).then(async (review) => {
      const request = asObject(asObject(review)['request'])
      const connection = connections.get(incoming.socket) ?? 0
      const { httpVersion, method, url, headers } = incoming
      const call = { httpVersion, method, url, headers, connection, request }
      calls.push(call)
      const response = answer(call)
      if (response === undefined) return
      await hold()
      outgoing.setHeader('content-type', 'application/json')
      outgoing.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: request['uid'], ...response },
        }),
      )
    })
  })
  server.on('secureConnection', (socket) => connections.set(socket, ++opened))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${listeningPort(server)}`,
    ca,
    takeCalls: () => {
      const taken = calls
      calls = []
      return taken
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function listeningPort(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the webhook does not listen')
  return address.port
}
