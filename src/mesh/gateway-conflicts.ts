import { asObject, equal } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { textMap } from './fields.ts'
import { mergedGateway, type Placement } from './gateway-merge.ts'
import { serversOf, type GatewayServer } from './gateway-servers.ts'
import { gatewaysOfPod, likelyPodsOfGateway } from './gateway-workloads.ts'
import { gatewaysBySelector, selectorKey } from './indexes.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'

/** A server of another Gateway that wants some of the same names on the same port and address of the same pods. */
export interface ServerRival {
  readonly server: GatewayServer
  readonly rival: GatewayServer
  /** In Istio's form: `name`, or `namespace/name`. */
  readonly hosts: readonly string[]
}

/** What becomes of a server of a Gateway at one of its pods. */
export interface PodPlacement extends Placement {
  readonly pod: Workload
}

/**
 * The servers of other Gateways that share names with servers of this one. With TLS the newer Gateway's server is skipped; with plain HTTP
 * both are served. Gateways share pods, or the very selector where no pod is known. istio: analyzers/gateway/conflictinggateway.go.
 */
export function serverRivals(snapshot: MeshSnapshot, gateway: KubeObject): readonly ServerRival[] {
  const others = gatewaysBeside(snapshot, gateway).flatMap((other) => serversOf(other))
  const byPort = Map.groupBy(others, ({ port, bind }) => `${port} ${bind}`)
  return serversOf(gateway).flatMap((server) => {
    const wanted = new Set(server.hosts)
    return (byPort.get(`${server.port} ${server.bind}`) ?? []).flatMap((rival): readonly ServerRival[] => {
      const hosts = rival.hosts.filter((host) => wanted.has(host))
      return hosts.length === 0 ? [] : [{ server, rival, hosts }]
    })
  })
}

/** Where each server of a Gateway ends up at each pod, or why it is skipped there. None: the Gateway is for no pod. */
export function placementsOfGateway(snapshot: MeshSnapshot, gateway: KubeObject): readonly PodPlacement[] {
  return likelyPodsOfGateway(snapshot, gateway).flatMap((pod) =>
    mergedGateway(snapshot, pod)
      .placements.filter(({ server }) => server.gateway === gateway)
      .map((placement) => ({ ...placement, pod })),
  )
}

/** The other Gateways for any of the pods of a Gateway, and those with the same selector, by namespace and name. */
export function gatewaysBeside(snapshot: MeshSnapshot, gateway: KubeObject): readonly KubeObject[] {
  const found = new Map<string, KubeObject>()
  const add = (other: KubeObject): void => {
    if (!isSame(other, gateway)) found.set(`${namespaceOf(other)}/${nameOf(other)}`, other)
  }
  for (const pod of likelyPodsOfGateway(snapshot, gateway)) for (const other of gatewaysOfPod(snapshot, pod)) add(other)
  const selector = textMap(asObject(gateway.spec).selector)
  for (const other of snapshot.find(gatewaysBySelector, selectorKey(gateway))) {
    if (equal(textMap(asObject(other.spec).selector), selector)) add(other)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, other]) => other)
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return nameOf(a) === nameOf(b) && namespaceOf(a) === namespaceOf(b)
}
