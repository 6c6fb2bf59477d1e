import { labelValue } from '../kube/object.ts'
import { concreteHost } from './aliases.ts'
import { workloadsOf } from './endpoints.ts'
import { servicesWithHost } from './registry.ts'
import { memo, memoByKey } from './memo.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { workloadsIn, type Workload } from './workloads.ts'

/** A place in the call graph: workloads of one application, a gateway, or a host outside of the mesh's workloads. */
export interface CallNode {
  readonly kind: 'workloads' | 'gateway' | 'outside'
  readonly namespace: string
  /** The application's or the gateway's name; the host of what is outside. */
  readonly name: string
}

/** One text for a node. */
export function nodeKey({ kind, namespace, name }: CallNode): string {
  return `${kind} ${namespace}/${name}`
}

/** The application that a workload belongs to. istio: Canonical Service, kube/labels.CanonicalService. */
export function nodeOf(workload: Workload): CallNode {
  return { kind: 'workloads', namespace: workload.namespace, name: applicationOf(workload) }
}

/** The different workloads of a node: those with the same labels and account behave the same. At most twenty of them. */
export function membersOf(snapshot: MeshSnapshot, node: CallNode): readonly Workload[] {
  if (node.kind !== 'workloads') return []
  return membersByApplication(workloadsIn(snapshot, node.namespace)).get(node.name) ?? []
}

const membersByApplication: (workloads: readonly Workload[]) => ReadonlyMap<string, readonly Workload[]> = memo(
  (workloads) => {
    const seen = new Set<string>()
    const members = new Map<string, Workload[]>()
    for (const workload of workloads) {
      const labels = Object.entries(workload.labels).filter(([key]) => !GENERATED_LABELS.has(key))
      const key = JSON.stringify([applicationOf(workload), workload.serviceAccount, labels])
      const known = members.get(applicationOf(workload)) ?? []
      if (seen.has(key) || known.length >= MOST_MEMBERS) continue
      seen.add(key)
      members.set(applicationOf(workload), [...known, workload])
    }
    return members
  },
)

/** What stands behind a host: the applications that its services select, or the host itself. */
export function nodesBehind(snapshot: MeshSnapshot, host: string): readonly CallNode[] {
  return nodesByHost(snapshot)(host)
}

const nodesByHost = memo((snapshot: MeshSnapshot) => memoByKey(String, (host: string) => findNodes(snapshot, host)))

function findNodes(snapshot: MeshSnapshot, host: string): readonly CallNode[] {
  const nodes = new Map<string, CallNode>()
  const concrete = concreteHost(snapshot, host) ?? host
  for (const service of servicesWithHost(snapshot, concrete)) {
    for (const workload of workloadsOf(snapshot, service)) {
      const node = nodeOf(workload)
      nodes.set(nodeKey(node), node)
    }
  }
  return nodes.size > 0 ? [...nodes.values()] : [{ kind: 'outside', namespace: '', name: concrete }]
}

function applicationOf(workload: Workload): string {
  for (const label of APPLICATION_LABELS) {
    const value = labelValue(workload.labels, label)
    if (value !== undefined && value !== '') return value
  }
  return workload.name
}

const APPLICATION_LABELS = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'] as const
const GENERATED_LABELS: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'rollouts-pod-template-hash',
  'controller-revision-hash',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/controller-uid',
  'controller-uid',
])
// versions of one application; more than these don't make the graph any different
const MOST_MEMBERS = 20
