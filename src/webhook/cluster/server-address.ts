import type { JsonObject } from '../../kube/json.ts'
import type { ApiClient } from '../../sources/cluster/api-client.ts'
import type { ServeOptions } from '../serve-options.ts'
import { endpointsOf, type Endpoint } from './endpoints.ts'

/** Where the API server finds this server. */
export interface ServerAddress {
  readonly clientConfig: (path: string) => JsonObject
  /** Names of the certificate, that which the API server asks for first. */
  readonly names: readonly string[]
  readonly endpoints: () => Promise<readonly Endpoint[]>
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1']

/** The address that the options speak of; undefined where they speak of none. */
export function serverAddress(
  { serviceName, servicePort, webhookUrl, tlsName }: ServeOptions,
  { api, namespace, port }: { readonly api: ApiClient; readonly namespace: string; readonly port: () => number },
): ServerAddress | undefined {
  const named = (...names: readonly string[]) => [...new Set([...names, ...LOOPBACK, ...tlsName])]
  if (webhookUrl !== undefined) {
    const url = new URL(webhookUrl)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    return {
      clientConfig: (path) => ({ url: `${url.origin}${path}` }),
      names: named(host),
      endpoints: async () => [{ host, port: Number(url.port === '' ? 443 : url.port), ready: true }],
    }
  }
  if (serviceName === undefined) return undefined
  const name = `${serviceName}.${namespace}.svc`
  return {
    clientConfig: (path) => ({ service: { namespace, name: serviceName, port: servicePort, path } }),
    names: named(name, `${name}.cluster.local`, `${serviceName}.${namespace}`, serviceName),
    endpoints: () => endpointsOf(api, { namespace, name: serviceName, port: port() }),
  }
}
