import { formatDuration } from '../../../kube/duration.ts'
import type { JsonObject } from '../../../kube/json.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { timeoutInversions, worstPathThrough, type CallPath } from '../../../mesh/amplification.ts'
import { callsBy, callsTo, factorOf, retryBoundOf, type CallEdge } from '../../../mesh/call-graph.ts'
import { nodeKey, nodesBehind, type CallNode } from '../../../mesh/call-node.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { destinationReferences } from '../../../mesh/references.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { mayName, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

/** Paths of calls through a VirtualService that make more than `params.maxRequests` requests of one. */
export const retryAmplification: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const limit = typeof params.maxRequests === 'number' ? params.maxRequests : 16
  const found = new Map<string, MeshFinding>()
  const worst = new Map<string, number>()
  for (const node of nodesOf(mesh, object)) {
    const routed = callsBy(mesh, object, node).filter((edge) => factorOf(edge) > 1)
    for (const [place, by] of Map.groupBy(routed, ({ route }) => route?.field ?? '')) {
      const path = worstPathThrough(mesh, node, { by })
      const own = path.edges.find((edge) => by.includes(edge))
      const field = `${place}.retries.attempts`
      const isWorse = path.requests > Math.max(limit, worst.get(field) ?? 0)
      if (own === undefined || !isWorse) continue
      worst.set(field, path.requests)
      found.set(field, amplification(context, mesh, { field, own, path, limit, params }))
    }
  }
  return [...found.values()]
}

interface Amplification {
  readonly field: string
  readonly own: CallEdge
  readonly path: CallPath
  readonly limit: number
  readonly params: JsonObject
}

function amplification(
  context: MeshContext,
  mesh: MeshSnapshot,
  { field, own, path, limit, params }: Amplification,
): MeshFinding {
  const others = path.edges.filter((edge) => edge.route !== undefined && edge !== own && factorOf(edge) > 1)
  const bounds = path.edges.flatMap((edge) => {
    const bound = factorOf(edge) > 1 ? retryBoundOf(mesh, edge) : undefined
    return bound === undefined ? [] : [`${bound} bounds the retries to ${shownNode(context, edge.to, params)}`]
  })
  const start = path.edges[0]?.from
  const hops = path.edges.map((edge) => `${shownNode(context, edge.to, params)}${shownFactor(edge)}`)
  const shown = [...(start === undefined ? [] : [shownNode(context, start, params)]), ...hops].join(' → ')
  const notes = bounds.length === 0 ? '' : ` (${bounds.join(', ')})`
  return {
    field,
    message: `attempts ${own.tries - 1} makes ${shown} = ${path.requests} requests for one, above ${limit}: a failure at the end becomes an overload${notes}`,
    remediation: 'lower attempts here, or remove retries from all but one hop of this path',
    related: others.map(({ route }) =>
      relatedTo(context, refOf(route?.object ?? own.evidence.object), params, `${route?.field}.retries`),
    ),
  }
}

/** `×3`; Istio's own retries on connection failure are shown and not counted. */
function shownFactor(edge: CallEdge): string {
  if (edge.isConnectLevel && edge.tries > 1) return ` (×1, ${edge.tries - 1} on connection failure)`
  return ` ×${factorOf(edge)}`
}

function shownNode(context: MeshContext, { kind, namespace, name }: CallNode, params: JsonObject): string {
  if (kind === 'outside') return name
  return mayName(context, { kind: 'Pod', namespace, name }, params) ? name : '(another namespace)'
}

/** Calls whose callee may take longer than the caller of its caller waits, through a VirtualService. */
export const timeoutInversion: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const found = new Map<string, MeshFinding>()
  const called = nodesOf(mesh, object)
  for (const node of distinct([...called, ...callersOf(mesh, called, object)])) {
    for (const { outer, inner } of timeoutInversions(mesh, node)) {
      const own = [inner, outer].find((edge) => isRouteOf(edge, object))
      if (own?.route === undefined) continue
      const other = own === inner ? outer : inner
      const field = `${own.route.field}.timeout`
      const patience = outer.retries?.perTryTimeout ?? outer.timeout ?? 0n
      const [from, middle, to] = [outer.from, outer.to, inner.to].map((each) => shownNode(context, each, params))
      found.set(field, {
        field,
        message: `${middle} may wait ${formatDuration(inner.timeout ?? 0n)} for ${to}, but ${from} gives up on ${middle} after ${formatDuration(patience)}: the work goes on for nobody`,
        remediation: `make the inner timeout shorter than ${formatDuration(patience)}, or the outer one longer`,
        related:
          other.route === undefined
            ? []
            : [relatedTo(context, refOf(other.route.object), params, `${other.route.field}.timeout`)],
      })
    }
  }
  return [...found.values()]
}

/** The applications that a VirtualService sends requests to. */
function nodesOf(mesh: MeshSnapshot, object: KubeObject): readonly CallNode[] {
  const nodes = new Map<string, CallNode>()
  for (const { host, isMirror } of destinationReferences(object)) {
    if (isMirror) continue
    for (const node of nodesBehind(mesh, host)) nodes.set(nodeKey(node), node)
    if (nodes.size >= MOST_NODES) break
  }
  return [...nodes.values()].slice(0, MOST_NODES)
}

function distinct(nodes: readonly CallNode[]): readonly CallNode[] {
  return [...new Map(nodes.map((node) => [nodeKey(node), node])).values()]
}

/** An object may name thousands of hosts; what lies beyond these is judged with the routes that lead there. */
const MOST_NODES = 50

/** The applications that make the calls of the routes, since they are called themselves. */
function callersOf(mesh: MeshSnapshot, called: readonly CallNode[], object: KubeObject): readonly CallNode[] {
  return called.flatMap((node) =>
    callsTo(mesh, node)
      .filter((edge) => isRouteOf(edge, object))
      .map(({ from }) => from),
  )
}

function isRouteOf({ route }: CallEdge, object: KubeObject): boolean {
  return route !== undefined && isSameObject(route.object, object)
}
