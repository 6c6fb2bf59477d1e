import { Agent, request, type RequestOptions } from 'node:https'
import { json } from 'node:stream/consumers'

import type { KubeConfig } from '@kubernetes/client-node'

import { asObject, type JsonObject } from '../../../src/kube/json.ts'

/** What an API server answered: its code, its object, and the texts of its warnings. */
export interface ApiAnswer {
  readonly code: number
  readonly body: JsonObject
  readonly warnings: readonly string[]
}

/** One request to an API server; resolves with undefined where it breaks the connection off, as it does when it panics. */
export type ApiClient = (method: 'POST' | 'DELETE', path: string, body?: JsonObject) => Promise<ApiAnswer | undefined>

// The API server keeps 4 Ki characters of warnings of one request.
const MOST_HEADERS = 32 * 1024

/** A client of the cluster that a kubeconfig names, over connections that are kept: thousands of requests take seconds. */
export async function createApiClient(config: KubeConfig): Promise<ApiClient> {
  const options: RequestOptions = { headers: { 'content-type': 'application/json' } }
  await config.applyToHTTPSOptions(options)
  const server = config.getCurrentCluster()?.server ?? ''
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(options.ca === undefined ? {} : { ca: options.ca }) })
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        `${server}${path}`,
        { ...options, agent, method, maxHeaderSize: MOST_HEADERS },
        (response) => {
          const texts = Buffer.from([response.headers['warning'] ?? []].flat().join(', '), 'latin1').toString()
          json(response).then(
            (answer) => resolve({ code: response.statusCode ?? 0, body: asObject(answer), warnings: textsOf(texts) }),
            reject,
          )
        },
      )
      outgoing.on('error', (error) => (hasBrokenOff(error) ? resolve(undefined) : reject(error)))
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

function hasBrokenOff(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNRESET'
}

/** The texts of `299 - "one", 299 - "two"`. */
function textsOf(header: string): readonly string[] {
  return Array.from(header.matchAll(/299 \S+ "((?:\\.|[^"\\])*)"/g), ([, text = '']) => text.replaceAll(/\\(.)/g, '$1'))
}
