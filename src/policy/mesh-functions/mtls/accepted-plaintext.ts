import type { JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { isInMesh } from '../../../mesh/ambient-enrolment.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import {
  isNamespaceWide,
  peerAuthenticationsFor,
  mtlsUnder,
  portsNamedBy,
  workloadsByPolicies,
  type EffectiveMtls,
  type PeerAuthentications,
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
  const found = openPorts(workload, peerAuthenticationsFor(mesh, workload))
  return found.length > 0 && isInMesh(mesh, workload) ? found : []
}

function openPorts(workload: Workload, policies: PeerAuthentications): readonly PlaintextPort[] {
  return [...portsNamedBy(policies.workload), undefined]
    .map((port) => ({ workload, port, decided: mtlsUnder(policies, port) }))
    .filter(({ decided }) => decided.mode !== 'STRICT')
}

/** The namespaces that a PeerAuthentication is for. */
export function namespacesOf(mesh: MeshSnapshot, policy: KubeObject): readonly string[] {
  const own = namespaceOf(policy)
  const isMeshWide = own === meshConfigOf(mesh).rootNamespace && isNamespaceWide(policy)
  return isMeshWide ? namespacesWithLabels(mesh, {}) : [own]
}

/** The policies that hold for a workload, in a mesh and in the one before. */
export interface PoliciesOverTime {
  readonly policies: PeerAuthentications
  readonly former: PeerAuthentications
}

/**
 * The first port of a namespace that accepts plaintext and meets a condition on the policies that hold for it, in this mesh and in the
 * one before. Workloads for which the same policies hold are alike, so that one of them is looked at.
 */
export function firstPlaintext(
  { mesh, before }: { readonly mesh: MeshSnapshot; readonly before: MeshSnapshot },
  namespace: string,
  isMeant: (found: PlaintextPort, by: PoliciesOverTime) => boolean,
): PlaintextPort | undefined {
  const workloads = workloadsIn(mesh, namespace)
  const found: PlaintextPort[] = []
  for (const { policies, workloads: now } of workloadsByPolicies(mesh, namespace, workloads)) {
    for (const { policies: former, workloads: alike } of workloadsByPolicies(before, namespace, now)) {
      const [one] = alike
      const open = one && openPorts(one, policies).find((port) => isMeant(port, { policies, former }))
      const workload = open && alike.find((each) => isInMesh(mesh, each))
      if (open !== undefined && workload !== undefined) found.push({ ...open, workload })
    }
  }
  if (found.length < 2) return found[0]
  return found.toSorted((a, b) => workloads.indexOf(a.workload) - workloads.indexOf(b.workload))[0]
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
