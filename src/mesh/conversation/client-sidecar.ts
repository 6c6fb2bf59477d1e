import { hostsOverlap, isWildcard } from '../hosts.ts'
import { meshConfigOf } from '../mesh-config.ts'
import { orphanRoutes } from '../orphan-routes.ts'
import type { Route } from '../http-route.ts'
import { isHttpOrDetected } from '../protocol.ts'
import { portOf, type ServicePort } from '../registry.ts'
import { claimants, httpListenerFor, routesTo } from '../routes.ts'
import { listenerForPort, scopeFor } from '../sidecar.ts'
import { visibleService } from '../visibility.ts'
import { identityOf, type Call, type SidecarCall } from './call.ts'
import { walkDestination } from './destination.ts'
import { walkDirect } from './direct.ts'
import { walkRoutes } from './route.ts'
import { answered, fails, objectName, step, unknown, type Walk } from './step.ts'
import { fateOfUnseen, servedHttpPort, whyUnseen, type Blindness } from './unseen.ts'

/** What becomes of a request of a pod with a sidecar. `name`: of the host, as it was asked for; an ExternalName or a wildcard stands for another. */
export function* walkFromSidecar(plain: Call, name: string): Walk {
  const { snapshot, client, host, port: number } = plain
  const scope = scopeFor(snapshot, client)
  const call: SidecarCall = { ...plain, scope }
  const seen = visibleService(snapshot, scope, host)
  const port = seen === undefined ? undefined : portOf(seen, number)
  if (seen === undefined || port === undefined) {
    const orphan = orphanRoutesTo(call, name)
    if (orphan !== undefined) return yield* walkHttp(call, name, orphan)
    return yield* walkUnseen(call, whyUnseen(snapshot, scope, host, number))
  }
  if (!isHttpOrDetected(port.protocol)) return yield* walkConnection({ ...call, brokenAs: 'connection reset' }, port)
  // behind a wildcard, a VirtualService may have a name to itself that no service has
  const routes =
    routesTo(snapshot, scope, client, name, number) ??
    (isWildcard(host) ? orphanRoutesTo(call, name) : undefined) ??
    routesTo(snapshot, scope, client, host, number)
  if (routes === undefined) {
    const listener = httpListenerFor(scope, number)
    const by =
      scope.sidecar === undefined ? undefined : { object: scope.sidecar, field: listener?.field ?? 'spec.egress' }
    return yield* walkUnseen(call, { text: `the listener for port ${number} does not import ${host}`, by })
  }
  const { sidecar } = scope
  yield sidecar === undefined
    ? step('visibility', 'the client sees every exported host: no Sidecar applies to it')
    : step('visibility', `the client sees it through ${objectName(sidecar)}`, { object: sidecar, field: 'spec.egress' })
  return yield* walkHttp(call, name, routes)
}

function* walkHttp(call: SidecarCall, name: string, routes: readonly Route[] | 'default'): Walk {
  const { snapshot, scope, host, port, request } = call
  const listener = httpListenerFor(scope, port)
  const rivals = listener === undefined ? [] : claimants(snapshot, scope, listener, name)
  const deliver: Parameters<typeof walkRoutes>[0]['deliver'] = (sent, destination, by) =>
    walkDestination({ ...call, request: sent }, destination, by)
  return yield* walkRoutes({ snapshot, host, port, request, proxy: "the client's sidecar", rivals, deliver }, routes)
}

/** A connection that is not HTTP goes to the service itself, unless a VirtualService has routes for such. */
function* walkConnection(call: SidecarCall, { protocol }: ServicePort): Walk {
  const { snapshot, scope, host, port } = call
  if (protocol === 'udp') return answered('an answer', 'UDP passes the sidecars by')
  const listener = listenerForPort(scope, port)
  const claiming = listener === undefined ? [] : claimants(snapshot, scope, listener, host)
  const router = claiming.find(({ tcp, tls }) => tcp.length > 0 || tls.length > 0)
  if (router !== undefined) {
    const field = router.tls.length > 0 ? 'spec.tls' : 'spec.tcp'
    return unknown('which of its routes a connection takes is not worked out', { object: router.object, field })
  }
  yield step('route', `${protocol}, so routes for HTTP have no say: it goes to ${host}:${port}`)
  return yield* walkDestination(call, { host, port, subset: undefined, weight: undefined }, undefined)
}

/** What becomes of a request to a host that the client does not see. */
function* walkUnseen(call: SidecarCall, { text, by }: Blindness): Walk {
  const { snapshot, client, scope, host, port } = call
  yield step('visibility', text, by)
  const fate = fateOfUnseen(snapshot, scope, port)
  if (fate.policy === 'REGISTRY_ONLY') {
    const why = `${text}; outbound traffic to what the client does not see is blocked`
    return fails(fate.isHttp ? '502' : 'connection reset', why, by ?? fate.by)
  }
  yield step('transport', 'plaintext to the address that DNS gives, since hosts that it does not see pass', fate.by)
  const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
  const brokenAs = fate.isHttp ? '503' : 'connection reset'
  const delivery = { ...call, brokenAs, cause: by, because: `, since ${text}`, identity, expected: [] } as const
  return yield* walkDirect(delivery, { host, port, patience: meshConfigOf(snapshot).connectTimeout })
}

/** The routes that a VirtualService has for a name although no service has it. */
function orphanRoutesTo({ snapshot, scope, client, port }: SidecarCall, name: string): readonly Route[] | undefined {
  const served = servedHttpPort(snapshot, scope, port)
  if (served === undefined) return undefined
  const found = orphanRoutes(snapshot, scope, client, served)
  return (found.find(({ host }) => host === name) ?? found.find(({ host }) => hostsOverlap(host, name)))?.routes
}
