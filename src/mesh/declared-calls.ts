import { asList, asObject } from '../kube/json.ts'
import { annotationsOf, labelValue, namespaceOf, type KubeObject } from '../kube/object.ts'
import { textMap, texts } from './fields.ts'
import { resolveHost } from './hosts.ts'
import { podTemplateOf } from './pod-template.ts'

/** On a Pod, a pod template or a Service: the hosts that it calls, `cart, payments.pay.svc.cluster.local:8443`. */
export const CALLS_ANNOTATION = 'meshward.io/calls'

/** A host that something says it calls; without a port, on every port that the host has. */
export interface DeclaredCall {
  readonly host: string
  readonly port: number | undefined
}

/** The calls that an object's annotation declares, on itself or on its template; short names are beside it. */
export function declaredCalls(object: KubeObject): readonly DeclaredCall[] {
  const template = asObject(podTemplateOf(object)?.metadata)
  const group = asObject(asObject(object.spec).metadata)
  const declared = [annotationsOf(object), textMap(template.annotations), textMap(group.annotations)]
  const entries = declared.flatMap((annotations) => (labelValue(annotations, CALLS_ANNOTATION) ?? '').split(','))
  return entries.flatMap((entry) => {
    const [, host, port] = /^\s*([^\s:]+)(?::(\d+))?\s*$/.exec(entry) ?? []
    if (host === undefined) return []
    return [{ host: resolveHost(host, namespaceOf(object)), port: port === undefined ? undefined : Number(port) }]
  })
}

/** A service account that an AuthorizationPolicy names as a caller. */
export interface NamedCaller {
  readonly namespace: string
  readonly account: string
  /** `spec.rules[0].from[0].source.principals[1]`. */
  readonly field: string
}

/** The accounts that a policy's sources name one by one; patterns name nobody in particular. */
export function namedCallers(policy: KubeObject): readonly NamedCaller[] {
  const callers: NamedCaller[] = []
  for (const [ruleIndex, rule] of asList(asObject(policy.spec).rules).entries()) {
    for (const [fromIndex, from] of asList(asObject(rule).from).entries()) {
      const source = asObject(asObject(from).source)
      const field = `spec.rules[${ruleIndex}].from[${fromIndex}].source`
      for (const [index, principal] of texts(source.principals).entries()) {
        const [, namespace, account] = /\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(principal) ?? []
        if (namespace === undefined || account === undefined) continue
        callers.push({ namespace, account, field: `${field}.principals[${index}]` })
      }
      for (const [index, entry] of texts(source.serviceAccounts).entries()) {
        const [first = '', second] = entry.split('/')
        const [namespace, account] = second === undefined ? [namespaceOf(policy), first] : [first, second]
        callers.push({ namespace, account, field: `${field}.serviceAccounts[${index}]` })
      }
    }
  }
  return callers
}
