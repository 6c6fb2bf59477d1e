import { asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf } from '../kube/object.ts'
import { ambientFacts } from '../mesh/ambient-facts.ts'
import { sidecarFacts, type SidecarFacts } from '../mesh/facts.ts'
import { gatewayFacts } from '../mesh/gateway-facts.ts'
import { servicesInFrontOf } from '../mesh/inbound.ts'
import { memo } from '../mesh/memo.ts'
import type { Request } from '../mesh/request.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import { allWorkloads, workloadsIn, type Workload } from '../mesh/workloads.ts'
import { ambientDecidersOf, decidersOf, type Deciders } from './deciders.ts'

/** What a mesh really does: in the vocabulary of docs/conformance.md sidecars, gateways and ambient together. */
export interface Inspection {
  /** Worked out when they are asked for, workload by workload. */
  readonly sidecars: SidecarFacts
  readonly others: JsonObject
  /**
   * What decides about a workload: under a port (`other` for those that nothing names) the object and field of its mTLS mode, under
   * `port request` the rule of the verdict.
   */
  readonly decidersOf: (workload: Workload) => Deciders
  /** The same for what is captured by ambient, by `namespace/name`. */
  readonly ambientDecidersOf: (name: string) => Deciders
}

/** What of a mesh is asked for. */
export interface InspectionQuery {
  readonly requests: readonly Request[]
  /** How hosts are told that a workload does not see. */
  readonly hidden: 'null' | 'left-out'
  /** The only workloads to tell of, by `namespace/name`; undefined: all. */
  readonly workloads: ReadonlySet<string> | undefined
  /** The only `host:port` to tell of; undefined: all. */
  readonly isTarget: ((target: string) => boolean) | undefined
}

/** Everything there is to know about a mesh, as far as it is asked for. */
export function inspectMesh(snapshot: MeshSnapshot, query: InspectionQuery): Inspection {
  const { requests, workloads } = query
  const others = { ...gatewayFacts(snapshot), ...ambientFacts(snapshot, requests) }
  return {
    sidecars: narrowSidecars(sidecarFacts(snapshot, requests, query.hidden), query),
    others: workloads === undefined ? others : narrowOthers(others, workloads),
    decidersOf: (workload) => decidersOf(snapshot, workload, requests),
    ambientDecidersOf: (name) => {
      const [namespace = ''] = name.split('/')
      const workload = workloadsIn(snapshot, namespace).find((candidate) => workloadName(candidate) === name)
      return workload === undefined ? new Map() : ambientDecidersOf(snapshot, workload, requests)
    },
  }
}

function narrowSidecars(facts: SidecarFacts, { workloads, isTarget }: InspectionQuery): SidecarFacts {
  const isWanted = (workload: Workload): boolean => workloads?.has(workloadName(workload)) ?? true
  const narrowed = memo((fact: JsonObject) => pick(fact, isTarget ?? (() => true)))
  const aboutTargets =
    (column: 'outbound' | 'routes' | 'otherRoutes') =>
    (workload: Workload): Json | undefined => {
      const fact = facts.columns[column](workload)
      return isTarget === undefined || !isObject(fact) ? fact : narrowed(fact)
    }
  return {
    ...facts,
    workloads: facts.workloads.filter(isWanted),
    columns: {
      ...facts.columns,
      outbound: aboutTargets('outbound'),
      routes: aboutTargets('routes'),
      otherRoutes: aboutTargets('otherRoutes'),
    },
  }
}

/** Of what is told by workload that of some; what is about no workload in particular does not belong to the story of one. */
function narrowOthers(facts: JsonObject, workloads: ReadonlySet<string>): JsonObject {
  const { gateways, pods, services, serviceWaypoints } = facts
  const isWanted = (name: string): boolean => workloads.has(name)
  return { services, serviceWaypoints, gateways: pick(gateways, isWanted), pods: pick(pods, isWanted) }
}

/** The workloads that a person calls by `namespace/name`: a pod, what its pods are made of, or a Service in front of them. */
export function workloadsCalled(snapshot: MeshSnapshot, asked: string): ReadonlySet<string> {
  const [namespace = '', name = ''] = asked.split('/')
  const found = allWorkloads(snapshot).filter((workload) => {
    if (workload.namespace !== namespace) return false
    if (workload.name === name || nameOf(workload.object) === name) return true
    const isReplica = workload.form === 'pod' && isMadeBy(workload.name, name)
    return isReplica || servicesInFrontOf(snapshot, workload).some(({ object }) => nameOf(object) === name)
  })
  return new Set(found.map(workloadName))
}

/** Kubernetes names pods after their Deployment (`name-hash-hash`), StatefulSet (`name-0`) or DaemonSet (`name-hash`). */
function isMadeBy(pod: string, name: string): boolean {
  return pod.startsWith(`${name}-`) && /^(?:[a-z0-9]{1,10}-)?[a-z0-9]{1,5}$/.test(pod.slice(name.length + 1))
}

function workloadName({ namespace, name }: Workload): string {
  return `${namespace}/${name}`
}

function pick(value: Json | undefined, isWanted: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(asObject(value)).filter(([key]) => isWanted(key)))
}
