import { hostsOverlap, isWildcard } from '../hosts.ts'
import { orphanRoutes } from '../orphan-routes.ts'
import type { Route } from '../http-route.ts'
import { isHttpOrDetected } from '../protocol.ts'
import { portOf } from '../registry.ts'
import { claimants, httpListenerFor, routesTo } from '../routes.ts'
import { scopeFor, type Scope } from '../sidecar.ts'
import { visibleService } from '../visibility.ts'
import type { Call, ProxyCall } from './call.ts'
import { walkConnection } from './connection.ts'
import { walkDestination } from './destination.ts'
import { walkPassthrough } from './passthrough.ts'
import { walkRoutes } from './route.ts'
import { objectName, step, type Step, type Walk } from './step.ts'
import { servedHttpPort, whyUnseen, type Blindness } from './unseen.ts'

/** What becomes of a request of a pod with a sidecar. `name`: of the host, as it was asked for; an ExternalName or a wildcard stands for another. */
export function* walkFromSidecar(plain: Call, name: string): Walk {
  const { snapshot, client, host, port: number } = plain
  const scope = scopeFor(snapshot, client)
  const call: ProxyCall = { ...plain, scope }
  const seen = visibleService(snapshot, scope, host)
  const port = seen === undefined ? undefined : portOf(seen, number)
  if (seen === undefined || port === undefined) {
    const orphan = orphanRoutesTo(call, name)
    if (orphan !== undefined) return yield* walkHttp(call, name, orphan)
    return yield* walkUnseen(call, whyUnseen(snapshot, scope, host, number))
  }
  if (!isHttpOrDetected(port.protocol)) {
    yield sightStep(scope)
    return yield* walkConnection({ ...call, brokenAs: 'connection reset' }, { service: seen, port })
  }
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
  yield sightStep(scope)
  return yield* walkHttp(call, name, routes)
}

function sightStep({ sidecar }: Scope): Step {
  return sidecar === undefined
    ? step('visibility', 'the client sees every exported host: no Sidecar applies to it')
    : step('visibility', `the client sees it through ${objectName(sidecar)}`, { object: sidecar, field: 'spec.egress' })
}

function* walkHttp(call: ProxyCall, name: string, routes: readonly Route[] | 'default'): Walk {
  const { snapshot, scope, host, port, request } = call
  const listener = httpListenerFor(scope, port)
  const rivals = listener === undefined ? [] : claimants(snapshot, scope, listener, name)
  const deliver: Parameters<typeof walkRoutes>[0]['deliver'] = (sent, destination, by) =>
    walkDestination({ ...call, request: sent }, destination, by)
  const proxy = "the client's sidecar"
  return yield* walkRoutes({ snapshot, host, port, request, scheme: 'http', proxy, rivals, deliver }, routes)
}

/** What becomes of a request to a host that the client does not see. Where the sidecar serves HTTP on the port, it answers itself. */
function walkUnseen(call: ProxyCall, blindness: Blindness): Walk {
  const isHttp = servedHttpPort(call.snapshot, call.scope, call.port) !== undefined
  return walkPassthrough({ ...call, brokenAs: isHttp ? '503' : 'connection reset' }, 'visibility', blindness)
}

/** The routes that a VirtualService has for a name although no service has it. */
function orphanRoutesTo({ snapshot, scope, client, port }: ProxyCall, name: string): readonly Route[] | undefined {
  const served = servedHttpPort(snapshot, scope, port)
  if (served === undefined) return undefined
  const found = orphanRoutes(snapshot, scope, client, served)
  return (found.find(({ host }) => host === name) ?? found.find(({ host }) => hostsOverlap(host, name)))?.routes
}
