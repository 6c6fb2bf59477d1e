import type { KubeObject } from '../kube/object.ts'
import { serversOf, type GatewayServer } from './gateway-servers.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import { servicesInFrontOf } from './inbound.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { resolvePort } from './workloads.ts'

/**
 * The servers of a Gateway whose port no Service in front of any of its pods has, neither as its own port nor as the pod's behind it. None
 * where no pod is known. istio: analyzers/gateway/gateway.go.
 */
export function unexposedServers(snapshot: MeshSnapshot, gateway: KubeObject): readonly GatewayServer[] {
  const pods = likelyPodsOfGateway(snapshot, gateway)
  if (pods.length === 0) return []
  const exposed = new Set<number>()
  for (const pod of pods) {
    for (const { number, protocol, target } of servicesInFrontOf(snapshot, pod).flatMap(({ ports }) => ports)) {
      if (protocol === 'udp') continue
      exposed.add(number).add(resolvePort(pod, target) ?? number)
    }
  }
  return serversOf(gateway).filter(({ port }) => !exposed.has(port))
}
