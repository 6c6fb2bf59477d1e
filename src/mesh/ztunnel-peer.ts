import { asObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { matchesLabels } from '../kube/selector.ts'
import { byAge } from './age.ts'
import { block, wordIn } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { EffectiveMtls, MtlsMode, MtlsServer } from './peer-authentication.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { ZtunnelMatch, ZtunnelPolicy, ZtunnelRule } from './ztunnel-policy.ts'

/** The PeerAuthentications that count for a workload in ambient, each the oldest of its level; not quite those that sidecars obey. */
export interface AmbientPeerAuthentications {
  readonly mesh: KubeObject | undefined
  readonly namespace: KubeObject | undefined
  readonly workload: KubeObject | undefined
}

/**
 * The PeerAuthentications of a workload as the ambient index finds them: from the root namespace only without a selector, not even an
 * empty one. istio: serviceregistry/ambient/workloads.go fetchPeerAuthentications.
 */
export function ambientPeerAuthentications(snapshot: MeshSnapshot, server: MtlsServer): AmbientPeerAuthentications {
  const { rootNamespace } = meshConfigOf(snapshot)
  const root = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, rootNamespace))
  if (server.namespace === rootNamespace) return { mesh: root.wide, namespace: undefined, workload: undefined }
  const own = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, server.namespace))
  const workload = own.selective.find((policy) => matchesLabels(matchLabelsOf(policy), server.labels))
  return { mesh: root.unselective, namespace: own.wide, workload }
}

/** The modes that PeerAuthentications write for a port of a workload, or for those that none names, the closest first. */
export function peerModes(snapshot: MeshSnapshot, server: MtlsServer, port?: number): readonly EffectiveMtls[] {
  const { mesh, namespace, workload } = ambientPeerAuthentications(snapshot, server)
  const entry = portModes(workload).find(([named]) => Number(named) === port)?.[1]
  const written = [
    { mode: entry, object: workload, field: `spec.portLevelMtls[${port}].mode` },
    ...[workload, namespace, mesh].map((object) => ({ mode: modeOf(object), object, field: 'spec.mtls.mode' })),
  ]
  return written.flatMap(({ mode, ...place }) => (mode === undefined ? [] : [{ mode, ...place }]))
}

/** The policy that a workload refers to for its PeerAuthentications. */
export interface PeerPolicyReference {
  readonly key: string
  /** The PeerAuthentication that it is made of; undefined for the static one for STRICT. */
  readonly of: KubeObject | undefined
}

/**
 * The policy that stands for a workload's PeerAuthentications; undefined where they accept everything. Whether istiod sends it is another
 * question. istio: serviceregistry/ambient/authorization.go convertedSelectorPeerAuthentications.
 */
export function peerPolicyReference(snapshot: MeshSnapshot, server: MtlsServer): PeerPolicyReference | undefined {
  const { mesh, namespace, workload } = ambientPeerAuthentications(snapshot, server)
  const parent = modeOf(namespace) ?? modeOf(mesh)
  const own = modeOf(workload)
  const isStrict = (own ?? parent) === 'STRICT'
  const ports = new Set(portModes(workload).map(([, mode]) => mode))
  // under a parent's STRICT, DISABLE is no exemption; under the policy's own it is
  const hasExemption = ports.has('PERMISSIVE') || (own === 'STRICT' && ports.has('DISABLE'))
  const isConverted = isStrict ? hasExemption : ports.has('STRICT')
  if (workload !== undefined && isConverted) return { key: convertedKey(workload), of: workload }
  return isStrict ? { key: staticStrictKey(snapshot), of: undefined } : undefined
}

/** The policy that stands for STRICT; sent as soon as there is any PeerAuthentication. */
export function staticStrictPolicy(snapshot: MeshSnapshot): ZtunnelPolicy | undefined {
  if (snapshot.all(KINDS.peerAuthentication).length === 0) return undefined
  const namespace = meshConfigOf(snapshot).rootNamespace
  return denial(namespace, staticStrictKey(snapshot), undefined, [{ index: undefined, clauses: [[ANONYMOUS]] }])
}

/**
 * The policy that istiod makes of a PeerAuthentication with ports; undefined where it makes none. What it takes for the namespace's and the
 * mesh's modes are those of policies without any selector. istio: serviceregistry/ambient/authorization.go convertPeerAuthentication.
 */
