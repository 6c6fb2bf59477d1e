import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { actionOf, authorizationFor } from './authorization.ts'
import { membersOf, nodeKey, nodeOf } from './call-node.ts'
import { declaredCalls, namedCallers } from './declared-calls.ts'
import { workloadsOf } from './endpoints.ts'
import { blocks, number, text, texts } from './fields.ts'
import { coveringPatterns, hostOfEntry, isWildcard, resolveHost } from './hosts.ts'
import {
  authorizationPoliciesByCaller,
  callersByHost,
  SOURCE_LABELS,
  sidecarsByHost,
  virtualServicesByHost,
  virtualServicesBySource,
} from './indexes.ts'
import { servicesInFrontOf } from './inbound.ts'
import { memo, memoByKey } from './memo.ts'
import { servicesWithHost } from './registry.ts'
import { selectedWorkloads, selectionOf } from './selection.ts'
import { sidecarFor } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { workloadOf, workloadsIn, type Workload } from './workloads.ts'

/** That a workload calls a host, and what says so. */
export interface KnownCall {
  readonly caller: Workload
  readonly host: string
  /** Undefined: any port of the host. */
  readonly port: number | undefined
  readonly object: KubeObject
  /** `metadata.annotations[meshward.io/calls]`, `spec.egress[0].hosts[1]`. */
  readonly field: string
}

/**
 * The calls that a workload is known to make: declared by annotation, imported one by one in a Sidecar, routed for it by a
 * condition on the source, or permitted to its account by name. What is merely possible is not among them.
 */
export function knownCalls(snapshot: MeshSnapshot, caller: Workload): readonly KnownCall[] {
  const front = servicesInFrontOf(snapshot, caller).map(({ object }) => object)
  const sidecar = sidecarFor(snapshot, caller)
  const labels = Object.entries(caller.labels).map(([key, value]) => `label:${key}=${value}`)
  const routers = [`namespace:${caller.namespace}`, ...labels].flatMap((key) =>
    snapshot.find(virtualServicesBySource, key),
  )
  const account = `${caller.namespace}/${caller.serviceAccount}`
  return distinct(snapshot, [
    ...[caller.object, ...front].flatMap((object) => annotatedCalls(caller, object)),
    ...(sidecar === undefined ? [] : importedCalls(caller, sidecar)),
    ...[...new Set(routers)].flatMap((object) => routedCalls(caller, object)),
    ...snapshot
      .find(authorizationPoliciesByCaller, account)
      .flatMap((policy) => permittedCalls(snapshot, caller, policy)),
  ])
}

/** The calls to a host that `knownCalls` would find, of workloads of every kind and label. */
export function knownCallsTo(snapshot: MeshSnapshot, host: string): readonly KnownCall[] {
  const toHost = (calls: readonly KnownCall[]): readonly KnownCall[] => calls.filter((call) => call.host === host)
  const annotated = callersByHost
    .flatMap((index) => snapshot.find(index, host))
    .flatMap((object) =>
      callersDeclaredOn(snapshot, object).flatMap((caller) => toHost(annotatedCalls(caller, object))),
    )
  const imported = snapshot.find(sidecarsByHost, host).flatMap((sidecar) =>
    selectedWorkloads(snapshot, sidecar)
      .filter((caller) => sidecarFor(snapshot, caller) === sidecar)
      .flatMap((caller) => toHost(importedCalls(caller, sidecar))),
  )
  const routed = snapshot.find(virtualServicesByHost, host).flatMap((object) =>
    sourceConditions(object)
      .flatMap(({ namespace }) => workloadsIn(snapshot, namespace ?? namespaceOf(object)))
      .flatMap((caller) => toHost(routedCalls(caller, object))),
  )
  return distinct(snapshot, [...annotated, ...imported, ...routed, ...permittedCallsTo(snapshot, host)])
}

function callersDeclaredOn(snapshot: MeshSnapshot, object: KubeObject): readonly Workload[] {
  const own = workloadOf(object)
  return own === undefined ? selectedWorkloads(snapshot, object) : [own]
}

function annotatedCalls(caller: Workload, object: KubeObject): readonly KnownCall[] {
  const field = 'metadata.annotations[meshward.io/calls]'
  return declaredCalls(object).map(({ host, port }) => ({ caller, host, port, object, field }))
}

function importedCalls(caller: Workload, sidecar: KubeObject): readonly KnownCall[] {
  return asList(asObject(sidecar.spec).egress).flatMap((item, index) => {
    const egress = asObject(item)
    return texts(egress.hosts).flatMap((entry, at): readonly KnownCall[] => {
      const host = hostOfEntry(entry).toLowerCase()
      if (entry.startsWith('~') || isWildcard(host)) return []
      const port = number(asObject(egress.port).number)
      return [{ caller, host, port, object: sidecar, field: `spec.egress[${index}].hosts[${at}]` }]
    })
  })
}

