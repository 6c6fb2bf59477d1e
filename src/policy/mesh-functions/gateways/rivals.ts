import type { JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { compareAge } from '../../../mesh/age.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { rivalGateways } from '../../../mesh/gateway-claims.ts'
import { serverRivals, type ServerRival } from '../../../mesh/gateway-conflicts.ts'
import { serverField, serverName, serversOf, type GatewayServer } from '../../../mesh/gateway-servers.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { refOf } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import { hostOfEntry } from '../../../mesh/hosts.ts'

/**
 * Servers of other Gateways of the same gateway that want the same hosts on the same port. Of a rival that is newer only what this change
 * claims is told: what it found there already is the matter of the newer one. Hosts that belong to another namespace have a rule of their own.
 */
export const rivalServers: Find = (context, object, params) => {
  const claimed = claimedBefore(context, object)
  return serverRivals(discoveredMesh(context.mesh), object).flatMap((found): readonly MeshFinding[] => {
    const hosts = found.hosts.filter((host) =>
      found.rivalIs === 'newer'
        ? !claimed.has(claimOf(found.rival, host))
        : hostOfEntry(host) === ANY_NAME || !isTakenBy(object, found.rival.gateway),
    )
    return hosts.length === 0 ? [] : [rivalFinding(context, { ...found, hosts }, params)]
  })
}

function rivalFinding(
  context: MeshContext,
  { server, rival, hosts, rivalIs, isNewerSkipped }: ServerRival,
  params: JsonObject,
): MeshFinding {
  const other = nameOf(context, refOf(rival.gateway), params)
  const more = hosts.length === 1 ? '' : ` and ${hosts.length - 1} more`
  return {
    field: `${serverField(server)}.hosts`,
    message: `${other} has a server for ${hosts[0] ?? ANY_NAME}${more} on port ${server.port} of the same gateway: ${isNewerSkipped ? SKIPPED[rivalIs] : 'Istio serves both, and which routes win depends on their age'}`,
    remediation: 'give each host one server, or put both into one Gateway',
    related: [relatedTo(context, refOf(rival.gateway), params, serverField(rival))],
  }
}

const SKIPPED: Readonly<Record<ServerRival['rivalIs'], string>> = {
  older: 'it is older, so Istio serves that one and skips this',
  newer: 'it is newer, so Istio would serve this one and skip that',
  unknown: 'Istio serves the older one and skips the other',
}

/** What a Gateway wanted of others before the change. */
function claimedBefore(context: MeshContext, object: KubeObject): ReadonlySet<string> {
  const before = discoveredMesh(context.before)
  const old = before.get(KINDS.gateway, namespaceOf(object), ownName(object))
  if (old === undefined) return new Set()
  return new Set(serverRivals(before, old).flatMap(({ rival, hosts }) => hosts.map((host) => claimOf(rival, host))))
}

/** Do the hosts that two Gateways have in common belong to the other, which another namespace had first? */
function isTakenBy(own: KubeObject, other: KubeObject): boolean {
  return namespaceOf(other) !== namespaceOf(own) && compareAge(other, own) < 0
}

function claimOf(rival: GatewayServer, host: string): string {
  return `${serverName(rival)} ${host}`
}

/** Hosts that an older Gateway of another namespace has at the same gateway. */
export const takenHosts: Find = (context, object, params) => {
  const taken = rivalGateways(discoveredMesh(context.mesh), object).filter(({ isOlder }) => isOlder)
  const firstOfHost = [...new Map(taken.toReversed().map((claim) => [claim.host, claim])).values()].toReversed()
  return firstOfHost.map(({ host, by }) => {
    const server = serversOf(object).find(({ hosts }) => hosts.some((each) => hostOfEntry(each) === host))
    return {
      field: server === undefined ? 'spec.servers' : `${serverField(server)}.hosts`,
      message: `${host} belongs to ${nameOf(context, refOf(by), params)} already: ${namespaceOf(object)} would take its requests over, or lose its own`,
      remediation: 'write a host of your own, or let the Gateway that has it admit your namespace',
      related: [relatedTo(context, refOf(by), params)],
    }
  })
}

const ANY_NAME = '*'
