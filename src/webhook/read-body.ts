import type { IncomingMessage } from 'node:http'

import type { Ticket } from './admission-gate.ts'
import { createDeadlines } from './deadlines.ts'
import { failed, type Outcome } from './http-problem.ts'

export interface BodyOptions {
  readonly mostBytes: number
  /** What a body of that size would be too large for, as the end of a sentence. */
  readonly whyNotMore: string
  /** Milliseconds until the caller stops waiting. */
  readonly timeout: number
  readonly ticket: Ticket
}

/**
 * The body of a request, whole and bounded in size, memory and time. Never rejects; a connection that breaks is a
 * problem like any other, though nobody is left to read of it.
 */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<Outcome<Buffer>> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    const message = `the body is encoded as "${encoding}". Send it as it is, without Content-Encoding.`
    return Promise.resolve(failed(415, message))
  }
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > options.mostBytes) return Promise.resolve(tooLarge(options))
  if (!options.ticket.grow(declared)) return Promise.resolve(BUSY)
  return collect(request, declared, options)
}

/** The answer to a request that there is no room for. */
export const BUSY: Outcome<never> = {
  ok: false,
  problem: {
    status: 503,
    message: 'as many requests are under way as may be at once. Try again; if it lasts, run more replicas.',
    headers: { 'Retry-After': '1' },
  },
}

function collect(request: IncomingMessage, declared: number, options: BodyOptions): Promise<Outcome<Buffer>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const settle = (outcome: Outcome<Buffer>): void => {
      inTime()
      request.removeListener('data', onData).removeListener('end', onEnd).removeListener('close', onClose)
      resolve(outcome)
    }
    const onData = (chunk: Buffer): void => {
      const reserved = Math.max(declared, length)
      length += chunk.length
      if (length > options.mostBytes) settle(tooLarge(options))
      else if (length > reserved && !options.ticket.grow(length - reserved)) settle(BUSY)
      else chunks.push(chunk)
    }
    const onEnd = (): void => {
      const [first] = chunks
      settle({ ok: true, value: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) })
    }
    const onClose = (): void => settle(failed(400, 'the connection ended before the body did. Send it again.'))
    const inTime = deadlines.within(options.timeout, () => {
      const message = `the body did not arrive within ${options.timeout / 1000} s. Send it again, at once.`
      settle(failed(408, message))
    })
    // An error is always followed by `close`, which says the same.
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore)
  })
}

const deadlines = createDeadlines()

function tooLarge({ mostBytes, whyNotMore }: BodyOptions): Outcome<never> {
  return failed(413, `the body is larger than ${mostBytes / MEBIBYTE} MiB, ${whyNotMore}.`)
}

export const MEBIBYTE = 1024 * 1024

function ignore(): void {}
