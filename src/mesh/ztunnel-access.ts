import { asObject } from '../kube/json.ts'
import { matchesLabels } from '../kube/selector.ts'
import { compareText } from './age.ts'
import type { Client } from './destination-rule.ts'
import { KINDS } from './kinds.ts'
import { memo, memoByKey } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { EffectiveMtls } from './peer-authentication.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { matchingRule, type Connection } from './ztunnel-match.ts'
import {
  convertPeerAuthentication,
  peerModes,
  peerPolicyReference,
  staticStrictPolicy,
  type PeerPolicyReference,
} from './ztunnel-peer.ts'
import { convertAuthorizationPolicy, type ZtunnelPolicy, type ZtunnelRule } from './ztunnel-policy.ts'

/** What ztunnel enforces for a workload. */
export interface ZtunnelPolicies {
  /** By key; AuthorizationPolicies and what PeerAuthentications became. */
  readonly policies: readonly ZtunnelPolicy[]
  /** What the workload refers to but istiod never sends; ztunnel skips it, so that what it should deny is allowed. */
  readonly missing: readonly string[]
}

/** A decision of ztunnel, and the policy and rule that brings it about where one does. */
export interface ConnectionVerdict {
  readonly verdict: 'allow' | 'deny'
  readonly policy: ZtunnelPolicy | undefined
  readonly rule: ZtunnelRule | undefined
}

/**
 * The policies of a captured workload: the mesh's, its namespace's, those that select it, and what stands for its PeerAuthentications.
 * istio: serviceregistry/ambient/workloads.go buildWorkloadPolicies; ztunnel src/state.rs assert_rbac.
 */
export function ztunnelPoliciesFor(snapshot: MeshSnapshot, workload: Client): ZtunnelPolicies {
  const { wide, selective } = ztunnelPoliciesIn(snapshot)(workload.namespace)
  const { policies: peers, missing } = ztunnelPeerPolicies(snapshot, workload)
  const policies = [...wide, ...selective.filter((policy) => selects(policy, workload)), ...peers]
  return { policies: policies.sort((a, b) => compareText(a.key, b.key)), missing }
}

/** What AuthorizationPolicies became for the workloads of a namespace: for all of them, and for some. */
interface NamespacePolicies {
  readonly wide: readonly ZtunnelPolicy[]
  readonly selective: readonly ZtunnelPolicy[]
}

/** The mesh's policies and those of a namespace, worked out once for all its workloads. */
export const ztunnelPoliciesIn = memo((snapshot: MeshSnapshot) =>
  memoByKey(String, (namespace: string): NamespacePolicies => {
    const { rootNamespace } = meshConfigOf(snapshot)
    const all = [...new Set([rootNamespace, namespace])]
      .flatMap((each) => snapshot.inNamespace(KINDS.authorizationPolicy, each))
      .flatMap((policy): readonly ZtunnelPolicy[] => {
        const converted = convertAuthorizationPolicy(snapshot, policy)
        return typeof converted === 'string' ? [] : [converted]
      })
    return {
      wide: all.filter(
        (policy) => policy.scope === 'mesh' || (policy.scope === 'namespace' && policy.namespace === namespace),
      ),
      selective: all.filter((policy) => policy.scope === 'workload'),
    }
  }),
)

/** Those of them that stand for PeerAuthentications, of which there is one at most. */
export function ztunnelPeerPolicies(snapshot: MeshSnapshot, workload: Client): ZtunnelPolicies {
  const reference = peerPolicyReference(snapshot, workload)
  if (reference === undefined) return { policies: [], missing: [] }
  const policy = policyBehind(snapshot, reference)
  return policy === undefined ? { policies: [], missing: [reference.key] } : { policies: [policy], missing: [] }
}

/** Every policy that istiod sends to ztunnel, by key. */
export function allZtunnelPolicies(snapshot: MeshSnapshot): readonly ZtunnelPolicy[] {
  const authorization = snapshot.all(KINDS.authorizationPolicy).flatMap((policy): readonly ZtunnelPolicy[] => {
    const converted = convertAuthorizationPolicy(snapshot, policy)
    return typeof converted === 'string' ? [] : [converted]
  })
  const converted = snapshot
    .all(KINDS.peerAuthentication)
    .flatMap((policy) => convertPeerAuthentication(snapshot, policy) ?? [])
  const all = [...authorization, ...converted, ...[staticStrictPolicy(snapshot) ?? []].flat()]
  return all.sort((a, b) => compareText(a.key, b.key))
}

/** DENY before ALLOW; without an ALLOW policy everything else is allowed. istio: ztunnel src/state.rs assert_rbac. */
export function judgeConnection({ policies }: ZtunnelPolicies, connection: Connection): ConnectionVerdict {
  const firstMatch = (action: ZtunnelPolicy['action']): ConnectionVerdict | undefined => {
    for (const policy of policies) {
      if (policy.action !== action) continue
      const rule = matchingRule(policy, connection)
      if (rule !== undefined) return { verdict: action === 'ALLOW' ? 'allow' : 'deny', policy, rule }
    }
    return undefined
  }
  const decided = firstMatch('DENY') ?? firstMatch('ALLOW')
  if (decided !== undefined) return decided
  const isClosed = policies.some(({ action }) => action === 'ALLOW')
  return { verdict: isClosed ? 'deny' : 'allow', policy: undefined, rule: undefined }
}

/**
 * Does ztunnel refuse connections without an identity to a port of a captured workload, for the sake of a PeerAuthentication? Between
 * captured workloads everything is mTLS either way. Without a port, for ports that no policy names.
 */
export function ambientMtls({ policies }: ZtunnelPolicies, port?: number): 'STRICT' | 'PERMISSIVE' {
  const anonymous = { principal: undefined, ip: '', address: '', port: port ?? UNNAMED_PORT }
  const isRefused = policies.some((policy) => isOfPeer(policy) && matchingRule(policy, anonymous) !== undefined)
  return isRefused ? 'STRICT' : 'PERMISSIVE'
}

/**
 * What ztunnel accepts at a port of a captured workload, with the PeerAuthentication that decides: the closest of those that ask for what
 * holds. No object: none does, and Istio's default holds.
 */
export function effectiveAmbientMtls(snapshot: MeshSnapshot, workload: Client, port?: number): EffectiveMtls {
  const mode = ambientMtls(ztunnelPoliciesFor(snapshot, workload), port)
  const deciding = peerModes(snapshot, workload, port).find(
    (written) => (written.mode === 'STRICT') === (mode === 'STRICT'),
  )
  return { mode, object: deciding?.object, field: deciding?.field ?? '' }
}

/** Does the policy stand for PeerAuthentications? */
export function isOfPeer({ object }: ZtunnelPolicy): boolean {
  return object === undefined || object.kind === 'PeerAuthentication'
}

function selects({ object }: ZtunnelPolicy, { labels: own }: Client): boolean {
  const labels = asObject(asObject(asObject(object?.spec).selector).matchLabels)
  return Object.keys(labels).length > 0 && matchesLabels(labels, own)
}

function policyBehind(snapshot: MeshSnapshot, { of }: PeerPolicyReference): ZtunnelPolicy | undefined {
  return of === undefined ? staticStrictPolicy(snapshot) : convertPeerAuthentication(snapshot, of)
}

/** No workload can have it. */
const UNNAMED_PORT = 0
