import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'

import type { AdmissionHandler } from './admission-handler.ts'
import { readiness, type ReadinessCheck } from './health.ts'
import { sendProblem, type HttpProblem } from './http-problem.ts'
import { loopbackOnly } from './loopback.ts'
import type { Metrics, WebhookName } from './metrics.ts'
import { refuse } from './refuse.ts'

export interface AppOptions {
  readonly admission: AdmissionHandler
  readonly dryRun: RequestHandler
  readonly dryRunPage: RequestHandler
  /** What answers below `/debug`; undefined where nothing shall. */
  readonly debug?: RequestHandler | undefined
  /** The address of the listener, for what answers on loopback only. */
  readonly listensOn: () => string
  readonly checks: readonly ReadinessCheck[]
  readonly metrics: Metrics
  readonly logger: Logger
}

/** Every route of the server. */
export function createApp(options: AppOptions): Express {
  const app = bareApp()
  for (const webhook of ['validate', 'mutate'] as const)
    app
      .route(`/${webhook}`)
      .post((request, response) => options.admission(webhook, request, response))
      .all(only('POST'))
  const local = loopbackOnly(options.listensOn)
  app.route('/dry-run').post(options.dryRun).all(only('POST'))
  app.route('/').get(local, options.dryRunPage).all(only('GET'))
  app.route('/livez').get(livez).all(only('GET'))
  app.route('/readyz').get(readyz(options.checks)).all(only('GET'))
  app.route('/metrics').get(scrape(options.metrics)).all(only('GET'))
  if (options.debug !== undefined) app.use('/debug', options.debug)
  app.use((request, response) => refuse(request, response, NOT_FOUND))
  app.use(onBug(options.logger))
  return app
}

/** `/metrics` alone, for a listener of its own. */
export function createMetricsApp({ metrics, logger }: Pick<AppOptions, 'metrics' | 'logger'>): Express {
  const app = bareApp()
  app.route('/metrics').get(scrape(metrics)).all(only('GET'))
  app.use((request, response) => refuse(request, response, ONLY_METRICS))
  app.use(onBug(logger))
  return app
}

function bareApp(): Express {
  return express().disable('x-powered-by').set('etag', false).set('query parser', false)
}

/** True where the request was for a webhook, which is then being answered. */
export type AdmissionShortcut = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * The way of the two hot routes past Express, whose router alone takes a quarter of the time of a small review
 * (docs/decisions has the measurements). The handler is the one that the app has on the same routes.
 */
export function createShortcut(admission: AdmissionHandler): AdmissionShortcut {
  return (request, response) => {
    const webhook = request.method === 'POST' ? webhookOf(request.url ?? '') : undefined
    if (webhook === undefined) return false
    void admission(webhook, request, response)
    return true
  }
}

function webhookOf(url: string): WebhookName | undefined {
  const query = url.indexOf('?')
  switch (query < 0 ? url : url.slice(0, query)) {
    case '/validate':
      return 'validate'
    case '/mutate':
      return 'mutate'
    default:
      return undefined
  }
}

const NOT_FOUND: HttpProblem = {
  status: 404,
  message: 'there is nothing here. This server answers /validate, /mutate, /dry-run, /livez, /readyz, /metrics and /.',
}

const ONLY_METRICS: HttpProblem = {
  status: 404,
  message: 'there is nothing here. This port answers /metrics; everything else is on the port that speaks HTTPS.',
}

function only(method: 'GET' | 'POST'): RequestHandler {
  return (request, response) =>
    refuse(request, response, {
      status: 405,
      message: `${request.path} answers ${method} only. Send the request again as ${method}.`,
      headers: { Allow: method === 'GET' ? 'GET, HEAD' : 'POST' },
    })
}

/** Answers as long as the event loop turns, which is all that restarting the process could mend. */
const livez: RequestHandler = (_, response) => {
  response.type('text/plain').send('ok\n')
}

function readyz(checks: readonly ReadinessCheck[]): RequestHandler {
  return (_, response) => {
    const { ready, text } = readiness(checks)
    response
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(text)
  }
}

function scrape(metrics: Metrics): RequestHandler {
  return async (_, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.render())
  }
}

/** Express knows an error handler by its four parameters. */
function onBug(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    logger.error({ err: error, path: request.path }, 'request failed on a bug')
    sendProblem(response, {
      status: 500,
      message: 'Meshward met an error of its own. Its log has the details; please report them.',
    })
  }
}
