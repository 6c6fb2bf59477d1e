import type { KubeObject } from '../src/kube/object.ts'

/** How much of everything a mesh has. */
export interface MeshSize {
  readonly namespaces: number
  readonly servicesPerNamespace: number
  readonly podsPerService: number
  /** Of each kind, per namespace; fractions are spread over the namespaces. */
  readonly virtualServices: number
  readonly destinationRules: number
  readonly authorizationPolicies: number
  readonly sidecars: number
}

/** 500 namespaces, 5,000 Services, 2,000 VirtualServices and DestinationRules, 1,000 policies, 500 Sidecars, 20,000 Pods. */
export const LARGE_MESH: MeshSize = {
  namespaces: 500,
  servicesPerNamespace: 10,
  podsPerService: 4,
  virtualServices: 4,
  destinationRules: 4,
  authorizationPolicies: 2,
  sidecars: 1,
}

/** The same with a tenth of the namespaces. */
export const TENTH_OF_LARGE_MESH: MeshSize = { ...LARGE_MESH, namespaces: 50 }

/** Every object of such a mesh, the same for the same size. Each namespace calls the one after it. */
export function* generateMesh(size: MeshSize): Generator<KubeObject> {
  for (let index = 0; index < size.namespaces; index++) yield* generateNamespace(size, index)
  yield {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: metadata('default', 'istio-system', 0),
    spec: { mtls: { mode: 'STRICT' } },
  }
}

function* generateNamespace(size: MeshSize, index: number): Generator<KubeObject> {
  const namespace = `team-${index}`
  const next = `team-${(index + 1) % size.namespaces}`
  yield {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'istio-injection': 'enabled' } },
  }
  for (let service = 0; service < size.servicesPerNamespace; service++) {
    yield generateService(namespace, service)
    for (let pod = 0; pod < size.podsPerService; pod++) yield generatePod(namespace, service, pod)
  }
  for (let each = 0; each < size.virtualServices; each++) yield generateVirtualService(namespace, next, each)
  for (let each = 0; each < size.destinationRules; each++) yield generateDestinationRule(namespace, each)
  for (let each = 0; each < size.authorizationPolicies; each++) yield generatePolicy(namespace, next, each)
  for (let each = 0; each < size.sidecars; each++) yield generateSidecar(namespace, next, each)
}

function generateService(namespace: string, index: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(`app-${index}`, namespace, index),
    spec: {
      clusterIP: '10.0.0.1',
      selector: { app: `app-${index}` },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'grpc-api', port: 9090, targetPort: 'grpc' },
        { name: 'tcp-db', port: 5432, targetPort: 5432 },
      ],
    },
  }
}

function generatePod(namespace: string, service: number, index: number): KubeObject {
  const app = `app-${service}`
  const hash = `${service}f${index % 2}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(`${app}-${hash}-${index}`, namespace, index),
      labels: {
        app,
        version: `v${index % 2}`,
        'pod-template-hash': hash,
        'security.istio.io/tlsMode': 'istio',
        'service.istio.io/canonical-name': app,
      },
      annotations: { 'sidecar.istio.io/status': '{}' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-${hash}`, controller: true }],
    },
    spec: {
      serviceAccountName: app,
      containers: [
        {
          name: app,
          image: `registry.example/${app}:1.0`,
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'grpc', containerPort: 9090 },
            { name: 'db', containerPort: 5432 },
          ],
        },
      ],
    },
    status: { phase: 'Running', podIP: `10.${service % 250}.${index}.7` },
  }
}

function generateVirtualService(namespace: string, next: string, index: number): KubeObject {
  const host = `app-${index}`
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: metadata(`route-${index}`, namespace, index),
    spec: {
      hosts: [host],
      http: [
        {
          match: [{ uri: { prefix: '/api/' }, headers: { 'x-canary': { exact: 'true' } } }],
          route: [{ destination: { host, subset: 'v1', port: { number: 80 } } }],
          timeout: '5s',
          retries: { attempts: 3, perTryTimeout: '1s', retryOn: '5xx,reset' },
        },
        {
          match: [{ uri: { prefix: '/next' } }],
          route: [{ destination: { host: `app-${index + 1}.${next}.svc.cluster.local`, port: { number: 80 } } }],
        },
        {
          route: [
            { destination: { host, subset: 'v0' }, weight: 90 },
            { destination: { host, subset: 'v1' }, weight: 10 },
          ],
          timeout: '10s',
        },
      ],
    },
  }
}

function generateDestinationRule(namespace: string, index: number): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: metadata(`rule-${index}`, namespace, index),
    spec: {
      host: `app-${index}`,
      trafficPolicy: {
        connectionPool: { tcp: { maxConnections: 100 }, http: { http2MaxRequests: 500 } },
        outlierDetection: { consecutive5xxErrors: 7, interval: '30s' },
      },
      subsets: [
        { name: 'v0', labels: { version: 'v0' } },
        { name: 'v1', labels: { version: 'v1' }, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
      ],
    },
  }
}

function generatePolicy(namespace: string, next: string, index: number): KubeObject {
  const principals = [0, 1, 2].map((account) => `cluster.local/ns/${next}/sa/app-${account}`)
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: metadata(`policy-${index}`, namespace, index),
    spec:
      index === 0
        ? {}
        : {
            selector: { matchLabels: { app: `app-${index}` } },
            rules: [
              {
                from: [{ source: { principals } }],
                to: [{ operation: { methods: ['GET', 'POST'], paths: ['/api/*'] } }],
              },
            ],
          },
  }
}

function generateSidecar(namespace: string, next: string, index: number): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: metadata(`sidecar-${index}`, namespace, index),
    spec: { egress: [{ hosts: ['./*', 'istio-system/*', `${next}/app-0.${next}.svc.cluster.local`, `${next}/*`] }] },
  }
}

function metadata(name: string, namespace: string, age: number): KubeObject['metadata'] {
  const minute = String(age % 60).padStart(2, '0')
  return { name, namespace, uid: `${namespace}-${name}`, creationTimestamp: `2026-01-01T00:${minute}:00Z` }
}
