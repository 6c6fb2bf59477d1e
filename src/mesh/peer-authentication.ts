import { asObject, own, type Json } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { byAge } from './age.ts'
import { NO_OBJECTS } from './buckets.ts'
import { wordIn } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { isSameObject, type MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'

/** What a workload's port accepts: mTLS only, both, or plaintext only. */
export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE'

export interface EffectiveMtls {
  readonly mode: MtlsMode
  /** The PeerAuthentication that decides; undefined for Istio's default. */
  readonly object: KubeObject | undefined
  /** Where it decides: `spec.mtls.mode`, `spec.portLevelMtls[8080].mode`; empty for Istio's default. */
  readonly field: string
}

/** Whose modes are asked for. */
export interface MtlsServer {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** The PeerAuthentications that hold for a workload, each the oldest of its level. The others of that level do nothing. */
export interface PeerAuthentications {
  readonly mesh: KubeObject | undefined
  readonly namespace: KubeObject | undefined
  readonly workload: KubeObject | undefined
}

/**
 * The mTLS mode of a workload's port: of the container, not of a Service. Without a port, that of every port that no policy
 * names. istio: security/authn/policy_applier.go ComposePeerAuthentication, GetMutualTLSModeForPort.
 */
export function effectiveMtls(snapshot: MeshSnapshot, server: MtlsServer, port?: number): EffectiveMtls {
  return mtlsUnder(peerAuthenticationsFor(snapshot, server), port)
}

/** The same for a caller that has the policies of the workload. */
export function mtlsUnder({ mesh, namespace, workload }: PeerAuthentications, port?: number): EffectiveMtls {
  const perPort = port === undefined ? undefined : portMode(workload, port)
  if (perPort !== undefined) return perPort
  return ownMode(workload) ?? ownMode(namespace) ?? ownMode(mesh) ?? DEFAULT
}

/** The policies that hold for a workload. istio: model/authentication.go addPeerAuthentication, getConfigsForWorkload. */
export function peerAuthenticationsFor(snapshot: MeshSnapshot, server: MtlsServer): PeerAuthentications {
  const { mesh, namespace, selective } = policiesIn(snapshot, server.namespace)
  return { mesh, namespace, workload: selectingPolicy(selective, server) }
}

/** Workloads for which the same policies hold. */
export interface AlikeWorkloads {
  readonly policies: PeerAuthentications
  readonly workloads: readonly Workload[]
}

/** Workloads of a namespace by the policies that hold for them, each group in the order of the list. */
export function workloadsByPolicies(
  snapshot: MeshSnapshot,
  of: string,
  workloads: readonly Workload[],
): readonly AlikeWorkloads[] {
  const { mesh, namespace, selective } = policiesIn(snapshot, of)
  const groups = groupedBy(selective)(workloads)
  return groups.map(([workload, alike]) => ({ policies: { mesh, namespace, workload }, workloads: alike }))
}

const groupedBy = memo((selective: readonly KubeObject[]) =>
  memo((workloads: readonly Workload[]): readonly (readonly [KubeObject | undefined, readonly Workload[]])[] => {
    const groups = [...Map.groupBy(workloads, (workload) => selectingPolicy(selective, workload))]
    // a group of all is that list itself, for which the next question is known
    return groups.length === 1 ? groups.map(([policy]) => [policy, workloads]) : groups
  }),
)

function policiesIn(snapshot: MeshSnapshot, namespace: string) {
  const { rootNamespace } = meshConfigOf(snapshot)
  const mesh = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, rootNamespace)).wide
  // a selector in the root namespace selects nothing, not even beside itself
  if (namespace === rootNamespace) return { mesh, namespace: undefined, selective: NO_OBJECTS }
  const own = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, namespace))
  return { mesh, namespace: own.wide, selective: own.selective }
}

function selectingPolicy(selective: readonly KubeObject[], { labels }: Pick<MtlsServer, 'labels'>) {
  return selective.find((policy) => matchesLabels(selectorLabels(policy), labels))
}

