import { enforcedRules, authorizationFor } from '../authorization.ts'
import { isGatewayApi } from '../gateway-api-backends.ts'
import { gatewayListeners, type GatewayChain } from '../gateway-listeners.ts'
import { targetPorts } from '../gateway-merge.ts'
import type { GatewayProxy, VirtualHost } from '../gateway-routes.ts'
import { serverField, type GatewayServer } from '../gateway-servers.ts'
import type { CertificateSource, ServerTls } from '../gateway-tls.ts'
import { coveringPatterns, hostOfEntry } from '../hosts.ts'
import { KINDS } from '../kinds.ts'
import { policiesFor } from '../policy-attachment.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import type { ProxyCall } from './call.ts'
import { destinationText, walkDestinations } from './destinations.ts'
import { walkGatewayDestination } from './gateway-destination.ts'
import { walkPolicies } from './policies.ts'
import { walkRoutes } from './route.ts'
import { whyUnbound } from './unbound.ts'
import { answered, fails, objectName, step, unknown, type Decider, type Ending, type Step, type Walk } from './step.ts'

/** What a gateway makes of a request that somebody sends it for a host: its server and TLS, its own policies, then its routes. */
export function* walkFront(proxy: GatewayProxy, call: ProxyCall): Walk {
  const { asked, port } = call
  const podPort = targetPorts(proxy.snapshot, proxy.merged.pod).get(port) ?? port
  const chains = gatewayListeners(proxy).flatMap((listener) => (listener.port === podPort ? listener.chains : []))
  const chain = chainFor(chains, asked)
  if (chain === undefined) return unserved(proxy, podPort, call)
  const { servers, tls, traffic } = chain
  const by = placeOf(servers[0])
  const behind = podPort === port ? '' : `, port ${podPort} of the pod`
  yield step('listener', `it serves ${asked}:${port}${behind}: ${tlsText(tls)}`, by)
  const broken = yield* secretSteps(proxy, tls, by)
  if (broken !== undefined) return broken
  if (traffic.kind === 'onward') {
    return unknown('AUTO_PASSTHROUGH sends TLS on to whatever host of the mesh its name stands for', by)
  }
  const gate = yield* walkGate(call, podPort, chain)
  if (gate.outcome !== 'ok') return gate
  if (traffic.kind === 'http') return yield* walkHosts(call, chain, traffic.hosts)
  const { entry, to } = traffic.route
  yield step('route', `connections go to ${to.map(destinationText).join(' and ')}`, entry)
  const connection = { ...call, brokenAs: 'connection reset' } as const
  return yield* walkDestinations(entry, to, 'connections', (destination, within) =>
    walkGatewayDestination(connection, destination, within),
  )
}

/** The chain for a name: by the most specific name of TLS, else the one for any. */
function chainFor(chains: readonly GatewayChain[], host: string): GatewayChain | undefined {
  for (const pattern of coveringPatterns(host)) {
    const named = chains.find(({ sni }) => sni?.includes(pattern) === true)
    if (named !== undefined) return named
  }
  return chains.find(({ sni }) => sni === undefined)
}

/** Is the host one of the server's, for VirtualServices of whatever namespace? */
function isServedBy({ hosts }: GatewayServer, host: string): boolean {
  const patterns = new Set(coveringPatterns(host))
  return hosts.some((own) => patterns.has(hostOfEntry(own)))
}

/** Why nothing of a gateway answers on a port, or not to that name. */
function unserved(
  { snapshot, merged: { placements } }: GatewayProxy,
  podPort: number,
  { asked, port }: ProxyCall,
): Ending {
  const [first] = placements
  if (first === undefined) return fails('connection refused', 'no Gateway is for the gateway')
  const there = placements.filter((placement) => placement.port === podPort)
  const [skipped] = there.flatMap(({ server, conflict }) =>
    conflict === undefined || !isServedBy(server, asked) ? [] : [{ server, conflict }],
  )
  if (skipped !== undefined) {
    const { server, conflict } = skipped
    const rival = `${objectName(conflict.by.gateway)} ${serverField(conflict.by)}`
    return fails('connection reset', `skipped, as ${rival} was there before: ${conflict.reason}`, placeOf(server))
  }
  const [open] = there
  if (open === undefined) {
    const ports = [...new Set(placements.map(({ server }) => server.port))].join(', ')
    return fails('connection refused', `no Gateway opens port ${port}, but ${ports}`, placeOf(first.server))
  }
  const unbound = isGatewayApi(open.server.gateway) ? undefined : whyUnbound(snapshot, asked)
  const why = `no server of port ${port} has anything to do for ${asked}`
  return fails(
    'connection reset',
    unbound?.text ?? why,
    unbound?.by ?? placeOf(open.server, isGatewayApi(open.server.gateway) ? '' : '.hosts'),
  )
}

