import { asObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { byAge, compareAge } from './age.ts'
import { enrolmentOf } from './ambient-enrolment.ts'
import { NO_OBJECTS } from './buckets.ts'
import { textMap } from './fields.ts'
import { runsGateway } from './gateway-pod.ts'
import { gatewaysBySelector, gatewayWorkloads } from './indexes.ts'
import { memo, memoByKey } from './memo.ts'
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

/** The Gateways that are for a gateway pod, oldest first; the same list for the same Gateways. */
export function gatewaysOfPod(snapshot: MeshSnapshot, { labels }: Workload): readonly KubeObject[] {
  const keys = ['', ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)]
  const found = keys
    .map((key) => snapshot.find(gatewaysBySelector, key))
    .filter((list) => list.length > 0)
    .reduce<readonly KubeObject[] | undefined>(
      (all, list) => (all === undefined ? byAge(list) : joined(all)(list)),
      undefined,
    )
  if (found === undefined) return NO_OBJECTS
  const chosen = selectingGateways(found)(labels)
  return chosen.length === found.length ? found : choiceOf(found)(chosen)
}

/** Asked of a pod for each of its Gateways. */
const selectingGateways = memo((gateways: readonly KubeObject[]) =>
  memo((labels: Readonly<Record<string, string>>) => gateways.filter((gateway) => selectsGatewayPod(gateway, labels))),
)

/** Does the Gateway take a gateway pod with these labels? One without a selector takes all. */
export function selectsGatewayPod(gateway: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  return matchesLabels(asObject(gateway.spec).selector, labels)
}

const joined = memo((first: readonly KubeObject[]) =>
  memo((second: readonly KubeObject[]): readonly KubeObject[] => [...first, ...second].sort(compareAge)),
)

/** The same list for every equal choice out of a list. */
const choiceOf = memo((_all: readonly KubeObject[]) =>
  memoByKey(
    (chosen: readonly KubeObject[]) => chosen.map((each) => `${namespaceOf(each)}/${nameOf(each)}`).join(' '),
    (chosen): readonly KubeObject[] => chosen,
  ),
)
