import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { kindNameOf } from '../../src/mesh/kinds.ts'
import { buildSnapshot, type MeshSnapshot } from '../../src/mesh/snapshot.ts'

/** What a test says of an object beside its name and spec. */
export interface Extras {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Older is smaller; left out: about to be created. */
  readonly age?: number
}

/** An object: `Gateway`, `shop/main`. Its group follows from its kind; a name without a slash is of no namespace. */
export function object(kind: string, name: string, body: JsonObject = {}, extras: Extras = {}): KubeObject {
  const [first = '', second] = name.split('/')
  const { labels, annotations, age } = extras
  return {
    apiVersion: API_VERSIONS[kind] ?? 'v1',
    kind: kind === 'Waypoint' ? 'Gateway' : kind,
    metadata: {
      name: second ?? first,
      ...(second === undefined ? {} : { namespace: first }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(age === undefined ? {} : { creationTimestamp: `2026-01-01T00:00:${String(age).padStart(2, '0')}Z` }),
    },
    ...body,
  }
}

/** A Gateway with a selector for `gatewayPod`. */
export function gateway(name: string, servers: readonly JsonObject[], extras: Extras = {}): KubeObject {
  return object('Gateway', name, { spec: { selector: { istio: 'ingressgateway' }, servers } }, extras)
}

/** A server: `80 HTTP`, `443 HTTPS`. */
export function server(port: string, hosts: readonly string[], rest: JsonObject = {}): JsonObject {
  const [number = '', protocol = ''] = port.split(' ')
  return { port: { number: Number(number), name: `${protocol.toLowerCase()}-${number}`, protocol }, hosts, ...rest }
}

export function virtualService(name: string, spec: JsonObject, extras: Extras = {}): KubeObject {
  return object('VirtualService', name, { spec }, extras)
}

/** A VirtualService that sends all HTTP for its hosts to `web.a`. */
export function plainRoute(name: string, hosts: readonly string[], gateways: readonly string[], age = 1): KubeObject {
  return virtualService(name, { hosts, gateways, http: [{ route: [TO_WEB] }] }, { age })
}

export const TO_WEB = { destination: { host: 'web.a.svc.cluster.local', port: { number: 80 } } }

/** Gateway pods with a Service in front: port 80 leads to 8080, 443 to 8443. */
export function gatewayInstallation(
  options: {
    readonly namespace?: string
    readonly replicas?: number
    readonly serviceLabels?: Readonly<Record<string, string>>
    readonly spec?: JsonObject
  } = {},
): readonly KubeObject[] {
  const {
    namespace = 'istio-system',
    replicas = 1,
    serviceLabels = {},
    spec = { containers: [{ name: 'c' }] },
  } = options
  const pods = Array.from({ length: replicas }, (_, index) =>
    object(
      'Pod',
      `${namespace}/gw-${index}`,
      { spec, status: { phase: 'Running' } },
      {
        labels: { app: 'gw', istio: 'ingressgateway' },
        annotations: { 'inject.istio.io/templates': 'gateway' },
      },
    ),
  )
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'https', port: 443, targetPort: 8443 },
  ]
  const service = object(
    'Service',
    `${namespace}/gw`,
    { spec: { selector: { app: 'gw' }, ports } },
    { labels: serviceLabels },
  )
  return [...pods, service]
}

/** A running pod: `shop/cart`, labelled `app: cart`, with ports 8080 and 9090. */
export function pod(name: string, extras: Extras = {}, spec: JsonObject = {}): KubeObject {
  const [, app = ''] = name.split('/')
  const ports = [{ containerPort: 8080 }, { containerPort: 9090 }]
  return object(
    'Pod',
    name,
    {
      spec: { serviceAccountName: app, containers: [{ name: 'c', ports }], ...spec },
      status: { phase: 'Running', podIP: '10.0.0.1' },
    },
    { ...extras, labels: { app, ...extras.labels } },
  )
}

/** A Service for the pods of its name, with an HTTP port 80 to 8080 and a TCP port 5432 to 9090. */
export function service(name: string, extras: Extras = {}): KubeObject {
  const [, app = ''] = name.split('/')
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'tcp', port: 5432, targetPort: 9090 },
  ]
  return object('Service', name, { spec: { selector: { app }, ports } }, extras)
}

/** A namespace whose pods are captured. */
export function ambient(name: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return object('Namespace', name, {}, { labels: { 'istio.io/dataplane-mode': 'ambient', ...labels } })
}

/** A waypoint that is ready; `from` says which namespaces may use it. */
export function waypoint(name: string, waypointFor = 'service', from = 'Same'): KubeObject {
  const listeners = [{ name: 'mesh', port: 15_008, protocol: 'HBONE', allowedRoutes: { namespaces: { from } } }]
  return object(
    'Waypoint',
    name,
    { spec: { gatewayClassName: 'istio-waypoint', listeners }, status: { addresses: [{ value: 'x' }] } },
    { labels: { 'istio.io/waypoint-for': waypointFor } },
  )
}

export function authorizationPolicy(name: string, spec: JsonObject, extras: Extras = {}): KubeObject {
  return object('AuthorizationPolicy', name, { spec }, extras)
}

export function peerAuthentication(name: string, spec: JsonObject, age = 1): KubeObject {
  return object('PeerAuthentication', name, { spec }, { age })
}

export function meshOf(...objects: readonly (KubeObject | readonly KubeObject[])[]): MeshSnapshot {
  return buildSnapshot(objects.flat())
}

/** The object of a kind and name that the mesh holds: `Gateway`, `shop/main`. */
export function find(mesh: MeshSnapshot, kind: string, name: string): KubeObject {
  const sample = object(kind, name)
  const [namespace = '', own] = name.split('/')
  const found = mesh.get(kindNameOf(sample), own === undefined ? '' : namespace, own ?? namespace)
  if (found === undefined) throw new Error(`the mesh has no ${kind} ${name}`)
  return found
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Gateway: 'networking.istio.io/v1',
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  ServiceEntry: 'networking.istio.io/v1',
  Sidecar: 'networking.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
  PeerAuthentication: 'security.istio.io/v1',
  RequestAuthentication: 'security.istio.io/v1',
  Waypoint: 'gateway.networking.k8s.io/v1',
  GatewayClass: 'gateway.networking.k8s.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  GRPCRoute: 'gateway.networking.k8s.io/v1',
  TLSRoute: 'gateway.networking.k8s.io/v1',
  TCPRoute: 'gateway.networking.k8s.io/v1alpha2',
  ReferenceGrant: 'gateway.networking.k8s.io/v1beta1',
  Deployment: 'apps/v1',
}
