import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

import type { KubeConfig } from '@kubernetes/client-node'

import { asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'

/** An object to create, and what the API server has to say to that. */
export interface Sample {
  /** Its path in the API, without the name. */
  readonly collection: string
  readonly object: JsonObject
  /** Why an answer is not the right one; undefined for the right one. */
  readonly wrong: (answer: Answer) => string | undefined
}

export interface Answer {
  readonly status: number
  /** What the API server says about a refusal; empty when it accepts. */
  readonly message: string
  readonly warnings: string
  /** The object as it would be stored, or a Status. */
  readonly body: JsonObject
  /** Milliseconds. */
  readonly took: number
}

export interface LoadResult {
  /** Samples that got an answer. */
  readonly answered: number
  /** The first reasons why an answer was not right. */
  readonly wrong: readonly string[]
  /** Requests that did not reach an API server, because there was none; each was sent again. */
  readonly unreachable: number
}

export interface LoadOptions {
  readonly client: KubeConfig
  readonly concurrency: number
  readonly samples: readonly Sample[]
  /** Milliseconds that a client waits between an answer and its next request, so that others have a share of the machine. */
  readonly pause?: number
}

/** Clients that do nothing but to create objects, all as a dry run, one after the other. */
export interface AdmissionLoad {
  /** Runs the load for as long as something goes on, and at least until so many samples are answered. */
  during(deed: (outage: Outage) => Promise<unknown>, atLeast?: number): Promise<LoadResult>
}

/** Runs something that takes the API server away: until it is over, connections may fail and are tried again. */
export type Outage = (deed: () => Promise<void>) => Promise<void>

/** So many reasons are enough to see what is wrong. */
const MOST_REASONS = 100

/** Milliseconds between two tries to reach an API server that is not there. */
const RETRY = 50

export function createAdmissionLoad({ client, concurrency, samples, pause = 0 }: LoadOptions): AdmissionLoad {
  const post = createPoster(client)
  return {
    during: async (deed, atLeast = 0) => {
      const wrong: string[] = []
      let [answered, unreachable, next, down] = [0, 0, 0, 0]
      const over = new AbortController()
      let lastOutage = Number.NEGATIVE_INFINITY
      const outage: Outage = async (takeAway) => {
        down++
        await takeAway().finally(() => {
          down--
          lastOutage = performance.now()
        })
      }
      const ask = async (sample: Sample): Promise<string | undefined> => {
        for (;;) {
          const asked = performance.now()
          const answer = await post(sample).catch((error: unknown) => String(error))
          // What was sent while it was away, or was under way when it went.
          const excused = (down > 0 || asked < lastOutage) && isUnavailable(answer)
          if (!excused) return typeof answer === 'string' ? answer : sample.wrong(answer)
          unreachable++
          await delay(RETRY)
        }
      }
      const work = async (): Promise<void> => {
        while (!over.signal.aborted || answered < atLeast) {
          const sample = samples[next++ % samples.length]
          if (sample === undefined) return
          const reason = await ask(sample)
          answered++
          if (reason !== undefined && wrong.length < MOST_REASONS) wrong.push(reason)
          if (pause > 0) await delay(pause)
        }
      }
      const workers = Promise.all(Array.from({ length: concurrency }, work))
      try {
        await deed(outage)
      } finally {
        over.abort()
        await workers
      }
      return { answered, wrong, unreachable }
    },
  }
}

/** No answer at all, or one of an API server that has just started; never one that a webhook had a part in. */
function isUnavailable(answer: Answer | string): boolean {
  if (typeof answer === 'string') return true
  const { status, message } = answer
  return status >= 400 && !message.includes('webhook')
}

/** Creates samples as a dry run, over connections that stay open. Rejects where no answer comes. */
export function createPoster(client: KubeConfig): (sample: Pick<Sample, 'collection' | 'object'>) => Promise<Answer> {
  const cluster = client.getCurrentCluster()
  if (cluster === null) throw new Error('the kubeconfig has no current cluster')
  const agent = new Agent({ keepAlive: true, ...authorityOf(cluster.caFile), servername: cluster.tlsServerName ?? '' })
  const authorization = `Bearer ${client.getCurrentUser()?.token ?? ''}`
  const headers = { authorization, accept: 'application/json', 'content-type': 'application/json' }
  return ({ collection, object }) =>
    new Promise((resolve, reject) => {
      const started = performance.now()
      const url = `${cluster.server}${collection}?dryRun=All`
      const outgoing = request(url, { method: 'POST', agent, headers, timeout: 30_000 }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => {
          const parsed: Json = JSON.parse(Buffer.concat(chunks).toString('utf8'))
          const body = asObject(parsed)
          const message = body.kind === 'Status' && typeof body.message === 'string' ? body.message : ''
          const { warning: warnings = '' } = incoming.headers
          resolve({ status: incoming.statusCode ?? 0, message, warnings, body, took: performance.now() - started })
        })
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 30 s')))
      outgoing.on('error', reject).end(JSON.stringify(object))
    })
}

function authorityOf(file: string | undefined): { readonly ca?: Buffer } {
  return file === undefined ? {} : { ca: readFileSync(file) }
}
