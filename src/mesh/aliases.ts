import { asObject } from '../kube/json.ts'
import { text } from './fields.ts'
import { aliasesByTarget } from './indexes.ts'
import { kubernetesServiceOf, servicesOf } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** The name that the ExternalName Service with a host stands for; undefined for every other host. */
export function aliasTarget(snapshot: MeshSnapshot, host: string): string | undefined {
  const object = kubernetesServiceOf(snapshot, host)
  const [service] = object === undefined ? [] : servicesOf(object)
  return service?.resolution === 'alias' ? text(asObject(service.object.spec).externalName) : undefined
}

/**
 * The host at the end of a chain of ExternalName Services: the host itself where it is none, undefined where the chain runs in a
 * circle, which DNS does not answer.
 * istio: model/push_context.go resolveServiceAliases.
 */
export function concreteHost(snapshot: MeshSnapshot, host: string): string | undefined {
  const seen = new Set<string>()
  for (let current = host; !seen.has(current);) {
    seen.add(current)
    const target = aliasTarget(snapshot, current)
    if (target === undefined) return current
    current = target
  }
  return undefined
}

/** The hosts of all ExternalName Services that lead to a host, directly or through others. */
export function aliasesOf(snapshot: MeshSnapshot, host: string): ReadonlySet<string> {
  const found = new Set<string>()
  const pending = [host]
  for (let target = pending.pop(); target !== undefined; target = pending.pop()) {
    for (const object of snapshot.find(aliasesByTarget, target)) {
      for (const alias of servicesOf(object)) {
        if (alias.host === host || found.has(alias.host)) continue
        found.add(alias.host)
        pending.push(alias.host)
      }
    }
  }
  return found
}
