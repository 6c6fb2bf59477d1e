import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { actionOf, authorizationFor } from './authorization.ts'
import { membersOf, nodeKey, nodeOf, type CallNode } from './call-node.ts'
import { declaredCalls, namedCallers } from './declared-calls.ts'
import { workloadsOf } from './endpoints.ts'
import { blocks, number, text, texts } from './fields.ts'
import { isWildcard, resolveHost } from './hosts.ts'
import {
  authorizationPoliciesByCaller,
  callersByHost,
  sidecarsByHost,
  virtualServicesByHost,
  virtualServicesBySource,
} from './indexes.ts'
import { servicesInFrontOf } from './inbound.ts'
import { servicesWithHost } from './registry.ts'
import { selectedWorkloads, selectionOf } from './selection.ts'
import { sidecarFor } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { workloadOf, workloadsIn, type Workload } from './workloads.ts'

/** That a workload calls a host, and what says so. */
export interface KnownCall {
  readonly host: string
  /** Undefined: any port of the host. */
  readonly port: number | undefined
  readonly object: KubeObject
  /** `metadata.annotations[meshward.io/calls]`, `spec.egress[0].hosts[1]`. */
  readonly field: string
}

/**
 * The calls that a workload is known to make: declared by annotation, imported one by one in a Sidecar, routed for it by a condition on
 * the source, or permitted to its account by name. What is merely possible is not among them.
 */
export function knownCalls(snapshot: MeshSnapshot, workload: Workload): readonly KnownCall[] {
  const calls = new Map<string, KnownCall>()
  for (const source of [annotatedCalls, importedCalls, routedCalls, permittedCalls]) {
    for (const call of source(snapshot, workload)) {
      const key = `${call.host}:${call.port ?? ''}`
      if (!calls.has(key)) calls.set(key, call)
    }
  }
  return [...calls.values()]
}

/** The nodes whose workloads are known to call a host. */
export function knownCallers(snapshot: MeshSnapshot, host: string): readonly CallNode[] {
  const nodes = new Map<string, CallNode>()
  for (const workload of possibleCallers(snapshot, host)) {
    const node = nodeOf(workload)
    const key = nodeKey(node)
    if (nodes.has(key)) continue
    if (membersOf(snapshot, node).some((member) => knownCalls(snapshot, member).some((call) => call.host === host))) {
      nodes.set(key, node)
    }
  }
  return [...nodes.values()]
}

/** Everything that some index brings together with the host. */
function* possibleCallers(snapshot: MeshSnapshot, host: string): Generator<Workload> {
  for (const index of callersByHost) {
    for (const object of snapshot.find(index, host)) {
      const own = workloadOf(object)
      yield* own === undefined ? selectedWorkloads(snapshot, object) : [own]
    }
  }
  for (const sidecar of snapshot.find(sidecarsByHost, host)) yield* selectedWorkloads(snapshot, sidecar)
  for (const virtualService of snapshot.find(virtualServicesByHost, host)) {
    for (const { namespace } of sourceConditions(virtualService)) {
      yield* workloadsIn(snapshot, namespace ?? namespaceOf(virtualService))
    }
  }
  for (const service of servicesWithHost(snapshot, host)) {
    for (const workload of workloadsOf(snapshot, service)) {
      for (const policy of authorizationFor(snapshot, workload).ALLOW) {
        for (const { namespace, account } of namedCallers(policy)) {
          yield* workloadsIn(snapshot, namespace).filter(({ serviceAccount }) => serviceAccount === account)
        }
      }
    }
  }
}

function annotatedCalls(snapshot: MeshSnapshot, workload: Workload): readonly KnownCall[] {
  const objects = [workload.object, ...servicesInFrontOf(snapshot, workload).map(({ object }) => object)]
  return objects.flatMap((object) =>
    declaredCalls(object).map((call) => ({ ...call, object, field: 'metadata.annotations[meshward.io/calls]' })),
  )
}

function importedCalls(snapshot: MeshSnapshot, workload: Workload): readonly KnownCall[] {
  const sidecar = sidecarFor(snapshot, workload)
  if (sidecar === undefined) return []
  return asList(asObject(sidecar.spec).egress).flatMap((item, index) => {
    const egress = asObject(item)
    return texts(egress.hosts).flatMap((entry, at): readonly KnownCall[] => {
      const host = entry.slice(entry.indexOf('/') + 1).toLowerCase()
      if (entry.startsWith('~') || isWildcard(host)) return []
      const port = number(asObject(egress.port).number)
      return [{ host, port, object: sidecar, field: `spec.egress[${index}].hosts[${at}]` }]
    })
  })
}

function routedCalls(snapshot: MeshSnapshot, workload: Workload): readonly KnownCall[] {
  const keys = Object.entries(workload.labels).map(([key, value]) => `label:${key}=${value}`)
  const found = new Set<KubeObject>()
  for (const key of [`namespace:${workload.namespace}`, ...keys]) {
    for (const object of snapshot.find(virtualServicesBySource, key)) found.add(object)
  }
  return [...found].flatMap((object) => {
    const condition = sourceConditions(object).find(
      ({ namespace, labels }) =>
        (namespace === undefined || namespace === workload.namespace) && matchesLabels(labels, workload.labels),
    )
    if (condition === undefined) return []
    const hosts = texts(asObject(object.spec).hosts).map((host) => resolveHost(host, namespaceOf(object)))
    return hosts
      .filter((host) => !isWildcard(host))
      .map((host) => ({ host, port: undefined, object, field: condition.field }))
  })
}

function permittedCalls(snapshot: MeshSnapshot, workload: Workload): readonly KnownCall[] {
  const key = `${workload.namespace}/${workload.serviceAccount}`
  return snapshot.find(authorizationPoliciesByCaller, key).flatMap((object) => {
    const selection = selectionOf(snapshot, object)
    const isForEverything = selection?.reach === 'mesh' && Object.keys(selection.labels).length === 0
    // who may call everything is not known to call anything
    if (actionOf(object) !== 'ALLOW' || isForEverything) return []
    const caller = namedCallers(object).find(
      ({ namespace, account }) => namespace === workload.namespace && account === workload.serviceAccount,
    )
    const hosts = new Set(
      selectedWorkloads(snapshot, object)
        .filter((target) => nodeKey(nodeOf(target)) !== nodeKey(nodeOf(workload)))
        .flatMap((target) => servicesInFrontOf(snapshot, target).map(({ host }) => host)),
    )
    return [...hosts].map((host) => ({ host, port: undefined, object, field: caller?.field ?? 'spec.rules' }))
  })
}

interface SourceCondition {
  readonly namespace: string | undefined
  readonly labels: JsonObject
  readonly field: string
}

/** The conditions of a VirtualService that ask who is calling. */
function sourceConditions(virtualService: KubeObject): readonly SourceCondition[] {
  return asList(asObject(virtualService.spec).http).flatMap((entry, index) =>
    blocks(asObject(entry).match).flatMap((match, at): readonly SourceCondition[] => {
      const namespace = text(match.sourceNamespace) || undefined
      const labels = asObject(match.sourceLabels)
      if (namespace === undefined && Object.keys(labels).length === 0) return []
      return [{ namespace, labels, field: `spec.http[${index}].match[${at}]` }]
    }),
  )
}