function routedCalls(caller: Workload, object: KubeObject): readonly KnownCall[] {
  const condition = sourceConditions(object).find(
    ({ namespace, labels }) =>
      (namespace === undefined || namespace === caller.namespace) && matchesLabels(labels, caller.labels),
  )
  if (condition === undefined) return []
  const hosts = texts(asObject(object.spec).hosts).map((host) => resolveHost(host, namespaceOf(object)))
  const { field } = condition
  return hosts.filter((host) => !isWildcard(host)).map((host) => ({ caller, host, port: undefined, object, field }))
}

function permittedCalls(snapshot: MeshSnapshot, caller: Workload, policy: KubeObject): readonly KnownCall[] {
  const named = namedCallers(policy).find(
    ({ namespace, account }) => namespace === caller.namespace && account === caller.serviceAccount,
  )
  if (named === undefined || !namesTargets(snapshot, policy)) return []
  const hosts = new Set(
    selectedWorkloads(snapshot, policy)
      .filter((target) => nodeKey(nodeOf(target)) !== nodeKey(nodeOf(caller)))
      .flatMap((target) => servicesInFrontOf(snapshot, target).map(({ host }) => host)),
  )
  return [...hosts].map((host) => ({ caller, host, port: undefined, object: policy, field: named.field }))
}

function permittedCallsTo(snapshot: MeshSnapshot, host: string): readonly KnownCall[] {
  const targets = servicesWithHost(snapshot, host).flatMap((service) => workloadsOf(snapshot, service))
  const policies = new Set(targets.flatMap((target) => authorizationFor(snapshot, target).ALLOW))
  return [...policies]
    .filter((policy) => namesTargets(snapshot, policy))
    .flatMap((policy) =>
      namedCallers(policy).flatMap(({ namespace, account, field }) =>
        workloadsIn(snapshot, namespace)
          .filter(({ serviceAccount }) => serviceAccount === account)
          .map((caller) => ({ caller, host, port: undefined, object: policy, field })),
      ),
    )
}

/** Is the policy about some workloads? Who may call everything is not known to call anything. */
function namesTargets(snapshot: MeshSnapshot, policy: KubeObject): boolean {
  const selection = selectionOf(snapshot, policy)
  const isForEverything = selection?.reach === 'mesh' && Object.keys(selection.labels).length === 0
  return actionOf(policy) === 'ALLOW' && !isForEverything
}

interface SourceCondition {
  readonly namespace: string | undefined
  readonly labels: JsonObject
  readonly field: string
}

/** The conditions of a VirtualService that ask who is calling. */
const sourceConditions: (virtualService: KubeObject) => readonly SourceCondition[] = memo((virtualService) =>
  asList(asObject(virtualService.spec).http).flatMap((entry, index) =>
    blocks(asObject(entry).match).flatMap((match, at): readonly SourceCondition[] => {
      const namespace = text(match.sourceNamespace) || undefined
      const labels = asObject(match.sourceLabels)
      if (namespace === undefined && Object.keys(labels).length === 0) return []
      return [{ namespace, labels, field: `spec.http[${index}].match[${at}]` }]
    }),
  ),
)

/** One call for each kind of caller, host and port. */
function distinct(snapshot: MeshSnapshot, calls: readonly KnownCall[]): readonly KnownCall[] {
  const asksLabels = memoByKey(
    (host: string) => host,
    (host) => asksForLabels(snapshot, host),
  )
  const found = new Map<string, KnownCall>()
  for (const call of calls) {
    const { caller, host } = call
    if (!membersOf(snapshot, nodeOf(caller)).includes(caller)) continue
    const sidecar = sidecarFor(snapshot, caller)
    // workloads of one application with one Sidecar are routed alike, unless a VirtualService asks for labels
    const alike = asksLabels(host) ? caller.name : nameOf(sidecar)
    const key = `${nodeKey(nodeOf(caller))} ${alike} ${host}:${call.port ?? ''}`
    if (!found.has(key)) found.set(key, call)
  }
  return [...found.values()]
}

/** Does any VirtualService for a host ask for labels of the caller? */
function asksForLabels(snapshot: MeshSnapshot, host: string): boolean {
  if (!snapshot.has(virtualServicesBySource, SOURCE_LABELS)) return false
  for (const pattern of coveringPatterns(host)) {
    const conditions = snapshot.find(virtualServicesByHost, pattern).flatMap((object) => sourceConditions(object))
    if (conditions.some(({ labels }) => Object.keys(labels).length > 0)) return true
  }
  return false
}
