import { namespaceOf, type KubeObject } from '../../kube/object.ts'
import { hostBindings, type HostBinding } from '../gateway-bindings.ts'
import { serverField } from '../gateway-servers.ts'
import { coveringPatterns, resolveHost } from '../hosts.ts'
import { virtualServicesByHost } from '../indexes.ts'
import { gatewayNamed } from '../references.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { objectName, type Decider } from './step.ts'
import type { Blindness } from './unseen.ts'

/** Why no VirtualService routes a host at a gateway: what keeps the one from it that has the host. Undefined: none has it. */
export function whyUnbound(snapshot: MeshSnapshot, host: string): Blindness | undefined {
  for (const pattern of coveringPatterns(host)) {
    const [object] = snapshot.find(virtualServicesByHost, pattern)
    if (object === undefined) continue
    const bindings = hostBindings(snapshot, object)
    const own = bindings.find((binding) => resolveHost(binding.host, namespaceOf(object)) === pattern)
    const { text, by } = own === undefined ? ofSidecars(object) : reasonOf(snapshot, object, own)
    return { text: `${objectName(object)} has ${host}, but ${text}`, by }
  }
  return undefined
}

function ofSidecars(object: KubeObject): Blindness {
  return { text: 'names no Gateway', by: { object, field: 'spec.gateways' } }
}

function reasonOf(snapshot: MeshSnapshot, object: KubeObject, { served, obstacle }: HostBinding): Blindness {
  const own = (field: string): Decider => ({ object, field })
  if (obstacle === undefined) {
    const names = [...new Set(served.map(({ server }) => server.gatewayName))].join(', ')
    return { text: `is for Gateway ${names}, and not for this port of this gateway`, by: own('spec.gateways') }
  }
  const { reason, gateway, placement } = obstacle
  const named = gatewayNamed(snapshot, gateway)
  if (named === undefined) return { text: `there is no Gateway ${gateway}`, by: own('spec.gateways') }
  const server = placement === undefined ? 'spec.servers' : serverField(placement.server)
  const of = (text: string, field: string): Blindness => ({
    text: `Gateway ${gateway} ${text}`,
    by: { object: named, field },
  })
  switch (reason) {
    case 'no-such-gateway':
    case 'host-not-accepted':
      return of('takes no such host', server)
    case 'namespace-not-accepted':
      return of('takes it of other namespaces only', server)
    case 'unused-gateway':
      return of('selects no gateway', 'spec.selector')
    case 'privileged-port':
      return of('asks for a port that its gateway has no privilege to open', server)
    case 'conflict':
      return of('has a server that is skipped, another being there before', server)
    case 'not-exported':
      return { text: 'is not exported to the namespace of the gateway', by: own('spec.exportTo') }
    case 'no-route':
      return { text: `has no route for Gateway ${gateway}`, by: own('spec.gateways') }
  }
}
