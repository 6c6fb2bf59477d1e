import { groupOf, type KubeObject } from '../kube/object.ts'

/** A kind and its group as kubectl writes them: `Gateway.networking.istio.io`; the core group has none: `Pod`. */
export type KindName = string

/** The name of an object's kind. Every served version of a kind has the same name. */
export function kindNameOf(object: KubeObject): KindName {
  return kindName(groupOf(object), object.kind)
}

/** The name of a kind in a group; the core group is `''`. */
export function kindName(group: string, kind: string): KindName {
  return group === '' ? kind : `${kind}.${group}`
}

/** The group and kind that a name is made of. */
export function splitKindName(name: KindName): { readonly group: string; readonly kind: string } {
  const dot = name.indexOf('.')
  return dot < 0 ? { group: '', kind: name } : { group: name.slice(dot + 1), kind: name.slice(0, dot) }
}

const networking = (kind: string): KindName => kindName('networking.istio.io', kind)
const security = (kind: string): KindName => kindName('security.istio.io', kind)
const gatewayApi = (kind: string): KindName => kindName('gateway.networking.k8s.io', kind)
const apps = (kind: string): KindName => kindName('apps', kind)

/** The kinds that the model reads. Two of them are called Gateway: `gateway` is Istio's, `k8sGateway` the Gateway API's. */
export const KINDS = {
  namespace: 'Namespace',
  service: 'Service',
  serviceAccount: 'ServiceAccount',
  pod: 'Pod',
  secret: 'Secret',
  configMap: 'ConfigMap',
  deployment: apps('Deployment'),
  statefulSet: apps('StatefulSet'),
  daemonSet: apps('DaemonSet'),
  replicaSet: apps('ReplicaSet'),
  job: kindName('batch', 'Job'),
  cronJob: kindName('batch', 'CronJob'),
  rollout: kindName('argoproj.io', 'Rollout'),
  endpointSlice: kindName('discovery.k8s.io', 'EndpointSlice'),
  mutatingWebhook: kindName('admissionregistration.k8s.io', 'MutatingWebhookConfiguration'),
  destinationRule: networking('DestinationRule'),
  envoyFilter: networking('EnvoyFilter'),
  gateway: networking('Gateway'),
  proxyConfig: networking('ProxyConfig'),
  serviceEntry: networking('ServiceEntry'),
  sidecar: networking('Sidecar'),
  virtualService: networking('VirtualService'),
  workloadEntry: networking('WorkloadEntry'),
  workloadGroup: networking('WorkloadGroup'),
  authorizationPolicy: security('AuthorizationPolicy'),
  peerAuthentication: security('PeerAuthentication'),
  requestAuthentication: security('RequestAuthentication'),
  telemetry: kindName('telemetry.istio.io', 'Telemetry'),
  wasmPlugin: kindName('extensions.istio.io', 'WasmPlugin'),
  k8sGateway: gatewayApi('Gateway'),
  gatewayClass: gatewayApi('GatewayClass'),
  httpRoute: gatewayApi('HTTPRoute'),
  grpcRoute: gatewayApi('GRPCRoute'),
  tcpRoute: gatewayApi('TCPRoute'),
  tlsRoute: gatewayApi('TLSRoute'),
  referenceGrant: gatewayApi('ReferenceGrant'),
} as const satisfies Readonly<Record<string, KindName>>

/** Kinds that live in no namespace, among those of `KINDS`; a stray `metadata.namespace` on one is ignored. */
export const CLUSTER_KINDS: ReadonlySet<KindName> = new Set([
  KINDS.namespace,
  KINDS.gatewayClass,
  KINDS.mutatingWebhook,
])
