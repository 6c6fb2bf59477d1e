import type { KubeObject } from '../kube/object.ts'
import { isCaptured } from './ambient-enrolment.ts'
import { effectiveMtls, peerAuthenticationsFor, portsNamedBy, type EffectiveMtls } from './peer-authentication.ts'
import { eachSelectedWorkload } from './selection.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'
import { ambientMtls, ztunnelPoliciesFor } from './ztunnel-access.ts'

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
  const enforced = ztunnelPoliciesFor(snapshot, workload)
  const named = portsNamedBy(peerAuthenticationsFor(snapshot, workload).workload)
  const ports = [...new Set([...workload.ports.map(({ number }) => number), ...named]), undefined]
  return ports.flatMap((port): readonly PeerGap[] => {
    const demanded = effectiveMtls(snapshot, workload, port)
    if (demanded.mode !== 'STRICT' || ambientMtls(enforced, port) === 'STRICT') return []
    return [{ workload, port, demanded, missing: enforced.missing }]
  })
}

/** The gaps of the workloads that a PeerAuthentication selects, one by one: of its namespace, or of the mesh. */
export function* gapsUnder(snapshot: MeshSnapshot, policy: KubeObject): Generator<PeerGap> {
  for (const workload of eachSelectedWorkload(snapshot, policy)) yield* peerGaps(snapshot, workload)
}
