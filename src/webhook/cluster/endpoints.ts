import { isIP } from 'node:net'
import { connect } from 'node:tls'

import { asList, asObject } from '../../kube/json.ts'
import type { ApiClient } from '../../sources/cluster/api-client.ts'
import { readObject } from './kept-objects.ts'

/** A place where a replica listens. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  /** The API server may send requests there. */
  readonly ready: boolean
}

/** The replicas behind a Service, ready or not; without those that have ended their work. */
export async function endpointsOf(
  api: ApiClient,
  { namespace, name, port }: { readonly namespace: string; readonly name: string; readonly port: number },
): Promise<readonly Endpoint[]> {
  const query = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${name}` })
  const list = await readObject(
    api,
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query.toString()}`,
  )
  const endpoints = asList(list?.items).flatMap((slice) => asList(asObject(slice).endpoints).map(asObject))
  return endpoints
    .filter(({ conditions }) => {
      const { terminating, serving } = asObject(conditions)
      return terminating !== true || serving === true
    })
    .flatMap(({ addresses, conditions }) =>
      asList(addresses)
        .filter((host) => typeof host === 'string')
        .map((host) => ({ host, port, ready: asObject(conditions).ready !== false })),
    )
}

/** A connection within a cluster takes milliseconds. */
const TIMEOUT = 2000

/** Would a client that asks for `name` and trusts only `ca` (PEM) talk to whoever listens there? Never rejects. */
export function isVerifiable({ host, port }: Endpoint, name: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    // An address is no server name (RFC 6066); Node then compares the one it connects to.
    const identity = isIP(name) === 0 ? { servername: name } : {}
    const socket = connect({ host, port, ca, timeout: TIMEOUT, ...identity })
    const settle = (verified: boolean): void => {
      socket.destroy()
      resolve(verified)
    }
    socket
      .once('secureConnect', () => settle(socket.authorized))
      .once('timeout', () => settle(false))
      .once('error', () => settle(false))
  })
}
