import { asObject, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { block } from './fields.ts'
import { KINDS, kindNameOf, type KindName } from './kinds.ts'

/** Kinds with a pod template. */
export const TEMPLATE_KINDS: readonly KindName[] = [
  KINDS.deployment,
  KINDS.statefulSet,
  KINDS.daemonSet,
  KINDS.rollout,
  KINDS.cronJob,
  KINDS.job,
  KINDS.replicaSet,
]

/** Where the fields of a pod stand in an object: `spec.template.` of a Deployment; empty for a Pod, and for what has no template. */
export function podFieldPrefix(object: KubeObject): string {
  if (podTemplateOf(object) === undefined) return ''
  return kindNameOf(object) === KINDS.cronJob ? 'spec.jobTemplate.spec.template.' : 'spec.template.'
}

/** The pod template of a workload controller, wherever its kind keeps it; undefined for any other object. */
export function podTemplateOf(object: KubeObject): JsonObject | undefined {
  const kind = kindNameOf(object)
  if (!TEMPLATE_KINDS.includes(kind)) return undefined
  const spec = asObject(object.spec)
  if (kind !== KINDS.cronJob) return block(spec.template)
  return block(asObject(asObject(spec.jobTemplate).spec).template)
}
