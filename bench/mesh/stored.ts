import { asObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../../src/kube/object.ts'

/** An object as an API server hands it out, with the bookkeeping that is most of it: some 5 KB of a Pod. */
export function stored(object: KubeObject, version: number): JsonObject {
  const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object) }
  const whole = {
    ...object,
    metadata: {
      ...object.metadata,
      uid: `${namespaceOf(object)}-${nameOf(object)}`,
      resourceVersion: String(version),
      annotations: { ...object.metadata.annotations, ...lastApplied },
      managedFields: ['kubectl', 'controller'].map(managedFields),
    },
  }
  if (object.kind !== 'Pod') return whole
  return {
    ...whole,
    spec: { ...asObject(object.spec), ...POD_SPEC },
    status: { ...asObject(object.status), conditions: CONDITIONS },
  }
}

function managedFields(manager: string): JsonObject {
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f:field${index}`, { 'f:value': {} }]))
  return { manager, operation: 'Update', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': fields } }
}

const POD_SPEC: JsonObject = {
  volumes: Array.from({ length: 8 }, (_, index): Json => ({
    name: `volume-${index}`,
    configMap: { name: 'settings' },
  })),
  tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
}

const CONDITIONS: readonly Json[] = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
  type,
  status: 'True',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}))
