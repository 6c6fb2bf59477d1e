import type { KubeObject } from '../kube/object.ts'
import { text } from './fields.ts'
import { ANY_NAMESPACE, type HostImports, type ImportsByNamespace } from './host-imports.ts'
import { isWildcard } from './hosts.ts'
import { KINDS, type KindName } from './kinds.ts'
import { servicesOf, type MeshService } from './registry.ts'
import type { EgressListener, Scope } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { destinationsOf, type VirtualService } from './virtual-service.ts'
import { importedVirtualServices, visibleService } from './visibility.ts'

/**
 * Every service that the proxies of a scope see, by host, at a cost that depends on the namespaces that their Sidecar imports from, not
 * on the mesh. `visibleService` answers for one host.
 */
export function visibleServices(snapshot: MeshSnapshot, scope: Scope): ReadonlyMap<string, MeshService> {
  const seen = new Map<string, MeshService>()
  for (const host of new Set(hostsThatMayBeSeen(snapshot, scope))) {
    const service = visibleService(snapshot, scope, host)
    if (service !== undefined) seen.set(host, service)
  }
  return seen
}

/** Every VirtualService that a listener imports, in the order in which Istio looks at them, at the same cost. */
export function virtualServicesOf(
  snapshot: MeshSnapshot,
  scope: Scope,
  listener: EgressListener,
): readonly VirtualService[] {
  const namespaces = importedNamespaces(listener.imports).map(([namespace]) => namespace)
  const candidates = namespaces.flatMap((namespace) => objectsIn(snapshot, KINDS.virtualService, namespace))
  return importedVirtualServices(snapshot, scope, listener, new Set(candidates))
}

function* hostsThatMayBeSeen(snapshot: MeshSnapshot, scope: Scope): Generator<string> {
  for (const listener of scope.listeners) {
    for (const [namespace, { included }] of importedNamespaces(listener.imports)) {
      yield* included
      if (![...included].some(isWildcard)) continue
      for (const kind of [KINDS.service, KINDS.serviceEntry]) {
        for (const object of objectsIn(snapshot, kind, namespace)) for (const { host } of servicesOf(object)) yield host
      }
    }
    for (const virtualService of virtualServicesOf(snapshot, scope, listener)) yield* destinationHosts(virtualService)
  }
}

function* destinationHosts({ http, tcp, tls }: VirtualService): Generator<string> {
  for (const entry of [...http, ...tcp, ...tls]) {
    for (const { destination } of destinationsOf(entry.spec)) yield text(destination.host) ?? ''
  }
}

function importedNamespaces(imports: ImportsByNamespace): readonly (readonly [string, HostImports])[] {
  return [...imports].filter(([, { included }]) => included.size > 0)
}

function objectsIn(snapshot: MeshSnapshot, kind: KindName, namespace: string): readonly KubeObject[] {
  return namespace === ANY_NAMESPACE ? snapshot.all(kind) : snapshot.inNamespace(kind, namespace)
}
