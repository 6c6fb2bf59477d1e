import type { ServerResponse } from 'node:http'

/** A request that gets no verdict, and what its sender can do about it. */
export interface HttpProblem {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503
  /** One sentence on what is wrong, one on what to do. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: HttpProblem }

export function failed(status: HttpProblem['status'], message: string): { ok: false; problem: HttpProblem } {
  return { ok: false, problem: { status, message } }
}

/** What needs the policies cannot be answered before they are there. */
export const NOT_READY: Outcome<never> = {
  ok: false,
  problem: {
    status: 503,
    message: 'the policies are still being loaded. Try again in a moment; /readyz tells when.',
    headers: { 'Retry-After': '1' },
  },
}

/**
 * Answers with a `Status` object of Kubernetes, which kubectl, client-go and people can read. Does nothing where an
 * answer is already under way or nobody waits for one.
 */
export function sendProblem(response: ServerResponse, problem: HttpProblem): void {
  if (response.headersSent || response.destroyed) return
  const text = problemText(problem)
  response.writeHead(problem.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...problem.headers,
  })
  response.end(text)
}

/** The body of a problem's answer. */
export function problemText({ status, message }: HttpProblem): string {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: status }
  return `${JSON.stringify({ ...body, reason: REASONS[status] })}\n`
}

/** The names that Kubernetes has for these (metav1.StatusReason). */
const REASONS: Readonly<Record<HttpProblem['status'], string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'Timeout',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}
