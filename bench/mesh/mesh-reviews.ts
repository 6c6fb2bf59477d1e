import { resourceOf } from '../../src/kube/resource-names.ts'
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../../src/kube/object.ts'
import { serviceHost } from '../../src/mesh/hosts.ts'
import { KINDS, kindNameOf, splitKindName, type KindName } from '../../src/mesh/kinds.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'

/** A change of one object of a mesh, as kube-apiserver asks about it. */
export interface MeshReview {
  readonly object: KubeObject
  /** Undefined: the object is new. */
  readonly oldObject: KubeObject | undefined
}

/** Makes the review of a namespace; undefined where it has nothing to change. */
type MakeReview = (mesh: MeshSnapshot, namespace: string) => MeshReview | undefined

/** Changes by what they change: of each kind an everyday update, and objects that touch everything there is. */
export const MESH_REVIEWS: Readonly<Record<string, MakeReview>> = {
  'VirtualService: more retries, longer timeout': changing(KINDS.virtualService, ({ http }) => ({
    http: asList(http).map((entry) => ({
      ...asObject(entry),
      timeout: '20s',
      retries: { attempts: 5, retryOn: '5xx' },
    })),
  })),
  'DestinationRule: a subset less': changing(KINDS.destinationRule, () => ({
    subsets: [{ name: 'v0', labels: { version: 'v0' } }],
  })),
  'PeerAuthentication: a namespace PERMISSIVE': (_mesh, namespace) => ({
    object: made('security.istio.io/v1', 'PeerAuthentication', 'default', namespace, { mtls: { mode: 'PERMISSIVE' } }),
    oldObject: undefined,
  }),
  'AuthorizationPolicy: other callers': changing(KINDS.authorizationPolicy, () => ({
    rules: [
      { from: [{ source: { principals: ['cluster.local/ns/team-0/sa/app-0', 'cluster.local/ns/none/sa/none'] } }] },
    ],
  })),
  'Sidecar: hosts of its own namespace only': changing(KINDS.sidecar, () => ({ egress: [{ hosts: ['./*'] }] })),
  'Service: another selector': changing(KINDS.service, () => ({ selector: { app: 'app-1', version: 'v1' } })),
  'Namespace: injection off': (mesh, namespace) => {
    const oldObject = mesh.namespace(namespace)
    if (oldObject === undefined) return undefined
    const object = { ...oldObject, metadata: { ...oldObject.metadata, labels: { 'istio-injection': 'disabled' } } }
    return { object, oldObject }
  },
  'the mesh-wide PeerAuthentication PERMISSIVE': (mesh) =>
    changed(mesh.get(KINDS.peerAuthentication, 'istio-system', 'default'), () => ({ mtls: { mode: 'PERMISSIVE' } })),
  'a default Sidecar for the mesh that shows nothing': () => ({
    object: made('networking.istio.io/v1', 'Sidecar', 'default', 'istio-system', { egress: [{ hosts: ['./*'] }] }),
    oldObject: undefined,
  }),
  'a mesh-wide AuthorizationPolicy that denies': () => ({
    object: made('security.istio.io/v1', 'AuthorizationPolicy', 'deny', 'istio-system', {
      action: 'DENY',
      rules: [{ from: [{ source: { notNamespaces: ['team-0'] } }] }],
    }),
    oldObject: undefined,
  }),
  'a DestinationRule for every host': () => ({
    object: made('networking.istio.io/v1', 'DestinationRule', 'all', 'istio-system', {
      host: '*.svc.cluster.local',
      trafficPolicy: { tls: { mode: 'DISABLE' } },
    }),
    oldObject: undefined,
  }),
  'a VirtualService that routes 500 hosts': (mesh) => {
    const services = mesh.all(KINDS.service).slice(0, 500)
    const routes = services.map((service) => ({
      match: [{ uri: { prefix: `/${namespaceOf(service)}/${nameOf(service)}` } }],
      route: [{ destination: { host: hostOf(service), subset: 'v9' } }],
      retries: { attempts: 5, retryOn: '5xx' },
      timeout: '20s',
    }))
    const spec = { hosts: services.map(hostOf), http: routes }
    return { object: made('networking.istio.io/v1', 'VirtualService', 'all', 'team-0', spec), oldObject: undefined }
  },
}

/** The AdmissionReview of a change, as it is posted. */
export function reviewBody({ object, oldObject }: MeshReview): Buffer {
  const { group, kind } = splitKindName(kindNameOf(object))
  const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1)
  const { resource } = resourceOf(group, kind)
  const request = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group, version, kind },
    resource: { group, version, resource },
    name: nameOf(object),
    namespace: kind === 'Namespace' ? nameOf(object) : namespaceOf(object),
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    userInfo: { username: 'system:serviceaccount:argocd:argocd', groups: ['system:authenticated'] },
    object,
    oldObject: oldObject ?? null,
    dryRun: false,
  }
  return Buffer.from(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request }))
}

function changing(kind: KindName, change: (spec: JsonObject) => JsonObject): MakeReview {
  return (mesh, namespace) => changed(mesh.inNamespace(kind, namespace).at(-1), change)
}

function changed(oldObject: KubeObject | undefined, change: (spec: JsonObject) => JsonObject): MeshReview | undefined {
  if (oldObject === undefined) return undefined
  const spec = asObject(oldObject.spec)
  return { object: { ...oldObject, spec: { ...spec, ...change(spec) } }, oldObject }
}

function made(apiVersion: string, kind: string, name: string, namespace: string, spec: JsonObject): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace }, spec }
}

function hostOf(service: KubeObject): string {
  return serviceHost(nameOf(service), namespaceOf(service))
}