function* walkGate({ snapshot, client, request }: ProxyCall, port: number, { tls, traffic }: GatewayChain): Walk {
  const isHttp = traffic.kind === 'http'
  const authorization = authorizationFor(snapshot, client)
  const [address = ''] = client.addresses
  const isIdentified = tls !== undefined && tls.ca !== undefined
  return yield* walkPolicies({
    rules: enforcedRules(snapshot, authorization, isHttp ? 'http' : 'tcp'),
    allowing: authorization.ALLOW,
    authentications: isHttp ? policiesFor(snapshot, KINDS.requestAuthentication, client) : [],
    request: isIdentified ? request : { ...request, principal: undefined },
    who: (isIdentified ? request.principal : undefined) ?? 'a client without an identity',
    port,
    address,
    identity: isIdentified && request.principal === undefined ? 'unknown' : 'known',
    refusedAs: isHttp ? '403' : 'connection reset',
  })
}

function* walkHosts(call: ProxyCall, { tls, servers }: GatewayChain, hosts: readonly VirtualHost[]): Walk {
  const { snapshot, asked, port, request } = call
  const host = virtualHostFor(hosts, asked)
  const [server] = servers
  if (host === undefined) return unrouted(snapshot, asked, server)
  if (host.httpsRedirect && tls === undefined) {
    const redirecting = servers.find((each) => each.tls?.httpsRedirect === true) ?? server
    return answered('301', 'the gateway sends plain requests to https', placeOf(redirecting, '.tls.httpsRedirect'))
  }
  const routing = { snapshot, host: asked, port, request, proxy: 'the gateway', rivals: [] }
  return yield* walkRoutes(
    {
      ...routing,
      scheme: tls === undefined ? 'http' : 'https',
      deliver: (sent, destination, by) => walkGatewayDestination({ ...call, request: sent }, destination, by),
    },
    host.routes,
  )
}

function unrouted(snapshot: MeshSnapshot, asked: string, server: GatewayServer | undefined): Ending {
  if (server !== undefined && isGatewayApi(server.gateway)) {
    return fails('404', `no route that is attached to the listener has ${asked}`, placeOf(server))
  }
  const unbound = whyUnbound(snapshot, asked)
  return fails('404', unbound?.text ?? `no VirtualService has ${asked}`, unbound?.by ?? placeOf(server))
}

/** The entry for a host, by its most specific name. */
function virtualHostFor(hosts: readonly VirtualHost[], asked: string): VirtualHost | undefined {
  for (const pattern of coveringPatterns(asked)) {
    const found = hosts.find(({ domains }) => domains.includes(pattern))
    if (found !== undefined) return found
  }
  return undefined
}

function tlsText(tls: ServerTls | undefined): string {
  if (tls === undefined) return 'plain text'
  switch (tls.mode) {
    case 'PASSTHROUGH':
    case 'AUTO_PASSTHROUGH':
      return 'TLS passed on unopened'
    case 'ISTIO_MUTUAL':
      return 'mTLS of the mesh ends there'
    case 'SIMPLE':
      return 'TLS ends there'
    case 'MUTUAL':
      return 'TLS ends there, for clients with a certificate'
    case 'OPTIONAL_MUTUAL':
      return 'TLS ends there, clients may have a certificate'
  }
}

/** What is wrong with the Secrets of a server, if that breaks its TLS. */
function* secretSteps(
  proxy: GatewayProxy,
  tls: ServerTls | undefined,
  by: Decider | undefined,
): Generator<Step, Ending | undefined> {
  const missing = secretsOf(tls).find(({ problem }) => problem !== undefined)
  if (missing?.problem === undefined) return undefined
  const { namespace, name, problem, field } = missing
  const own = by === undefined ? undefined : { object: by.object, field }
  const text = `Secret ${namespace}/${name} for its TLS is ${PROBLEMS[problem]}`
  if (!isUnknown(proxy, missing)) return fails('connection reset', text, own)
  yield step('listener', `${text}, as is no Secret of that namespace; taken to be in order`, own)
  return undefined
}

function secretsOf(tls: ServerTls | undefined): readonly SecretSource[] {
  const sources = [...(tls?.certificates ?? []), ...(tls?.ca === undefined ? [] : [tls.ca])]
  return sources.filter((source) => source.kind === 'secret')
}

/** Files rarely hold Secrets: of one that is not among them nothing can be said. */
function isUnknown({ snapshot }: GatewayProxy, { namespace, problem }: SecretSource): boolean {
  return problem === 'not-found' && snapshot.inNamespace(KINDS.secret, namespace).length === 0
}

function placeOf(server: GatewayServer | undefined, within = ''): Decider | undefined {
  return server === undefined ? undefined : { object: server.gateway, field: `${serverField(server)}${within}` }
}

type SecretSource = Extract<CertificateSource, { readonly kind: 'secret' }>

const PROBLEMS = {
  'not-found': 'not here',
  'other-namespace': 'of another namespace than its pod',
  'lacks-keys': 'without the keys of a certificate',
  'empty-keys': 'empty',
} as const
