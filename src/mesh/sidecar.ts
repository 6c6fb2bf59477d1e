import { asList, asObject, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { byAge } from './age.ts'
import type { Client } from './destination-rule.ts'
import { block, number, text, texts, wordIn } from './fields.ts'
import { isExactOnly, parseImports, type ImportsByNamespace } from './host-imports.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf, type OutboundTrafficPolicy } from './mesh-config.ts'
import { parseProtocol, type Protocol } from './protocol.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** What the proxies of a namespace that use one Sidecar, or none, are given. istio: model/sidecar.go SidecarScope. */
export interface Scope {
  readonly namespace: string
  readonly sidecar: KubeObject | undefined
  /** In order; the first that fits a port serves it. */
  readonly listeners: readonly EgressListener[]
}

export interface EgressListener {
  /** Undefined: every port that no listener before it names. */
  readonly port: number | undefined
  readonly protocol: Protocol
  /** Must a service have the listener's port to be imported, with that port only? */
  readonly matchesPort: boolean
  readonly imports: ImportsByNamespace
  readonly isExactOnly: boolean
  /** `spec.egress[0]`; empty for the default. */
  readonly field: string
}

/**
 * The Sidecar that applies to a workload: of its namespace one that selects it, else one without a selector, else the root
 * namespace's without a selector; each time the oldest, and never two merged. An empty selector selects everything but counts as one.
 * istio: model/push_context.go initSidecarScopes, doGetSidecarScope.
 */
export function sidecarFor(snapshot: MeshSnapshot, workload: Client): KubeObject | undefined {
  const own = inOrder(snapshot.inNamespace(KINDS.sidecar, workload.namespace)).find((sidecar) => {
    const selector = block(asObject(sidecar.spec).workloadSelector)
    return selector === undefined || matchesLabels(selector.labels, workload.labels)
  })
  if (own !== undefined) return own
  const { rootNamespace } = meshConfigOf(snapshot)
  return inOrder(snapshot.inNamespace(KINDS.sidecar, rootNamespace)).find((sidecar) => !hasSelector(sidecar))
}

/** What a workload is given. */
export function scopeFor(snapshot: MeshSnapshot, workload: Client): Scope {
  return scopeOf(workload.namespace, sidecarFor(snapshot, workload))
}

/** What a Sidecar gives the proxies of a namespace. Without one, or without egress, they see every host of every namespace. */
export function scopeOf(namespace: string, sidecar: KubeObject | undefined): Scope {
  if (sidecar === undefined) return { namespace, sidecar, listeners: EVERYTHING }
  const scopes = scopesOf(sidecar)
  const known = scopes.get(namespace)
  if (known !== undefined) return known
  const egress = asList(asObject(sidecar.spec).egress)
  const listeners = egress.map((entry, index) => listenerOf(asObject(entry), namespace, `spec.egress[${index}]`))
  const scope = { namespace, sidecar, listeners: listeners.length === 0 ? EVERYTHING : listeners }
  scopes.set(namespace, scope)
  return scope
}

/** What happens to traffic for hosts that the registry does not have, with the field that decides. */
export function outboundPolicyOf(snapshot: MeshSnapshot, scope: Scope): OutboundTrafficPolicy {
  const own = block(asObject(scope.sidecar?.spec).outboundTrafficPolicy)
  if (own === undefined) return meshConfigOf(snapshot).outboundTrafficPolicy
  // the enum's first value: what `outboundTrafficPolicy: {}` means
  return wordIn(POLICIES, own.mode) ?? 'REGISTRY_ONLY'
}

/** The listener that serves a port; undefined where no listener takes it. istio: GetEgressListenerForRDS. */
export function listenerForPort(scope: Scope, port: number): EgressListener | undefined {
  return scope.listeners.find((listener) => listener.port === undefined || listener.port === port)
}

function listenerOf(entry: JsonObject, namespace: string, field: string): EgressListener {
  const own = block(entry.port)
  const port = own === undefined ? undefined : (number(own.number) ?? 0)
  const protocol = parseProtocol(text(own?.protocol))
  const imports = parseImports(texts(entry.hosts), namespace)
  return {
    port,
    protocol,
    matchesPort: port !== undefined && port !== 0 && protocol !== 'http_proxy',
    imports,
    isExactOnly: isExactOnly(imports),
    field,
  }
}

/** Those with a selector first, each kind by age. */
const inOrder: (sidecars: readonly KubeObject[]) => readonly KubeObject[] = memo((sidecars) => {
  const sorted = byAge(sidecars)
  return [...sorted.filter(hasSelector), ...sorted.filter((sidecar) => !hasSelector(sidecar))]
})

function hasSelector(sidecar: KubeObject): boolean {
  return block(asObject(sidecar.spec).workloadSelector) !== undefined
}

/** The scopes that a Sidecar made so far; one of the root namespace makes one for each namespace. */
const scopesOf = memo((_sidecar: KubeObject): Map<string, Scope> => new Map())

const POLICIES: Readonly<Record<string, OutboundTrafficPolicy>> = {
  ALLOW_ANY: 'ALLOW_ANY',
  REGISTRY_ONLY: 'REGISTRY_ONLY',
}
const EVERYTHING: readonly EgressListener[] = [
  {
    port: undefined,
    protocol: 'unsupported',
    matchesPort: false,
    imports: parseImports(['*/*'], ''),
    isExactOnly: false,
    field: '',
  },
]
