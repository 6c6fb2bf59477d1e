import type { Json, JsonObject } from '../../src/kube/json.ts'

/** A review as kube-apiserver sends it, ready to be posted. */
export interface BenchBody {
  readonly name: string
  readonly review: Buffer
}

/** The bodies of every run: small, medium and large, and an update with everything that an API server adds to one. */
export function benchBodies(): readonly BenchBody[] {
  const virtualServices = [1, 20, 300].map((routes) => ({
    name: `VirtualService, ${routes} ${routes === 1 ? 'route' : 'routes'}`,
    review: review('CREATE', VIRTUAL_SERVICES, storedVirtualService(routes, '15s'), null),
  }))
  const update = review('UPDATE', VIRTUAL_SERVICES, storedVirtualService(20, '15s'), storedVirtualService(20, '10s'))
  return [
    { name: 'PeerAuthentication', review: review('CREATE', PEER_AUTHENTICATIONS, peerAuthentication(), null) },
    ...virtualServices,
    { name: 'VirtualService, 20 routes, UPDATE', review: update },
  ]
}

/** A review of the largest object without its timeouts, so that there is something to fill everywhere. */
export function bodyToFill(): BenchBody {
  const object = storedVirtualService(300, undefined)
  return { name: 'VirtualService, 300 routes, to fill', review: review('CREATE', VIRTUAL_SERVICES, object, null) }
}

interface Resource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly resource: string
}

const PEER_AUTHENTICATIONS = {
  group: 'security.istio.io',
  version: 'v1',
  kind: 'PeerAuthentication',
  resource: 'peerauthentications',
}
const VIRTUAL_SERVICES = {
  group: 'networking.istio.io',
  version: 'v1',
  kind: 'VirtualService',
  resource: 'virtualservices',
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly spec: object
  readonly metadata: { readonly name: string; readonly namespace: string }
}

function review(
  operation: 'CREATE' | 'UPDATE',
  resource: Resource,
  object: Manifest,
  oldObject: Manifest | null,
): Buffer {
  const { group, version } = resource
  const kind = { group, version, kind: resource.kind }
  const plural = { group, version, resource: resource.resource }
  const request = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind,
    resource: plural,
    requestKind: kind,
    requestResource: plural,
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    operation,
    userInfo: {
      username: 'system:serviceaccount:argocd:argocd-application-controller',
      uid: '8f4e2b0e-2d0b-4d53-9e0e-6c5d3b1f3a51',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:argocd', 'system:authenticated'],
    },
    object,
    oldObject,
    dryRun: false,
    options: {
      kind: `${operation === 'CREATE' ? 'Create' : 'Update'}Options`,
      apiVersion: 'meta.k8s.io/v1',
      fieldManager: 'kubectl',
    },
  }
  return Buffer.from(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request }))
}

function peerAuthentication(): Manifest {
  const ports = Array.from({ length: 20 }, (_, index) => [String(8080 + index), { mode: 'STRICT' }])
  const spec = {
    selector: { matchLabels: { 'app.kubernetes.io/name': 'payments', 'app.kubernetes.io/part-of': 'shop' } },
    mtls: { mode: 'STRICT' },
    portLevelMtls: Object.fromEntries(ports),
  }
  return manifest('PeerAuthentication', 'security.istio.io/v1', 'payments', spec)
}

function storedVirtualService(routes: number, timeout: string | undefined): Manifest {
  const { spec } = virtualService(routes, timeout)
  return manifest('VirtualService', 'networking.istio.io/v1', 'shop', spec)
}

/** A VirtualService as a person applies it, right by every shipped rule but for its timeouts, if none are given. */
export function virtualService(
  routes: number,
  timeout: string | undefined,
): { readonly spec: JsonObject; readonly [key: string]: Json } {
  const http = Array.from({ length: routes }, (_, index) => route(index, timeout))
  const spec = { hosts: ['shop.example.com'], gateways: ['istio-ingress/public', 'mesh'], http }
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'shop' }, spec }
}

function route(index: number, timeout: string | undefined): JsonObject {
  const host = `catalogue-${index}.shop`
  return {
    name: `catalogue-${index}`,
    match: [{ uri: { prefix: `/api/v1/catalogue/${index}/` } }],
    route: [
      { destination: { host, subset: 'stable', port: { number: 8080 } }, weight: 90 },
      { destination: { host, subset: 'canary', port: { number: 8080 } }, weight: 10 },
    ],
    ...(timeout === undefined ? {} : { timeout }),
    retries: { attempts: 3, perTryTimeout: '3s', retryOn: 'connect-failure,refused-stream' },
  }
}

/** With managedFields and the last-applied annotation, which double the size of an object as in any real cluster. */
function manifest(kind: string, apiVersion: string, name: string, spec: object): Manifest {
  const applied = { apiVersion, kind, metadata: { annotations: {}, name, namespace: 'shop' }, spec }
  const metadata = {
    name,
    namespace: 'shop',
    uid: 'b3d1c0a4-92a7-4f4b-8b7e-0b6a2b1a7c11',
    resourceVersion: '184467',
    generation: 7,
    creationTimestamp: '2026-03-02T09:15:00Z',
    labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'argocd', team: 'payments' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(applied)}\n` },
    managedFields: [
      {
        manager: 'kubectl-client-side-apply',
        operation: 'Update',
        apiVersion,
        time: '2026-03-02T09:15:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': { 'f:annotations': {}, 'f:labels': {} }, 'f:spec': managed(spec) },
      },
    ],
  }
  return { apiVersion, kind, metadata, spec }
}

/** Lists of Istio's kinds are atomic, so a manager owns them whole. */
function managed(spec: object): object {
  return Object.fromEntries(Object.keys(spec).map((key) => [`f:${key}`, {}]))
}
