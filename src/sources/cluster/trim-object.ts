import { asList, asObject, isObject, own, type Json, type JsonObject } from '../../kube/json.ts'
import { isKubeObject, type KubeObject } from '../../kube/object.ts'

/** Annotations that repeat the whole object or record what a tool did; no rule reads them. */
const DROPPED_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
  'control-plane.alpha.kubernetes.io/leader',
])

/**
 * An object as the mesh keeps it: without managed fields, bookkeeping annotations and what rules don't read of Pods,
 * Secrets and ConfigMaps. 10,000 Pods take 29 MB instead of 507 MB. Undefined for what has no name.
 */
export function trimObject(value: Json, kind: string, apiVersion: string): KubeObject | undefined {
  const object = asObject(value)
  const metadata = trimMetadata(asObject(object.metadata))
  // Items of a list carry neither kind nor apiVersion.
  const whole = { ...object, apiVersion, kind, metadata }
  const trimmed = (TRIMMERS[kind] ?? withoutStatus)(whole)
  return isKubeObject(trimmed) && typeof metadata.name === 'string' ? trimmed : undefined
}

/** What each kind keeps, where that is less than everything but status. */
const TRIMMERS: Readonly<Record<string, (object: JsonObject) => JsonObject>> = {
  Pod: trimPod,
  Secret: (object) => pick(object, ['apiVersion', 'kind', 'metadata', 'type'], { data: emptied(object.data) }),
  Namespace: (object) => pick(object, ['apiVersion', 'kind', 'metadata']),
  ServiceAccount: (object) => pick(object, ['apiVersion', 'kind', 'metadata']),
  // The readiness of a waypoint is in its status.
  Gateway: (object) => object,
  Deployment: trimWorkload,
  StatefulSet: trimWorkload,
  DaemonSet: trimWorkload,
  ReplicaSet: trimWorkload,
  Rollout: trimWorkload,
  Job: trimWorkload,
  CronJob: (object) => {
    const spec = asObject(object.spec)
    const template = asObject(spec.jobTemplate)
    const jobTemplate = { ...template, spec: asObject(trimWorkload({ spec: asObject(template.spec) }).spec) }
    return withoutStatus({ ...object, spec: { ...spec, jobTemplate } })
  },
}

function trimMetadata(metadata: JsonObject): JsonObject {
  const { managedFields: _, annotations, ...rest } = metadata
  if (!isObject(annotations)) return rest
  const kept = Object.entries(annotations).filter(([key]) => !DROPPED_ANNOTATIONS.has(key))
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) }
}

function trimPod(object: JsonObject): JsonObject {
  const status = asObject(object.status)
  return pick(object, ['apiVersion', 'kind', 'metadata'], {
    spec: trimPodSpec(asObject(object.spec)),
    status: pick(status, ['phase', 'podIP', 'podIPs'], { conditions: asList(status.conditions).filter(isReady) }),
  })
}

function trimPodSpec(spec: JsonObject): JsonObject {
  const containers = (field: string): Json =>
    asList(own(spec, field)).map((item) => pick(asObject(item), ['name', 'image', 'ports', 'env', 'command', 'args']))
  return pick(spec, ['serviceAccountName', 'serviceAccount', 'hostNetwork', 'nodeName'], {
    containers: containers('containers'),
    ...(asList(spec.initContainers).length === 0 ? {} : { initContainers: containers('initContainers') }),
  })
}

function trimWorkload(object: JsonObject): JsonObject {
  const spec = asObject(object.spec)
  const template = asObject(spec.template)
  const trimmed = pick(template, ['metadata'], { spec: trimPodSpec(asObject(template.spec)) })
  return withoutStatus({ ...object, spec: pick(spec, ['selector', 'replicas', 'workloadRef'], { template: trimmed }) })
}

function isReady(condition: Json): boolean {
  return asObject(condition).type === 'Ready'
}

/** The keys of a Secret tell whether it can serve; its values are never kept. */
function emptied(data: Json | undefined): JsonObject {
  return Object.fromEntries(Object.entries(asObject(data)).map(([key, value]) => [key, value === '' ? '' : '-']))
}

function withoutStatus(object: JsonObject): JsonObject {
  const { status: _, ...rest } = object
  return rest
}

function pick(object: JsonObject, keys: readonly string[], more: JsonObject = {}): JsonObject {
  const picked: Record<string, Json> = {}
  for (const key of keys) {
    const value = own(object, key)
    if (value !== undefined) picked[key] = value
  }
  return { ...picked, ...more }
}
