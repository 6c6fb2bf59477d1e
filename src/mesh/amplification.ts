import type { Duration } from '../kube/duration.ts'
import { callsFrom, callsTo, factorOf, type CallEdge } from './call-graph.ts'
import { nodeKey, type CallNode } from './call-node.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A chain of calls, and how many requests its end may see for one at its start. */
export interface CallPath {
  readonly edges: readonly CallEdge[]
  readonly requests: number
  /** Was the graph too large to look at all of it? There may then be a worse path. */
  readonly isPartial: boolean
}

/**
 * The worst chain of calls that goes through a node: from the callers that multiply it most to the callees that it multiplies most. No
 * node is in it twice, so cycles end; the search ends after a bounded number of steps.
 */
export function worstPathThrough(snapshot: MeshSnapshot, node: CallNode): CallPath {
  const budget = { steps: MOST_STEPS }
  const up = worstChain({ node, next: (each) => callsTo(snapshot, each), end: 'from', seen: new Set(), budget })
  const seen = new Set(up.edges.map((edge) => nodeKey(edge.from)))
  const down = worstChain({ node, next: (each) => callsFrom(snapshot, each), end: 'to', seen, budget })
  return {
    edges: [...up.edges.toReversed(), ...down.edges],
    requests: up.product * down.product,
    isPartial: budget.steps <= 0,
  }
}

/**
 * The longest that the first caller of a chain may wait: at each hop its own timeout, else all its tries of what comes after.
 * Undefined: without end.
 */
export function worstLatencyOf(edges: readonly CallEdge[]): Duration | undefined {
  let rest: Duration | undefined
  for (const [index, edge] of edges.toReversed().entries()) {
    if (edge.latency !== undefined) rest = edge.latency
    else if (index > 0 && rest !== undefined) rest *= BigInt(edge.tries)
    else rest = undefined
  }
  return rest
}

/** A call whose callee may take longer than its caller waits, so that work goes on for nobody. */
export interface TimeoutInversion {
  readonly outer: CallEdge
  readonly inner: CallEdge
}

/** The calls of a node that may outlast a call to it. */
export function timeoutInversions(snapshot: MeshSnapshot, node: CallNode): readonly TimeoutInversion[] {
  const inner = callsFrom(snapshot, node)
  return callsTo(snapshot, node).flatMap((outer) =>
    inner.filter((edge) => outlasts(edge, outer)).map((edge) => ({ outer, inner: edge })),
  )
}

function outlasts(inner: CallEdge, outer: CallEdge): boolean {
  if (outer.latency === undefined) return false
  const patience = outer.retries?.perTryTimeout ?? outer.timeout ?? outer.latency
  return inner.timeout !== undefined && inner.timeout > patience
}

interface Search {
  readonly node: CallNode
  readonly next: (node: CallNode) => readonly CallEdge[]
  /** The end of an edge that the search goes on from. */
  readonly end: 'from' | 'to'
  readonly seen: ReadonlySet<string>
  readonly budget: { steps: number }
}

interface Chain {
  readonly edges: readonly CallEdge[]
  readonly product: number
}

function worstChain(search: Search): Chain {
  const { node, budget, end } = search
  let worst: Chain = { edges: [], product: 1 }
  if (budget.steps <= 0) return worst
  budget.steps--
  const seen = new Set([...search.seen, nodeKey(node)])
  for (const edge of search.next(node)) {
    if (seen.has(nodeKey(edge[end]))) continue
    const rest = worstChain({ ...search, node: edge[end], seen })
    const product = factorOf(edge) * rest.product
    if (product > worst.product) worst = { edges: [edge, ...rest.edges], product }
  }
  return worst
}

// call graphs of people are some dozens of nodes deep and wide; each step reads the calls of one node
const MOST_STEPS = 500
