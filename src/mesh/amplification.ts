import type { Duration } from '../kube/duration.ts'
import { block } from './fields.ts'
import { callsFrom, callsTo, factorOf, type CallEdge } from './call-graph.ts'
import { nodeKey, type CallNode } from './call-node.ts'
import { RETRIES, virtualServicesWithRetries } from './indexes.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A chain of calls, and how many requests its end may see for one at its start. */
export interface CallPath {
  readonly edges: readonly CallEdge[]
  readonly requests: number
  /** Was the graph too large to look at all of it? There may then be a worse path. */
  readonly isPartial: boolean
}

/**
 * The worst chain of calls that goes through a node: from the callers that multiply it most to the callees that it multiplies
 * most. Of the calls to the node only those in `by` count, where they are given. It ends early at `enough` requests, and in any case
 * after a bounded number of steps; no node is in it twice, so cycles end too.
 */
export function worstPathThrough(
  snapshot: MeshSnapshot,
  node: CallNode,
  { by, enough = 1000 }: { readonly by?: readonly CallEdge[]; readonly enough?: number } = {},
): CallPath {
  if (!multipliesAnything(snapshot)) return { edges: [], requests: 1, isPartial: false }
  const callers = (each: CallNode): readonly CallEdge[] =>
    by !== undefined && nodeKey(each) === nodeKey(node) ? by : callsTo(snapshot, each)
  const up = worstChain({ start: node, next: callers, end: 'from', seen: [], enough })
  const seen = up.edges.map((edge) => nodeKey(edge.from))
  const rest = enough / up.product
  const down = worstChain({ start: node, next: (each) => callsFrom(snapshot, each), end: 'to', seen, enough: rest })
  return {
    edges: [...up.edges.toReversed(), ...down.edges],
    requests: up.product * down.product,
    isPartial: up.isPartial || down.isPartial,
  }
}

/**
 * The longest that the first caller of a chain may wait: at each hop its own timeout, else all its tries of what comes after.
 * Undefined: without end.
 */
export function worstLatencyOf(edges: readonly CallEdge[]): Duration | undefined {
  let rest: Duration | undefined
  for (const edge of edges.toReversed()) {
    if (edge.latency !== undefined) rest = edge.latency
    else if (rest !== undefined) rest *= BigInt(edge.tries)
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
  return callsTo(snapshot, node).flatMap((outer) => {
    const patience = outer.retries?.perTryTimeout ?? outer.timeout
    if (patience === undefined) return []
    return callsFrom(snapshot, node)
      .filter(({ timeout }) => timeout !== undefined && timeout > patience)
      .map((inner) => ({ outer, inner }))
  })
}

/** Istio's own retries multiply nothing; without others there is nothing to search for. */
function multipliesAnything(snapshot: MeshSnapshot): boolean {
  if (block(meshConfigOf(snapshot).defaultHttpRetryPolicy) !== undefined) return true
  return snapshot.has(virtualServicesWithRetries, RETRIES)
}

interface Search {
  readonly start: CallNode
  readonly next: (node: CallNode) => readonly CallEdge[]
  /** The end of an edge that the search goes on from. */
  readonly end: 'from' | 'to'
  /** Nodes that must not come again. */
  readonly seen: readonly string[]
  readonly enough: number
}

interface Chain {
  readonly edges: readonly CallEdge[]
  readonly product: number
}

/** Goes on from the largest product so far; of equal ones, from the shorter chain. */
function worstChain({ start, next, end, seen, enough }: Search): Chain & { readonly isPartial: boolean } {
  let worst: Chain = { edges: [], product: 1 }
  const open: Chain[] = [worst]
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const chain = takeLargest(open)
    if (chain === undefined || worst.product >= enough) return { ...worst, isPartial: false }
    const node = chain.edges.at(-1)?.[end] ?? start
    const passed = new Set([...seen, nodeKey(start), ...chain.edges.map((edge) => nodeKey(edge[end]))])
    for (const edge of next(node)) {
      if (passed.has(nodeKey(edge[end]))) continue
      const longer = { edges: [...chain.edges, edge], product: chain.product * factorOf(edge) }
      open.push(longer)
      if (longer.product > worst.product) worst = longer
    }
  }
  return { ...worst, isPartial: true }
}

function takeLargest(open: Chain[]): Chain | undefined {
  let best = 0
  for (const [index, chain] of open.entries()) {
    const leader = open[best]
    if (leader === undefined || chain.product > leader.product) best = index
  }
  return open.splice(best, 1)[0]
}

// each step reads the calls of one node; graphs of people have some dozens of nodes within reach
const MOST_STEPS = 64