export function convertPeerAuthentication(snapshot: MeshSnapshot, policy: KubeObject): ZtunnelPolicy | undefined {
  const { rootNamespace } = meshConfigOf(snapshot)
  const ports = portModes(policy)
  const isSelective = block(asObject(policy.spec).selector) !== undefined
  if (namespaceOf(policy) === rootNamespace || !isSelective || ports.length === 0) return undefined
  const own = modeOf(policy)
  const inNamespace = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, namespaceOf(policy))).unselective
  const inMesh = levelsOf(snapshot.inNamespace(KINDS.peerAuthentication, rootNamespace)).unselective
  const isMeshStrict = modeOf(inNamespace) === undefined && modeOf(inMesh) === 'STRICT'
  const isParentStrict = isMeshStrict || modeOf(inNamespace) === 'STRICT'
  // a STRICT mesh is taken to cover the port, although the policy's own mode may have lifted it
  const isCovered = own === 'STRICT' || isMeshStrict || (own === undefined && isParentStrict)
  // a namespace policy without a mode hides the mesh's
  const isExempting = own === 'STRICT' || (own === undefined && modeOf(inNamespace ?? inMesh) === 'STRICT')
  const strictPorts = isCovered ? [] : ports.filter(([, mode]) => mode === 'STRICT')
  const exemptPorts = isExempting ? ports.filter(([, mode]) => mode === 'PERMISSIVE' || mode === 'DISABLE') : []
  if (exemptPorts.length === 0 && (own === 'STRICT' || strictPorts.length === 0)) return undefined
  const clauses: (readonly ZtunnelMatch[])[] = []
  if (own === 'STRICT') clauses.push([ANONYMOUS])
  for (const [port] of exemptPorts) clauses.push([{ notDestinationPorts: [port] }])
  if (isParentStrict && exemptPorts.length > 0) clauses.push([ANONYMOUS])
  const rules: ZtunnelRule[] = strictPorts.map(([port]) => ({
    index: undefined,
    clauses: [[{ ...ANONYMOUS, destinationPorts: [port] }]],
  }))
  if (clauses.length > 0) rules.push({ index: undefined, clauses })
  return denial(namespaceOf(policy), convertedKey(policy), policy, rules)
}

function denial(
  namespace: string,
  key: string,
  object: KubeObject | undefined,
  rules: readonly ZtunnelRule[],
): ZtunnelPolicy {
  return { key, namespace, scope: 'workload', action: 'DENY', rules, object, unsupported: [] }
}

interface Levels {
  /** The oldest without a selector, or with one that has no labels. */
  readonly wide: KubeObject | undefined
  /** The oldest without a selector. */
  readonly unselective: KubeObject | undefined
  /** Those with labels, oldest first. */
  readonly selective: readonly KubeObject[]
}

const levelsOf: (policies: readonly KubeObject[]) => Levels = memo((policies) => {
  const sorted = byAge(policies)
  const hasLabels = (policy: KubeObject): boolean => Object.keys(asObject(matchLabelsOf(policy))).length > 0
  return {
    wide: sorted.find((policy) => !hasLabels(policy)),
    unselective: sorted.find((policy) => block(asObject(policy.spec).selector) === undefined),
    selective: sorted.filter(hasLabels),
  }
})

function matchLabelsOf(policy: KubeObject) {
  return asObject(asObject(policy.spec).selector).matchLabels
}

/** Undefined for UNSET, and for no policy. */
function modeOf(policy: KubeObject | undefined): MtlsMode | undefined {
  return wordIn(MODES, asObject(asObject(policy?.spec).mtls).mode)
}

/** By number of port, as istiod goes through them. */
function portModes(policy: KubeObject | undefined): readonly PortMode[] {
  return policy === undefined ? [] : portModesOf(policy)
}

type PortMode = readonly [string, MtlsMode | undefined]

const portModesOf: (policy: KubeObject) => readonly PortMode[] = memo((policy) =>
  Object.entries(asObject(asObject(policy.spec).portLevelMtls))
    .map(([port, setting]): PortMode => [port, wordIn(MODES, asObject(setting).mode)])
    .sort(([a], [b]) => Number(a) - Number(b)),
)

function staticStrictKey(snapshot: MeshSnapshot): string {
  return `${meshConfigOf(snapshot).rootNamespace}/istio_converted_static_strict`
}

function convertedKey(policy: KubeObject): string {
  return `${namespaceOf(policy)}/converted_peer_authentication_${nameOf(policy)}`
}

const ANONYMOUS: ZtunnelMatch = { notPrincipals: ['*'] }
const MODES: Readonly<Record<string, MtlsMode>> = { STRICT: 'STRICT', PERMISSIVE: 'PERMISSIVE', DISABLE: 'DISABLE' }
