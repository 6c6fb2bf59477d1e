import { asObject, type JsonObject } from '../kube/json.ts'
import { annotationsOf, labelValue, type KubeObject } from '../kube/object.ts'
import { blocks, isTrue, text, texts } from './fields.ts'
import { KINDS, kindNameOf } from './kinds.ts'
import { memo } from './memo.ts'
import { podTemplateOf } from './pod-template.ts'

/**
 * Does the Pod, or what a pod template or a Gateway of the Gateway API makes, run a gateway rather than a sidecar: by the template that injection is to use, or by
 * the command line of a proxy that is written out? Waypoints are not gateways. istio: the charts `gateway` and `istio-ingress`.
 */
export const runsGateway: (object: KubeObject) => boolean = memo((object) => {
  if (kindNameOf(object) === KINDS.k8sGateway) return true
  const pod = podTemplateOf(object) ?? object
  const templates = labelValue(annotationsOf(pod), 'inject.istio.io/templates') ?? ''
  if (templates.split(',').some((template) => template.trim() === 'gateway')) return true
  return blocks(asObject(asObject(pod).spec).containers).some(({ args }) => isRouter(texts(args)))
})

/** May the gateway only open ports from 1024 up? istio: model/context.go IsUnprivileged. */
export function isUnprivileged({ spec }: { readonly spec: JsonObject }): boolean {
  return blocks(spec.containers).some(({ env }) =>
    blocks(env).some(({ name, value }) => name === 'ISTIO_META_UNPRIVILEGED_POD' && isTrue(text(value))),
  )
}

function isRouter(args: readonly string[]): boolean {
  const [command, role] = args
  return command === 'proxy' && role === 'router'
}
