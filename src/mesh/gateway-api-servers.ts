import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { labelsOf, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabelSelector } from '../kube/selector.ts'
import { block, blocks, number, text } from './fields.ts'
import type { GatewayServer, ServerTlsMode } from './gateway-servers.ts'
import { KINDS } from './kinds.ts'
import { parseProtocol } from './protocol.ts'
import type { MeshSnapshot } from './snapshot.ts'

/**
 * The listeners of a Gateway of the Gateway API as servers, each as if it were a Gateway of its own; one whose protocol needs TLS and that
 * has none is left out. Clients' certificates are not looked at. istio: config/kube/gateway/conversion.go buildListener.
 */
export function serversOfListeners(snapshot: MeshSnapshot, gateway: KubeObject): readonly GatewayServer[] {
  return asList(asObject(gateway.spec).listeners).flatMap((item, index): readonly GatewayServer[] => {
    const listener = asObject(item)
    const protocolName = text(listener.protocol) ?? ''
    const tls = tlsOf(gateway, block(listener.tls))
    if (!PROTOCOLS.has(protocolName) || (tls === undefined && ENCRYPTED.has(protocolName))) return []
    return [
      {
        gateway,
        gatewayName: listenerName(gateway, listener),
        index,
        port: number(listener.port) ?? 0,
        portName: 'default',
        protocol: parseProtocol(protocolName),
        protocolName,
        bind: '',
        hosts: hostsOf(snapshot, gateway, listener),
        tls,
        mode: tls === undefined ? undefined : MODES[text(tls.mode) ?? ''],
      },
    ]
  })
}

/** What a listener is called among the Gateways of a pod: `namespace/gateway/listener`. */
export function listenerName(gateway: KubeObject, listener: JsonObject): string {
  return `${namespaceOf(gateway)}/${nameOf(gateway)}/${text(listener.name) ?? ''}`
}

/** Its host for each namespace that may attach routes. istio: config/kube/gateway/conversion.go buildHostnameMatch. */
function hostsOf(snapshot: MeshSnapshot, gateway: KubeObject, listener: JsonObject): readonly string[] {
  const host = (text(listener.hostname) || '*').toLowerCase()
  const { from, selector } = asObject(asObject(listener.allowedRoutes).namespaces)
  if (from === undefined || from === null || from === 'Same') return [`${namespaceOf(gateway)}/${host}`]
  if (from === 'All' || block(selector) === undefined) return [host]
  const chosen = snapshot.all(KINDS.namespace).filter((each) => {
    const labels = { ...labelsOf(each), 'kubernetes.io/metadata.name': nameOf(each) }
    return matchesLabelSelector(selector, labels)
  })
  // the name of no namespace: nobody may attach anything, but the listener is there
  return chosen.length === 0 ? [`~/${host}`] : chosen.map((each) => `${nameOf(each)}/${host}`)
}

/** Certificates of another namespace need a ReferenceGrant, and are taken to have it. istio: config/kube/gateway/conversion.go buildTLS. */
function tlsOf(gateway: KubeObject, tls: JsonObject | undefined): JsonObject | undefined {
  if (tls === undefined) return undefined
  if (tls.mode === 'Passthrough') return { mode: 'PASSTHROUGH' }
  const own = blocks(tls.certificateRefs).filter(({ namespace }) =>
    [undefined, '', namespaceOf(gateway)].includes(text(namespace)),
  )
  return { mode: 'SIMPLE', credentialNames: own.map(({ name }) => text(name) ?? '') }
}

const PROTOCOLS: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'TLS', 'TCP'])
const ENCRYPTED: ReadonlySet<string> = new Set(['HTTPS', 'TLS'])
const MODES: Readonly<Record<string, ServerTlsMode>> = { PASSTHROUGH: 'PASSTHROUGH', SIMPLE: 'SIMPLE' }
