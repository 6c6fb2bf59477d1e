import { execFile } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { pipeline } from 'node:stream'
import { promisify } from 'node:util'

import {
  DiscoveryV1Api,
  type CoreV1Api,
  type KubeConfig,
  type V1EndpointSlice,
  type V1Service,
} from '@kubernetes/client-node'

import { bridge } from '../network.ts'
import { every } from './every.ts'

export interface ServiceProxyOptions {
  readonly core: CoreV1Api
  readonly client: KubeConfig
  /** Receives the names of services, in the form of `/etc/hosts`. Always the same file: containers have it mounted. */
  readonly hostsFile: string
  readonly signal: AbortSignal
}

interface Backend {
  readonly host: string
  readonly port: number
}

const period = 500

/**
 * Makes the cluster addresses and the names of services work, in place of a kube-proxy and a name server: TCP only, and
 * no headless services. A connection goes to a random endpoint that is ready.
 */
export function keepServices({ core, client, hostsFile, signal }: ServiceProxyOptions): void {
  const discovery = client.makeApiClient(DiscoveryV1Api)
  const listeners = new Map<string, Server>()
  let backends: ReadonlyMap<string, readonly Backend[]> = new Map()

  void every(period, signal, async () => {
    const [{ items: services }, { items: slices }] = await Promise.all([
      core.listServiceForAllNamespaces({ resourceVersion: '0' }),
      discovery.listEndpointSliceForAllNamespaces({ resourceVersion: '0' }),
    ])
    backends = backendsOf(services, slices)
    overwrite(hostsFile, hosts(services))
    for (const [key, server] of listeners) {
      if (backends.has(key)) continue
      server.close()
      listeners.delete(key)
    }
    for (const key of backends.keys()) {
      if (listeners.has(key)) continue
      listeners.set(key, await listen(key, () => backends.get(key) ?? []))
    }
  })
}

/** The ready endpoints behind each `address:port` of a service. */
function backendsOf(
  services: readonly V1Service[],
  slices: readonly V1EndpointSlice[],
): ReadonlyMap<string, readonly Backend[]> {
  const backends = new Map<string, readonly Backend[]>()
  for (const { metadata, spec } of services) {
    if (!hasAddress(spec?.clusterIP)) continue
    const own = slices.filter(
      ({ metadata: slice }) =>
        slice?.namespace === metadata?.namespace && slice?.labels?.['kubernetes.io/service-name'] === metadata?.name,
    )
    for (const { name = '', port, protocol } of spec?.ports ?? []) {
      if (protocol === 'TCP')
        backends.set(
          `${spec?.clusterIP}:${port}`,
          own.flatMap((slice) => ready(slice, name)),
        )
    }
  }
  return backends
}

function ready({ endpoints, ports }: V1EndpointSlice, portName: string): readonly Backend[] {
  const port = ports?.find(({ name = '' }) => name === portName)?.port
  if (port === undefined) return []
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.map((host) => ({ host, port })))
}

async function listen(key: string, current: () => readonly Backend[]): Promise<Server> {
  const [host = '', port] = key.split(':')
  await promisify(execFile)('ip', ['addr', 'replace', `${host}/32`, 'dev', bridge])
  const server = createServer((incoming) => {
    const choice = current()
    const backend = choice[Math.floor(Math.random() * choice.length)]
    if (backend === undefined) return incoming.resetAndDestroy()
    // An end that breaks breaks the other: that is all there is to report.
    return void pipeline(incoming, connect(backend), incoming, () => {})
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(Number(port), host, resolve))
  return server
}

function hosts(services: readonly V1Service[]): string {
  const lines = services
    .filter(({ spec }) => hasAddress(spec?.clusterIP))
    .map(({ metadata, spec }) => {
      const name = `${metadata?.name}.${metadata?.namespace}`
      return `${spec?.clusterIP} ${name} ${name}.svc ${name}.svc.cluster.local`
    })
  return ['127.0.0.1 localhost', '::1 localhost', ...lines, ''].join('\n')
}

function hasAddress(clusterIP: string | undefined): boolean {
  return clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None'
}

/** Replaces what is in a file, which stays the same one for whoever has it mounted. */
function overwrite(file: string, text: string): void {
  const descriptor = openSync(file, 'r+')
  ftruncateSync(descriptor, writeSync(descriptor, text, 0))
  closeSync(descriptor)
}
