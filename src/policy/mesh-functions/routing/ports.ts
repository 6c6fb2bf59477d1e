import { parseField } from '../../../kube/field-path.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { setPatch } from '../../../kube/set-patch.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { virtualServicesByDelegate } from '../../../mesh/indexes.ts'
import { isHttp, isHttpOrDetected, type Protocol } from '../../../mesh/protocol.ts'
import { destinationReferences } from '../../../mesh/references.ts'
import { portOf, servicesWithHost } from '../../../mesh/registry.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { mergedVirtualService, virtualServiceName, type VirtualService } from '../../../mesh/virtual-service.ts'
import type { MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Ports that the host does not have. */
export const unknownPorts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  return destinationReferences(object).flatMap(({ host, port, field }): readonly MeshFinding[] => {
    const services = servicesWithHost(mesh, host)
    if (port === undefined || services.length === 0 || services.some((service) => portOf(service, port) !== undefined))
      return []
    const ports = services.flatMap((service) => service.ports.map(({ number }) => number))
    return [
      {
        field: `${field}.port.number`,
        message: `${host} has no port ${port}, so requests routed there get 503`,
        remediation:
          ports.length === 0 ? 'give the host that port' : `write one of its ports: ${[...new Set(ports)].join(', ')}`,
        atMost: 'Warn',
      },
    ]
  })
}

/**
 * Destinations with several ports of which none is named, where the port of the request need not be one of them. Where only one of
 * the ports is of the kind that the list is for, that is the one to name.
 */
export const missingPorts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const askedInside = usersOf(mesh, object).map((user) => new Set(isInside(user) ? user.hosts : []))
  return destinationReferences(object).flatMap(({ host, port, field }): readonly MeshFinding[] => {
    // whoever asks the host itself asks at one of its ports
    const asksTheHost = askedInside.length > 0 && askedInside.every((hosts) => hosts.has(host))
    if (port !== undefined || asksTheHost) return []
    const [service, ...others] = servicesWithHost(mesh, host)
    if (service === undefined || others.length > 0 || service.ports.length < 2) return []
    const ports = service.ports.map(({ number, name }) => (name === '' ? String(number) : `${number} (${name})`))
    const [choice, ...more] = service.ports.filter(({ protocol }) => isForList(field, protocol))
    const path = parseField(`${field}.port.number`)
    return [
      {
        field: `${field}.port.number`,
        message: `${host} has ${ports.length} ports and none is named: Istio takes the port of the request, which need not be one of them`,
        remediation: `write port.number: ${ports.join(' or ')}`,
        ...(choice === undefined || more.length > 0 || path === undefined
          ? {}
          : { fix: setPatch(object, path, choice.number) }),
      },
    ]
  })
}

/** The VirtualServices that have these routes: the object itself or, for a delegate, those that delegate to it. */
function usersOf(mesh: MeshSnapshot, object: KubeObject): readonly VirtualService[] {
  const own = mergedVirtualService(mesh, object)
  if (own !== undefined) return [own]
  const roots = mesh.find(virtualServicesByDelegate, virtualServiceName(object))
  return roots.flatMap((root) => mergedVirtualService(mesh, root) ?? [])
}

function isInside({ gateways }: VirtualService): boolean {
  return gateways.every((gateway) => gateway === 'mesh')
}

/** Is a port of this protocol one for the `http`, `tcp` or `tls` routes? */
function isForList(field: string, protocol: Protocol): boolean {
  if (field.startsWith('spec.http')) return isHttp(protocol)
  if (field.startsWith('spec.tls')) return protocol === 'tls' || protocol === 'https'
  return protocol !== 'udp' && !isHttpOrDetected(protocol)
}
