import { namespaceOf } from '../kube/object.ts'
import { coveringPatterns, hostsOverlap, isWildcard } from './hosts.ts'
import { memo } from './memo.ts'
import type { VirtualService } from './virtual-service.ts'

/** Hosts that an egress listener of a Sidecar takes from a namespace, or from all of them (`*`), and those it leaves out. */
export interface HostImports {
  readonly included: ReadonlySet<string>
  readonly excluded: ReadonlySet<string>
}

/** The imports of one listener, by namespace; `*` is every namespace. */
export type ImportsByNamespace = ReadonlyMap<string, HostImports>

/** A namespace that stands for all. */
export const ANY_NAMESPACE = '*'

/**
 * Reads `namespace/host` entries for a proxy in `own`: `.` is that namespace, `~` before a namespace leaves the host out there,
 * and alone everywhere. An entry without exactly one slash says nothing.
 * istio: model/sidecar.go convertIstioListenerToWrapper.
 */
export function parseImports(entries: readonly string[], own: string): ImportsByNamespace {
  const found = new Map<string, { included: Set<string>; excluded: Set<string> }>()
  for (const entry of entries) {
    const [scope, host, ...rest] = entry.split('/')
    if (scope === undefined || host === undefined || rest.length > 0) continue
    const isExclusion = scope.startsWith('~')
    const written = isExclusion ? scope.slice(1) || ANY_NAMESPACE : scope
    const namespace = written === '.' ? own : written
    const imports = found.get(namespace) ?? { included: new Set(), excluded: new Set() }
    imports[isExclusion ? 'excluded' : 'included'].add(host.toLowerCase())
    found.set(namespace, imports)
  }
  return found
}

/** Is every entry one host of one namespace, so that nothing has to be searched for? */
export function isExactOnly(imports: ImportsByNamespace): boolean {
  if ((imports.get(ANY_NAMESPACE)?.included.size ?? 0) > 0) return false
  for (const { included } of imports.values()) for (const host of included) if (isWildcard(host)) return false
  return true
}

/** Is a service with this host in this namespace imported? istio: model/sidecar.go selectServices. */
export function importsService(imports: ImportsByNamespace, host: string, namespace: string): boolean {
  const own = imports.get(namespace)
  const any = imports.get(ANY_NAMESPACE)
  if (isExcluded(own, host) || isExcluded(any, host)) return false
  return isCovered(own?.included, host) || isCovered(any?.included, host)
}

/**
 * Is a VirtualService imported: does one of its hosts overlap with an import, and is that one not left out?
 * istio: model/virtualservice.go SelectVirtualServices.
 */
export function importsVirtualService(imports: ImportsByNamespace, virtualService: VirtualService): boolean {
  return importsOfListener(imports)(virtualService)
}

/** Kept, as each host that a listener is asked for may lead to a VirtualService of very many hosts. */
const importsOfListener = memo((imports: ImportsByNamespace) =>
  memo(({ object, hosts }: VirtualService): boolean => {
    const own = imports.get(namespaceOf(object))
    const any = imports.get(ANY_NAMESPACE)
    return hosts.some((host) => {
      if (!overlaps(own?.included, host) && !overlaps(any?.included, host)) return false
      return !isExcluded(own, host) && !isExcluded(any, host)
    })
  }),
)

function isExcluded(imports: HostImports | undefined, host: string): boolean {
  return imports !== undefined && isCovered(imports.excluded, host)
}

function isCovered(patterns: ReadonlySet<string> | undefined, host: string): boolean {
  if (patterns === undefined || patterns.size === 0) return false
  // which one covers it does not matter, and this is the usual one
  if (patterns.has('*')) return true
  for (const pattern of coveringPatterns(host)) if (patterns.has(pattern)) return true
  return false
}

function overlaps(patterns: ReadonlySet<string> | undefined, host: string): boolean {
  if (patterns === undefined) return false
  if (!isWildcard(host)) return isCovered(patterns, host)
  for (const pattern of patterns) if (hostsOverlap(pattern, host)) return true
  return false
}
