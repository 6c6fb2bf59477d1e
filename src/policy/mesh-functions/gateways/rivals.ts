import { discoveredMesh } from '../../../mesh/discovery.ts'
import { rivalGateways } from '../../../mesh/gateway-claims.ts'
import { serverRivals } from '../../../mesh/gateway-conflicts.ts'
import { isTlsServer, serverField, serversOf } from '../../../mesh/gateway-servers.ts'
import { namespaceOf } from '../../../kube/object.ts'
import { refOf } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Servers of other Gateways of the same gateway that want the same hosts on the same port. */
export const rivalServers: Find = (context, object, params) =>
  serverRivals(discoveredMesh(context.mesh), object).map(({ server, rival, hosts }): MeshFinding => {
    const other = nameOf(context, refOf(rival.gateway), params)
    const more = hosts.length === 1 ? '' : ` and ${hosts.length - 1} more`
    const effect = isTlsServer(server)
      ? 'Istio serves the older one and skips the other'
      : 'Istio serves both, and which routes win depends on their age'
    return {
      field: `${serverField(server)}.hosts`,
      message: `${other} has a server for ${hosts[0] ?? '*'}${more} on port ${server.port} of the same gateway: ${effect}`,
      remediation: 'give each host one server, or put both into one Gateway',
      related: [relatedTo(context, refOf(rival.gateway), params, serverField(rival))],
    }
  })

/** Hosts that an older Gateway of another namespace has at the same gateway. */
export const takenHosts: Find = (context, object, params) => {
  const taken = rivalGateways(discoveredMesh(context.mesh), object).filter(({ isOlder }) => isOlder)
  const firstOfHost = [...new Map(taken.toReversed().map((claim) => [claim.host, claim])).values()].toReversed()
  return firstOfHost.map(({ host, by }) => {
    const server = serversOf(object).find(({ hosts }) =>
      hosts.some((name) => name.slice(name.indexOf('/') + 1) === host),
    )
    return {
      field: server === undefined ? 'spec.servers' : `${serverField(server)}.hosts`,
      message: `${host} belongs to ${nameOf(context, refOf(by), params)} already: ${namespaceOf(object)} would take its requests over, or lose its own`,
      remediation: 'write a host of your own, or let the Gateway that has it admit your namespace',
      related: [relatedTo(context, refOf(by), params)],
    }
  })
}
