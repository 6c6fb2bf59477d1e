import type { RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import type { CertificateSource } from './certificate.ts'
import { problemText, type HttpProblem } from './http-problem.ts'
import type { Lifecycle } from './lifecycle.ts'
import { listen, type ListenOptions } from './listen.ts'

/** kube-apiserver reuses idle connections for up to 90 s; closing them before it does loses requests. */
const KEEP_ALIVE = 120_000

/** The longest that kube-apiserver waits for a webhook is 30 s. */
const REQUEST_TIMEOUT = 35_000

/** The shortest drain: a client that has just got an answer sends its next request within this time, or later ones elsewhere. */
const SHORTEST_DRAIN = 500

export interface HttpsServerOptions extends ListenOptions {
  readonly certificates: CertificateSource
  readonly lifecycle: Lifecycle
  readonly listener: RequestListener
}

export interface RunningServer {
  readonly address: AddressInfo
  /**
   * Ends without losing a request. For `delay` milliseconds everything is still answered, with `Connection: close`, so
   * that clients leave by themselves; then nothing new is accepted, and what is under way is answered.
   */
  drain(delay: number): Promise<void>
}

/** Listens; rejects where it cannot. HTTP/1.1 over TLS only, which is what kube-apiserver speaks to webhooks. */
export async function startHttpsServer(options: HttpsServerOptions): Promise<RunningServer> {
  const { cert, key } = options.certificates.current()
  const underWay = new Set<ServerResponse>()
  const server = createServer(
    {
      cert,
      key,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      keepAliveTimeout: KEEP_ALIVE,
      requestTimeout: REQUEST_TIMEOUT,
    },
    (request, response) => {
      underWay.add(response)
      response.once('close', () => underWay.delete(response))
      if (options.lifecycle.isDraining()) askToClose(response)
      options.listener(request, response)
    },
  )
  server.on('clientError', answerUnreadable)
  const stopWatching = options.certificates.watch((next) => server.setSecureContext({ cert: next.cert, key: next.key }))
  const address = await listen(server, options)
  return {
    address,
    drain: async (delay) => {
      options.lifecycle.startDraining()
      stopWatching()
      for (const response of underWay) askToClose(response)
      await sleep(Math.max(delay, SHORTEST_DRAIN))
      server.close()
      const deadline = performance.now() + REQUEST_TIMEOUT
      while (underWay.size > 0 && performance.now() < deadline) await sleep(10)
      server.closeAllConnections()
    },
  }
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close')
}

/** What is no HTTP at all, or ends too early: there is no request to answer, only a connection. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { line, problem } = unreadable(error.code)
  const body = problemText(problem)
  const head = `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\n\r\n${body}`)
}

function unreadable(code: string | undefined): { readonly line: string; readonly problem: HttpProblem } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        line: '408 Request Timeout',
        problem: { status: 408, message: 'the request did not arrive in time. Send it again, at once.' },
      }
    case 'HPE_INVALID_EOF_STATE':
      return {
        line: '400 Bad Request',
        problem: { status: 400, message: 'the connection ended before the body did. Send it again, whole.' },
      }
    default:
      return { line: '400 Bad Request', problem: { status: 400, message: 'this is no HTTP/1.1 request. Send one.' } }
  }
}
