import { asObject, type JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { exportsMeet } from '../../../mesh/exports.ts'
import { placedBlocks, placedTexts, texts } from '../../../mesh/fields.ts'
import {
  kubernetesServiceOf,
  serviceExports,
  servicesOf,
  servicesWithHost,
  type MeshService,
} from '../../../mesh/registry.ts'
import { isSameObject, refOf } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

/** Ports that another ServiceEntry gives the same host with another protocol. */
export const conflictingProtocols: Find = (context, object, params) =>
  eachClash(
    context,
    object,
    (own, other) =>
      own.protocol === other.protocol
        ? undefined
        : {
            message: (host, by) =>
              `${host} port ${own.number} is ${own.protocol} here and ${other.protocol} in ${by}: which one holds depends on their age`,
            remediation: 'write one protocol for the port of a host',
          },
    params,
  )

/** Ports that another ServiceEntry gives the same host too. */
export const repeatedEntries: Find = (context, object, params) =>
  eachClash(
    context,
    object,
    (own, other) =>
      own.protocol !== other.protocol
        ? undefined
        : {
            message: (host, by) => `${host} port ${own.number} is in ${by} too: their endpoints become one list`,
            remediation: 'keep one ServiceEntry for the host, exported to whoever needs it',
          },
    params,
  )

interface Clash {
  readonly message: (host: string, by: string) => string
  readonly remediation: string
}

type Port = MeshService['ports'][number]

function eachClash(
  context: MeshContext,
  object: KubeObject,
  clashOf: (own: Port, other: Port) => Clash | undefined,
  params: JsonObject,
): readonly MeshFinding[] {
  const mesh = discoveredMesh(context.mesh)
  const places = placedBlocks(asObject(object.spec).ports)
  const found = new Map<string, MeshFinding>()
  for (const service of servicesOf(object)) {
    const { host, ports } = service
    const exports = serviceExports(mesh, service)
    for (const other of servicesWithHost(mesh, host)) {
      if (other.source !== 'ServiceEntry' || isSameObject(other.object, object)) continue
      // nobody sees both
      if (!exportsMeet(exports, serviceExports(mesh, other))) continue
      for (const [index, { number }] of places) {
        const field = `spec.ports[${index}].protocol`
        const [own, same] = [ports, other.ports].map((list) => list.find((port) => port.number === number))
        const clash = own === undefined || same === undefined ? undefined : clashOf(own, same)
        if (clash === undefined || found.has(field)) continue
        const ref = refOf(other.object)
        found.set(field, {
          field,
          message: clash.message(host, nameOf(context, ref, params)),
          remediation: clash.remediation,
          related: [relatedTo(context, ref, params, 'spec.ports')],
        })
      }
    }
  }
  return [...found.values()]
}

/** Hosts that belong to somebody else: a Service of the cluster, or a host that another namespace has for all. */
export const hijackedHosts: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  return placedTexts(asObject(object.spec).hosts).flatMap(([index, host]): readonly MeshFinding[] => {
    const field = `spec.hosts[${index}]`
    const service = kubernetesServiceOf(mesh, host)
    if (service !== undefined)
      return [
        {
          field,
          message: `${host} is ${nameOf(context, refOf(service), params)} of this cluster: this entry takes over its requests`,
          remediation: 'leave the host out; for other endpoints of a Service use a VirtualService or an EndpointSlice',
          related: [relatedTo(context, refOf(service), params)],
        },
      ]
    const other = servicesWithHost(mesh, host).find(
      (candidate) => candidate.namespace !== namespaceOf(object) && !candidate.exportTo.includes('.'),
    )
    const isKeptToItself = texts(asObject(object.spec).exportTo).join() === '.'
    if (other === undefined || isKeptToItself) return []
    return [
      {
        field,
        message: `${host} is already a host of ${nameOf(context, refOf(other.object), params)}: clients elsewhere may be sent to either`,
        remediation: 'write exportTo: ["."], so that only this namespace is sent here',
        related: [relatedTo(context, refOf(other.object), params, 'spec.hosts')],
        atMost: 'Warn',
      },
    ]
  })
}
