import { asObject, type Json, type JsonObject } from '../kube/json.ts'
import { labelsOf, labelValue, namespaceOf, type KubeObject } from '../kube/object.ts'
import { textMap } from './fields.ts'
import { podsByLabel } from './indexes.ts'
import { KINDS, kindNameOf, type KindName } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { namespacesWithWorkloads, WORKLOAD_KINDS, workloadOf, workloadsIn, type Workload } from './workloads.ts'

/** Which workloads an object is for: those with all the labels, which may be none, in its namespace or in all. */
export interface Selection {
  readonly labels: Readonly<Record<string, string>>
  readonly reach: 'namespace' | 'mesh' | 'nothing'
}

/**
 * The workloads that an object of Istio selects, each kind in its own shape; undefined for a kind that selects none. A policy of
 * the root namespace is for the whole mesh, except a PeerAuthentication with a selector, which is for nothing.
 */
export function selectionOf(snapshot: MeshSnapshot, object: KubeObject): Selection | undefined {
  const shape = SHAPES[kindNameOf(object)]
  if (shape === undefined) return undefined
  const spec = asObject(object.spec)
  const labels = textMap(shape.labels(asObject(spec[shape.field])))
  const isRoot = namespaceOf(object) === meshConfigOf(snapshot).rootNamespace
  if (!isRoot || !shape.isMeshWideInRoot) return { labels, reach: 'namespace' }
  const isIgnored = kindNameOf(object) === KINDS.peerAuthentication && Object.keys(labels).length > 0
  return { labels, reach: isIgnored ? 'nothing' : 'mesh' }
}

/** The workloads that an object selects, by namespace and name. */
export function selectedWorkloads(snapshot: MeshSnapshot, object: KubeObject): readonly Workload[] {
  return [...eachSelectedWorkload(snapshot, object)]
}

/** `selectedWorkloads` one by one, for a caller that may not need them all, or only some of those in a namespace. */
export function* eachSelectedWorkload(
  snapshot: MeshSnapshot,
  object: KubeObject,
  candidatesIn: typeof workloadsIn = workloadsIn,
): Generator<Workload> {
  const selection = selectionOf(snapshot, object)
  if (selection === undefined || selection.reach === 'nothing') return
  const wanted = Object.entries(selection.labels)
  const namespaces =
    selection.reach === 'namespace' ? [namespaceOf(object)] : namespacesWithLabels(snapshot, selection.labels)
  for (const namespace of namespaces) {
    for (const workload of candidatesIn(snapshot, namespace)) {
      if (wanted.every(([key, value]) => labelValue(workload.labels, key) === value)) yield workload
    }
  }
}

/** The namespaces where something may have the labels. */
export function namespacesWithLabels(
  snapshot: MeshSnapshot,
  labels: Readonly<Record<string, string>>,
): readonly string[] {
  const namespaces = new Set<string>()
  const wanted = Object.entries(labels)
  const [rarest] = wanted
    .map(([key, value]) => snapshot.namespacesOf(podsByLabel, `${key}=${value}`))
    .sort((a, b) => a.length - b.length)
  if (rarest === undefined) return namespacesWithWorkloads(snapshot)
  for (const namespace of rarest) namespaces.add(namespace)
  for (const kind of WORKLOAD_KINDS) {
    if (kind === KINDS.pod) continue
    for (const object of snapshot.all(kind)) {
      const own = workloadOf(object)?.labels ?? labelsOf(object)
      if (wanted.every(([key, value]) => labelValue(own, key) === value)) namespaces.add(namespaceOf(object))
    }
  }
  return [...namespaces].sort()
}

interface Shape {
  readonly field: 'selector' | 'workloadSelector'
  readonly labels: (selector: JsonObject) => Json | undefined
  readonly isMeshWideInRoot: boolean
}

const matchLabels = (selector: JsonObject): Json | undefined => selector.matchLabels
const labels = (selector: JsonObject): Json | undefined => selector.labels
const POLICY: Shape = { field: 'selector', labels: matchLabels, isMeshWideInRoot: true }
const SHAPES: Readonly<Record<KindName, Shape>> = {
  [KINDS.peerAuthentication]: POLICY,
  [KINDS.authorizationPolicy]: POLICY,
  [KINDS.requestAuthentication]: POLICY,
  [KINDS.telemetry]: POLICY,
  [KINDS.wasmPlugin]: POLICY,
  [KINDS.proxyConfig]: POLICY,
  [KINDS.envoyFilter]: { field: 'workloadSelector', labels, isMeshWideInRoot: true },
  [KINDS.sidecar]: { field: 'workloadSelector', labels, isMeshWideInRoot: false },
  [KINDS.serviceEntry]: { field: 'workloadSelector', labels, isMeshWideInRoot: false },
  [KINDS.destinationRule]: { field: 'workloadSelector', labels: matchLabels, isMeshWideInRoot: false },
  [KINDS.service]: { field: 'selector', labels: (selector) => selector, isMeshWideInRoot: false },
}
