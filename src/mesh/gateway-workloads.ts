import { asObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { byAge } from './age.ts'
import { enrolmentOf } from './ambient-enrolment.ts'
import { textMap } from './fields.ts'
import { runsGateway } from './gateway-pod.ts'
import { gatewaysBySelector, gatewayWorkloads } from './indexes.ts'
import { namespacesWithLabels } from './selection.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { selectWorkloads, workloadsIn, type Workload } from './workloads.ts'

/** Everything that runs a gateway, by namespace and name. */
export function gatewayPods(snapshot: MeshSnapshot): readonly Workload[] {
  const namespaces = new Set<string>()
  for (const index of gatewayWorkloads) {
    for (const object of snapshot.find(index, 'gateway')) namespaces.add(namespaceOf(object))
  }
  return [...namespaces]
    .sort()
    .flatMap((namespace) => workloadsIn(snapshot, namespace).filter(({ object }) => runsGateway(object)))
}

/**
 * The gateway pods that a Gateway is for, of whatever namespace. None: the Gateway does nothing. `PILOT_SCOPE_GATEWAY_TO_NAMESPACE` is
 * off, as by default. istio: model/push_context.go mergeGateways.
 */
export function podsOfGateway(snapshot: MeshSnapshot, gateway: KubeObject): readonly Workload[] {
  return gatewayPods(snapshot).filter(({ labels }) => selectsGatewayPod(gateway, labels))
}

/**
 * What a Gateway may be meant for: its gateway pods or, where nothing it selects says that it is one, what it selects that has no
 * sidecar. A gateway may be installed in ways that leave no trace.
 */
export function likelyPodsOfGateway(snapshot: MeshSnapshot, gateway: KubeObject): readonly Workload[] {
  const certain = podsOfGateway(snapshot, gateway)
  const selector = textMap(asObject(gateway.spec).selector)
  if (certain.length > 0 || Object.keys(selector).length === 0) return certain
  return namespacesWithLabels(snapshot, selector)
    .flatMap((namespace) => selectWorkloads(snapshot, namespace, selector))
    .filter((workload) => enrolmentOf(snapshot, workload).mode === 'none')
}

/** The Gateways that are for a gateway pod, oldest first. */
export function gatewaysOfPod(snapshot: MeshSnapshot, { labels }: Workload): readonly KubeObject[] {
  const keys = ['', ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)]
  const found = keys.flatMap((key) => snapshot.find(gatewaysBySelector, key))
  return byAge(found.filter((gateway) => selectsGatewayPod(gateway, labels)))
}

/** Does the Gateway take a gateway pod with these labels? One without a selector takes all. */
export function selectsGatewayPod(gateway: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  return matchesLabels(asObject(gateway.spec).selector, labels)
}
