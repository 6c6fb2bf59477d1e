import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { KubeConfig, Watch } from '@kubernetes/client-node'

import { asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { createApiClient, type ApiClient } from '../../../src/sources/cluster/api-client.ts'

/** A server that speaks list and watch of one kind, VirtualService, as scripted: the fake stands at the socket. */
export interface FakeApiServer {
  readonly api: ApiClient
  readonly watch: Watch
  /** Requests so far, as `LIST`, `LIST continue=…`, `LIST metadata.name=…` and `WATCH resourceVersion`. */
  readonly calls: readonly string[]
  /** Pages of the next lists; a page is the items and whether more follow. */
  pages: readonly { readonly items: readonly JsonObject[]; readonly next: string }[]
  /** The whole body of the next lists, in the place of pages. */
  rawList: string | undefined
  /** What is there to those who list by name, whatever the watches were told. */
  named: readonly JsonObject[]
  /** Every page names another one that follows. */
  endless: boolean
  /** The page with this `continue` has expired: 410, until the list is begun anew. */
  expired: string
  /** Status of every answer to a list or watch while it is not 200. */
  status: number
  /** The same of watches alone; 0: they are never answered. */
  watchStatus: number
  /** The plural of a resource that may not be listed; none: ''. */
  forbidden: string
  /** False: the CRD is not installed. */
  served: boolean
  /** The version that lists carry. */
  resourceVersion: string
  /** Sends an event to every open watch. */
  send(type: string, object: Json): void
  /** Sends raw text to every open watch. */
  sendText(text: string): void
  /** Ends every open watch, politely or by cutting the connection. */
  end(how: 'end' | 'cut'): void
  openWatches(): number
  close(): Promise<void>
}

/** Starts it. `silence`: milliseconds after which its watch takes a silent connection for a dead one; 30 s as the library has it. */
export async function startFakeApiServer({ silence = 30_000 } = {}): Promise<FakeApiServer> {
  const calls: string[] = []
  const streams = new Set<ServerResponse>()
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const config = configFor(server.address())
  const fake: FakeApiServer = {
    api: createApiClient(config),
    watch: Object.assign(new Watch(config), { requestTimeoutMs: silence }),
    calls,
    pages: [{ items: [], next: '' }],
    rawList: undefined,
    named: [],
    endless: false,
    expired: '',
    status: 200,
    watchStatus: 200,
    forbidden: '',
    served: true,
    resourceVersion: '100',
    send: (type, object) => fake.sendText(`${JSON.stringify({ type, object })}\n`),
    sendText: (text) => {
      for (const stream of streams) stream.write(text)
    },
    end: (how) => {
      for (const stream of streams) {
        if (how === 'end') stream.end()
        else stream.destroy()
      }
      streams.clear()
    },
    openWatches: () => streams.size,
    close: async () => {
      fake.end('cut')
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake')
    if (url.pathname === '/apis/networking.istio.io') {
      const version = { groupVersion: 'networking.istio.io/v1' }
      return fake.served
        ? json(response, 200, { preferredVersion: version, versions: [version] })
        : json(response, 404, {})
    }
    if (/^\/apis\/[^/]+$/.test(url.pathname)) return json(response, 404, {})
    if (url.pathname === '/apis/networking.istio.io/v1')
      return json(response, 200, { resources: [{ name: 'virtualservices' }] })
    if (url.searchParams.get('watch') === 'true') return follow(url, response)
    const selector = url.searchParams.get('fieldSelector')
    if (selector !== null) return byName(url.pathname, selector, response)
    const next = url.searchParams.get('continue') ?? ''
    calls.push(next === '' ? 'LIST' : `LIST continue=${next}`)
    if (url.pathname.endsWith(`/${fake.forbidden}`)) return json(response, 403, { message: 'you may not' })
    if (fake.status !== 200) return json(response, fake.status, { message: 'not now' })
    if (fake.rawList !== undefined) return void response.writeHead(200).end(fake.rawList)
    if (next !== '' && next === fake.expired) {
      fake.expired = ''
      return json(response, 410, { message: 'the continue token has expired' })
    }
    const index = next === '' ? 0 : Number(next)
    const page = fake.pages[Math.min(index, fake.pages.length - 1)]
    const metadata = {
      resourceVersion: fake.resourceVersion,
      ...(page?.next === '' ? {} : { continue: page?.next ?? '' }),
      ...(fake.endless ? { continue: String(calls.length) } : {}),
    }
    json(response, 200, { items: page?.items ?? [], metadata })
  }

  function byName(path: string, selector: string, response: ServerResponse): void {
    calls.push(`LIST ${selector}`)
    if (path.endsWith(`/${fake.forbidden}`)) return json(response, 403, { message: 'you may not' })
    if (fake.status !== 200) return json(response, fake.status, { message: 'not now' })
    const items = fake.named.filter(({ metadata }) => selector === `metadata.name=${nameIn(metadata)}`)
    json(response, 200, { items, metadata: { resourceVersion: fake.resourceVersion } })
  }

  function follow(url: URL, response: ServerResponse): void {
    calls.push(`WATCH ${url.searchParams.get('resourceVersion') ?? ''}`)
    if (fake.watchStatus === 0) return
    const status = fake.status === 200 ? fake.watchStatus : fake.status
    if (status !== 200 || !fake.served) return json(response, fake.served ? status : 404, { message: 'not now' })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    streams.add(response)
    response.on('close', () => streams.delete(response))
  }
}

function nameIn(metadata: Json | undefined): string {
  const { name } = asObject(metadata)
  return typeof name === 'string' ? name : ''
}

function json(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function configFor(address: AddressInfo | string | null): KubeConfig {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'fake', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'nobody' },
  )
  return config
}
