import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { listen, type ListenOptions } from './listen.ts'

/** A scrape is a small request without a body; whoever sends less has 5 s for it. */
const REQUEST_TIMEOUT = 5000

export interface RunningMetricsServer {
  readonly address: AddressInfo
  /** Ends at once: a scrape that is lost is one sample. */
  readonly stop: () => void
}

/** Answers scrapes over plain HTTP, for who does not speak TLS. Rejects where it cannot listen. */
export async function startMetricsServer(at: ListenOptions, listener: RequestListener): Promise<RunningMetricsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT }, listener)
  const address = await listen(server, at)
  return {
    address,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
