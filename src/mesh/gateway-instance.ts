import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { MANAGED } from './ambient-enrolment.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { GATEWAY_NAME, isWaypoint } from './waypoint-gateways.ts'
import type { Workload } from './workloads.ts'

/**
 * What Istio will run for a Gateway of the Gateway API, which files hold without its Deployment: called and labelled as Istio does.
 * istio: the templates `kube-gateway` and `waypoint` of the chart istiod.
 */
export function instanceOfGateway(snapshot: MeshSnapshot, gateway: KubeObject): Workload {
  const name = nameOf(gateway)
  const isForServices = isWaypoint(snapshot, gateway)
  const manager = isForServices ? 'istio.io-mesh-controller' : 'istio.io-gateway-controller'
  return {
    namespace: namespaceOf(gateway),
    name,
    object: gateway,
    form: 'pod-template',
    labels: { [GATEWAY_NAME]: name, [MANAGED]: manager },
    annotations: {},
    serviceAccount: isForServices ? name : `${name}-istio`,
    ports: [],
    addresses: [],
    spec: {},
  }
}
