import { asObject, equal } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { compareAge, hasAge } from './age.ts'
import { mergedGateway, placementsByGateway, type Placement } from './gateway-merge.ts'
import { isTlsServer, serversOf, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway, selectsGatewayPod } from './gateway-workloads.ts'
import { gatewaysByHost } from './indexes.ts'
import { memo } from './memo.ts'
import { isHttp } from './protocol.ts'
import { isSameObject, type MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'
import { hostOfEntry } from './hosts.ts'

/** A server of another Gateway that wants some of the same names on the same port and address of the same pods. */
export interface ServerRival {
  readonly server: GatewayServer
  readonly rival: GatewayServer
  /** In Istio's form: `name`, or `namespace/name`. */
  readonly hosts: readonly string[]
  /** `unknown`: neither Gateway has a creation time, so that either may come first. */
  readonly rivalIs: 'older' | 'newer' | 'unknown'
  /** Does Istio skip the server of the newer Gateway? Else it serves both. */
  readonly isNewerSkipped: boolean
}

/** What becomes of a server of a Gateway at one of its pods. */
export interface PodPlacement extends Placement {
  readonly pod: Workload
}

/**
 * The servers of other Gateways that share names with servers of this one. Gateways share pods, or the very selector where no pod is known. istio: analyzers/gateway/conflictinggateway.go.
 */
export function serverRivals(snapshot: MeshSnapshot, gateway: KubeObject): readonly ServerRival[] {
  const isBeside = besideGateway(snapshot, gateway)
  return serversOf(gateway).flatMap((server) => {
    const shared = new Map<GatewayServer, string[]>()
    for (const host of new Set(server.hosts)) {
      for (const other of snapshot.find(gatewaysByHost, hostOfEntry(host))) {
        if (isSameObject(other, gateway) || !isBeside(other)) continue
        for (const rival of serversOf(other)) {
          if (rival.port !== server.port || rival.bind !== server.bind || !hostsOf(rival).has(host)) continue
          const hosts = shared.get(rival)
          if (hosts === undefined) shared.set(rival, [host])
          else hosts.push(host)
        }
      }
    }
    return [...shared].map(([rival, hosts]) => {
      const rivalIs = ageBeside(gateway, rival.gateway)
      const [older, newer] = rivalIs === 'newer' ? [server, rival] : [rival, server]
      return { server, rival, hosts, rivalIs, isNewerSkipped: skips(older, newer) }
    })
  })
}

function ageBeside(own: KubeObject, other: KubeObject): ServerRival['rivalIs'] {
  if (!hasAge(own) && !hasAge(other)) return 'unknown'
  return compareAge(other, own) < 0 ? 'older' : 'newer'
}

/** What becomes of the newer of two servers with a name and a port in common. istio: model/gateway.go mergeGateways. */
function skips(older: GatewayServer, newer: GatewayServer): boolean {
  if (older.tls !== undefined && newer.tls !== undefined) return true
  return !isTlsServer(older) && !(isHttp(older.protocol) && isHttp(newer.protocol))
}

/** Is another Gateway for a pod of this one, or has it the same selector? */
export function besideGateway(snapshot: MeshSnapshot, gateway: KubeObject): (other: KubeObject) => boolean {
  const pods = likelyPodsOfGateway(snapshot, gateway)
  const { selector } = asObject(gateway.spec)
  return (other) =>
    pods.some(({ labels }) => selectsGatewayPod(other, labels)) || equal(asObject(other.spec).selector, selector)
}

/** Where each server of a Gateway ends up at each pod, or why it is skipped there. None: the Gateway is for no pod. */
export function placementsOfGateway(snapshot: MeshSnapshot, gateway: KubeObject): readonly PodPlacement[] {
  const name = `${namespaceOf(gateway)}/${nameOf(gateway)}`
  return likelyPodsOfGateway(snapshot, gateway).flatMap((pod) => {
    const placements = placementsByGateway(mergedGateway(snapshot, pod).placements).get(name) ?? []
    return placements.map((placement) => ({ ...placement, pod }))
  })
}

const hostsOf: (server: GatewayServer) => ReadonlySet<string> = memo(({ hosts }) => new Set(hosts))
