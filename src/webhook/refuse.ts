import type { IncomingMessage, ServerResponse } from 'node:http'

import { problemText, sendProblem, type HttpProblem } from './http-problem.ts'

/** A rest of a body that is cheaper to take in than a new TLS connection, in bytes. */
const SMALL = 64 * 1024

/** How long the rest of a body that nobody wants is taken in, in milliseconds. */
const LINGER = 1000

/**
 * Answers a request whose body may still be coming in. Closing a connection with unread bytes would reset it, and the
 * sender might lose the answer; so the answer goes out whole at once, what still comes is thrown away for a moment,
 * and only then the connection ends.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, problem: HttpProblem): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  const declared = encoding === undefined ? Number(length ?? 0) : Infinity
  if (request.complete || response.headersSent || response.destroyed || declared <= SMALL)
    return sendProblem(response, problem)
  const text = problemText(problem)
  response.writeHead(problem.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
    ...problem.headers,
  })
  response.write(text)
  const finish = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(finish, LINGER)
  request.once('end', finish).once('close', finish).resume()
}
