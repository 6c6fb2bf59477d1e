import { isKubeObject, type KubeObject } from '../../src/kube/object.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { buildSnapshot, type MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { workloadOf, type Workload } from '../../src/mesh/workloads.ts'

/** The objects of a YAML stream. */
export function objectsFrom(yaml: string): readonly KubeObject[] {
  return parseYamlDocuments(yaml).map((outcome) => {
    if (!outcome.ok) throw new Error(`line ${outcome.error.line}: ${outcome.error.message}`)
    if (!isKubeObject(outcome.document.value)) throw new Error('not an object of the API')
    return outcome.document.value
  })
}

/** The mesh of a YAML stream. */
export function meshFrom(yaml: string): MeshSnapshot {
  return buildSnapshot(objectsFrom(yaml))
}

/** A pod as YAML: labels such as `app: web`, and a sidecar unless it says otherwise. */
export function pod(namespace: string, name: string, labels: string, more = ''): string {
  return `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { security.istio.io/tlsMode: istio, ${labels} } }
spec:
  serviceAccountName: ${name}
  containers: [{ name: app, image: x, ports: [{ name: web, containerPort: 8080 }, { name: db, containerPort: 5432 }] }]
status: { phase: Running, podIP: 10.0.0.1 }
${more}`
}

/** A Service as YAML for the pods with a label `app` of its name: HTTP on 80, TCP on 5432. */
export function service(namespace: string, name: string, metadata = ''): string {
  return `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace}, ${metadata} }
spec:
  clusterIP: 10.1.0.1
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: web }, { name: tcp-db, port: 5432, targetPort: 5432 }]
`
}

/** Anything else as YAML on one line: the spec is flow style. */
export function object(kind: string, namespace: string, name: string, spec: string, minute = 0): string {
  const created = `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`
  return `
---
apiVersion: ${GROUPS[kind] ?? 'networking.istio.io'}/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "${created}" }
spec: ${spec}
`
}

/** The MeshConfig of a mesh as YAML. */
export function meshConfig(settings: string): string {
  return `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    ${settings.trim().replaceAll('\n', '\n    ')}
`
}

/** The workload that a Pod of the mesh is. */
export function workloadIn(mesh: MeshSnapshot, namespace: string, name: string): Workload {
  const found = mesh.get('Pod', namespace, name)
  const workload = found === undefined ? undefined : workloadOf(found)
  if (workload === undefined) throw new Error(`no pod ${namespace}/${name}`)
  return workload
}

const GROUPS: Readonly<Record<string, string>> = {
  PeerAuthentication: 'security.istio.io',
  AuthorizationPolicy: 'security.istio.io',
  RequestAuthentication: 'security.istio.io',
}