/**
 * What clients assume of a namespace before they look at an endpoint: its own or the mesh's mode, never a workload's.
 * istio: model/authentication.go GetNamespaceMutualTLSMode, push_context.go BestEffortInferServiceMTLSMode.
 */
export function namespaceMtls(snapshot: MeshSnapshot, namespace: string): MtlsMode {
  const policies = peerAuthenticationsFor(snapshot, { namespace, labels: {} })
  return (ownMode(policies.namespace) ?? ownMode(policies.mesh) ?? DEFAULT).mode
}

/** The ports that the deciding workload policy names, with or without a mode. */
export function portsNamedBy(policy: KubeObject | undefined): readonly number[] {
  return policy === undefined ? NO_PORTS : portsOf(policy)
}

const NO_PORTS: readonly number[] = Object.freeze([])
const portsOf: (policy: KubeObject) => readonly number[] = memo((policy) =>
  Object.keys(asObject(asObject(policy.spec).portLevelMtls))
    .map(Number)
    .filter(Number.isInteger),
)

/** Every mode that the policy writes anywhere. */
export const modesWrittenIn: (policy: KubeObject) => ReadonlySet<MtlsMode> = memo((policy) => {
  const { mtls, portLevelMtls } = asObject(policy.spec)
  const written = [mtls, ...Object.values(asObject(portLevelMtls))].map((entry) => wordIn(MODES, asObject(entry).mode))
  return new Set(written.filter((mode) => mode !== undefined))
})

/** Does the policy set a mode of its own, so that its workloads inherit none? */
export function setsMode(policy: KubeObject): boolean {
  return ownMode(policy) !== undefined
}

/**
 * Is the mode that of a policy for the workload itself, so that nothing for its namespace or the mesh changes it? Of two policies with
 * selectors for one workload the newer does nothing.
 */
export function isWorkloadMode({ object }: EffectiveMtls): boolean {
  return object !== undefined && !isNamespaceWide(object)
}

/**
 * Does a workload port have its mode from above a policy that holds for it: from the policy of its namespace, or of the mesh, or from
 * nobody?
 */
export function isInheritedPast(
  { workload, namespace, mesh }: PeerAuthentications,
  policy: KubeObject,
  { object: decider }: EffectiveMtls,
): boolean {
  const levels = [workload, namespace, mesh]
  const own = levels.findIndex((level) => level !== undefined && isSameObject(level, policy))
  return own >= 0 && (decider === undefined || levels.indexOf(decider) > own)
}

/** Does the policy hold for a whole namespace, or from the root namespace for the mesh? */
export function isNamespaceWide(policy: KubeObject): boolean {
  return Object.keys(asObject(selectorLabels(policy))).length === 0
}

interface Levels {
  /** The oldest without a selector. */
  readonly wide: KubeObject | undefined
  /** Those with one, oldest first. */
  readonly selective: readonly KubeObject[]
}

const levelsOf: (policies: readonly KubeObject[]) => Levels = memo((policies) => {
  const sorted = byAge(policies)
  return { wide: sorted.find(isNamespaceWide), selective: sorted.filter((policy) => !isNamespaceWide(policy)) }
})

function selectorLabels(policy: KubeObject): Json | undefined {
  return asObject(asObject(policy.spec).selector).matchLabels
}

function ownMode(policy: KubeObject | undefined): EffectiveMtls | undefined {
  const mode = wordIn(MODES, asObject(asObject(policy?.spec).mtls).mode)
  return mode === undefined ? undefined : { mode, object: policy, field: 'spec.mtls.mode' }
}

function portMode(policy: KubeObject | undefined, port: number): EffectiveMtls | undefined {
  const entry = own(asObject(asObject(policy?.spec).portLevelMtls), String(port))
  const mode = wordIn(MODES, asObject(entry).mode)
  return mode === undefined ? undefined : { mode, object: policy, field: `spec.portLevelMtls[${port}].mode` }
}

const MODES: Readonly<Record<string, MtlsMode>> = { STRICT: 'STRICT', PERMISSIVE: 'PERMISSIVE', DISABLE: 'DISABLE' }
const DEFAULT: EffectiveMtls = { mode: 'PERMISSIVE', object: undefined, field: '' }
