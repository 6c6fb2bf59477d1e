import { request as plainRequest } from 'node:http'
import { request, type RequestOptions } from 'node:https'

import type { KubeConfig } from '@kubernetes/client-node'

import type { Json } from '../../kube/json.ts'

export interface ApiResponse {
  readonly status: number
  /** The parsed body; null where it is not JSON. */
  readonly body: Json
}

/**
 * Plain requests to the API server, with the addresses and credentials of a kubeconfig. Objects come back as the JSON
 * they are: the generated clients of client-node turn dates and unknown fields into something else.
 */
export interface ApiClient {
  /** Rejects where no answer came; an answer of any status resolves. */
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options?: SendOptions): Promise<ApiResponse>
}

export interface SendOptions {
  readonly body?: Json
  /** `application/json` when left out. */
  readonly contentType?: string
  /** Milliseconds until the answer must be complete; 30 s when left out. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

const TIMEOUT = 30_000

/** A client for the current context of a kubeconfig. Credentials are asked for at each request: they may expire. */
export function createApiClient(config: KubeConfig): ApiClient {
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error('the kubeconfig has no current cluster')
  const base = new URL(server)
  return {
    async send(method, path, options = {}) {
      const url = new URL(base.pathname.replace(/\/$/, '') + path, base)
      const settings: RequestOptions = { method, headers: headersOf(options) }
      await config.applyToHTTPSOptions(settings)
      return exchange(url, settings, options)
    },
  }
}

function exchange(url: URL, settings: RequestOptions, options: SendOptions): Promise<ApiResponse> {
  const limit = AbortSignal.timeout(options.timeout ?? TIMEOUT)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new Error(whatWentWrong(error), { cause: error }))
    const send = url.protocol === 'https:' ? request : plainRequest
    const outgoing = send(url, { ...settings, signal }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', fail)
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }),
      )
    })
    outgoing.on('error', fail)
    outgoing.end(options.body === undefined ? undefined : JSON.stringify(options.body))
  })
}

/** The reasons of a failed request in words: Node keeps them in an error's cause, or one for each address that was tried. */
function whatWentWrong(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each: unknown) => String(each)).join(', ')
  return error.name === 'AbortError' && error.cause instanceof Error ? error.cause.message : error.message
}

function headersOf(options: SendOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json'
  return headers
}

function parse(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return null
  }
}
