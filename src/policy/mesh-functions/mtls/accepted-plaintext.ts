import type { JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { isInMesh } from '../../../mesh/ambient-enrolment.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import {
  effectiveMtls,
  isNamespaceWide,
  peerAuthenticationsFor,
  portsNamedBy,
  type EffectiveMtls,
} from '../../../mesh/peer-authentication.ts'
import { namespacesWithLabels } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { nameOf } from '../finding.ts'
import type { MeshContext } from '../mesh-function.ts'

/** A port of a workload that accepts plaintext, and what makes it do so. Without a port: every port that no policy names. */
export interface PlaintextPort {
  readonly workload: Workload
  readonly port: number | undefined
  readonly decided: EffectiveMtls
}

/** The ports of a workload of the mesh whose mode is not STRICT. None for what is outside of the mesh. */
export function plaintextPorts(mesh: MeshSnapshot, workload: Workload): readonly PlaintextPort[] {
  const found = openPorts(mesh, workload)
  return found.length > 0 && isInMesh(mesh, workload) ? found : []
}

function openPorts(mesh: MeshSnapshot, workload: Workload): readonly PlaintextPort[] {
  const { workload: own } = peerAuthenticationsFor(mesh, workload)
  return [...portsNamedBy(own), undefined]
    .map((port) => ({ workload, port, decided: effectiveMtls(mesh, workload, port) }))
    .filter(({ decided }) => decided.mode !== 'STRICT')
}

/** The namespaces that a PeerAuthentication is for. */
export function namespacesOf(mesh: MeshSnapshot, policy: KubeObject): readonly string[] {
  const own = namespaceOf(policy)
  const isMeshWide = own === meshConfigOf(mesh).rootNamespace && isNamespaceWide(policy)
  return isMeshWide ? namespacesWithLabels(mesh, {}) : [own]
}

/**
 * The first port of a namespace that accepts plaintext and meets a condition on the policies that hold for it, in this mesh and in the
 * one before. Workloads for which the same policies hold are alike, so that usually one of them is looked at.
 */
export function firstPlaintext(
  { mesh, before }: { readonly mesh: MeshSnapshot; readonly before: MeshSnapshot },
  namespace: string,
  isMeant: (found: PlaintextPort) => boolean,
): PlaintextPort | undefined {
  const passed = new Map<KubeObject | undefined, Set<KubeObject | undefined>>()
  const isUniform = [mesh, before].every((each) => !hasSelectivePolicies(each, namespace))
  for (const workload of workloadsIn(mesh, namespace)) {
    const own = peerAuthenticationsFor(mesh, workload).workload
    const former = peerAuthenticationsFor(before, workload).workload
    if (passed.get(own)?.has(former) === true) continue
    const found = openPorts(mesh, workload).find(isMeant)
    if (found !== undefined && isInMesh(mesh, workload)) return found
    if (found !== undefined) continue
    if (isUniform) return undefined
    passed.set(own, (passed.get(own) ?? new Set()).add(former))
  }
  return undefined
}

function hasSelectivePolicies(mesh: MeshSnapshot, namespace: string): boolean {
  return mesh.inNamespace(KINDS.peerAuthentication, namespace).some((policy) => !isNamespaceWide(policy))
}

/** `port 8080 of cart`, or `cart` where every port that no policy names is meant; the namespace alone where that is another. */
export function placeOf(context: MeshContext, { workload, port }: PlaintextPort, params: JsonObject): string {
  const name = nameOf(context, refOf(workload.object), params)
  return port === undefined ? name : `port ${port} of ${name}`
}

/** Why a port accepts plaintext: `PERMISSIVE by PeerAuthentication shop/default`. */
export function reasonOf(context: MeshContext, { mode, object }: EffectiveMtls, params: JsonObject): string {
  if (object === undefined) return `${mode} by default, as no PeerAuthentication sets a mode`
  return `${mode} by ${nameOf(context, refOf(object), params)}`
}
