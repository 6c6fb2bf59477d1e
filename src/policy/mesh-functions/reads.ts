import { KINDS, type KindName } from '../../mesh/kinds.ts'
import { TEMPLATE_KINDS } from '../../mesh/pod-template.ts'

/** The mesh configuration, and the namespaces that its discovery selectors choose from. */
export const MESH: readonly KindName[] = [KINDS.configMap, KINDS.namespace]

/** Where hosts come from. */
export const REGISTRY: readonly KindName[] = [...MESH, KINDS.service, KINDS.serviceEntry]

/** What runs, or is going to. */
export const WORKLOADS: readonly KindName[] = [KINDS.pod, ...TEMPLATE_KINDS, KINDS.workloadEntry, KINDS.workloadGroup]

/** What runs, and what says whether it gets a sidecar or is captured by ambient. */
export const INJECTED: readonly KindName[] = [...MESH, ...WORKLOADS, KINDS.mutatingWebhook]

/** What runs in ambient, the services in front of it, and the waypoints between. */
export const AMBIENT: readonly KindName[] = [...REGISTRY, ...INJECTED, KINDS.k8sGateway, KINDS.gatewayClass]
