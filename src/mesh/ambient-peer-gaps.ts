import type { KubeObject } from '../kube/object.ts'
import { isCaptured } from './ambient-enrolment.ts'
import {
  mtlsUnder,
  peerAuthenticationsFor,
  portsNamedBy,
  workloadsByPolicies,
  type EffectiveMtls,
  type PeerAuthentications,
} from './peer-authentication.ts'
import { eachSelectedWorkload } from './selection.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { workloadsIn, type Workload } from './workloads.ts'
import { ambientMtls, ztunnelPeerPolicies } from './ztunnel-access.ts'

/** A port of a captured workload for which PeerAuthentications demand mTLS and ztunnel accepts plaintext all the same. */
export interface PeerGap {
  readonly workload: Workload
  /** Undefined: every port that no policy names. */
  readonly port: number | undefined
  /** What a sidecar would do, and the object and field that say so. */
  readonly demanded: EffectiveMtls
  /** The policies that the workload refers to and that istiod never makes, if they are why. */
  readonly missing: readonly string[]
}

/**
 * The ports of a captured workload that fail open: combinations of PeerAuthentications that mean STRICT and that istiod does not turn into a
 * policy for ztunnel. istio: serviceregistry/ambient/authorization.go, where the workload and the conversion disagree.
 */
export function peerGaps(snapshot: MeshSnapshot, workload: Workload): readonly PeerGap[] {
  if (!isCaptured(snapshot, workload)) return []
  const policies = peerAuthenticationsFor(snapshot, workload)
  const named = portsNamedBy(policies.workload)
  return gapsAt(snapshot, { workload, policies }, new Set([...workload.ports.map(({ number }) => number), ...named]))
}

/** The gaps of the workloads that a PeerAuthentication selects, one by one: of its namespace, or of the mesh. */
export function* gapsUnder(snapshot: MeshSnapshot, policy: KubeObject): Generator<PeerGap> {
  for (const workload of eachSelectedWorkload(snapshot, policy)) yield* peerGaps(snapshot, workload)
}

/** Would any workload of a namespace have a gap, were it captured? It is enough to look at one of those for which the same policies hold. */
export function mayHaveGaps(snapshot: MeshSnapshot, namespace: string): boolean {
  const groups = workloadsByPolicies(snapshot, namespace, workloadsIn(snapshot, namespace))
  return groups.some(({ policies, workloads: [workload] }) => {
    const named = new Set(portsNamedBy(policies.workload))
    return workload !== undefined && gapsAt(snapshot, { workload, policies }, named).length > 0
  })
}

/** At some ports, and at every port that no policy names. */
function gapsAt(
  snapshot: MeshSnapshot,
  { workload, policies }: { readonly workload: Workload; readonly policies: PeerAuthentications },
  ports: ReadonlySet<number>,
): readonly PeerGap[] {
  const strict = [...ports, undefined]
    .map((port) => ({ port, demanded: mtlsUnder(policies, port) }))
    .filter(({ demanded }) => demanded.mode === 'STRICT')
  if (strict.length === 0) return []
  const enforced = ztunnelPeerPolicies(snapshot, workload)
  return strict
    .filter(({ port }) => ambientMtls(enforced, port) !== 'STRICT')
    .map(({ port, demanded }) => ({ workload, port, demanded, missing: enforced.missing }))
}
