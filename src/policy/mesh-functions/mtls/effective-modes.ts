import type { JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import {
  effectiveMtls,
  isInheritedPast,
  isNamespaceWide,
  mtlsUnder,
  namespaceMtls,
  peerAuthenticationsFor,
  setsMode,
  type EffectiveMtls,
} from '../../../mesh/peer-authentication.ts'
import { isSameObject, refOf } from '../../../mesh/snapshot.ts'
import { workloadsIn } from '../../../mesh/workloads.ts'
import { relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'
import {
  firstPlaintext,
  namespacesOf,
  placeOf,
  plaintextPorts,
  reasonOf,
  type PlaintextPort,
} from './accepted-plaintext.ts'

const ROOT_REMEDIATION = 'with spec.mtls.mode: STRICT and without a selector'

/** The mode of the whole mesh: that it is missing, on a scan of the root namespace; that it goes, on UPDATE and DELETE. */
export const meshDefault: Find = (context, object) => {
  const { rootNamespace } = meshConfigOf(context.mesh)
  if (context.operation === 'SCAN') {
    const server = { namespace: rootNamespace, labels: {} }
    if (ownName(object) !== rootNamespace || peerAuthenticationsFor(context.mesh, server).mesh !== undefined) return []
    return [
      {
        field: '',
        message: `no PeerAuthentication in ${rootNamespace} is for the whole mesh: what sets no mode of its own accepts plaintext`,
        remediation: `apply a PeerAuthentication in ${rootNamespace} ${ROOT_REMEDIATION}`,
      },
    ]
  }
  if (context.operation === 'CREATE' || namespaceOf(object) !== rootNamespace) return []
  const isLost =
    namespaceMtls(context.before, rootNamespace) === 'STRICT' && namespaceMtls(context.mesh, rootNamespace) !== 'STRICT'
  // A mode that is written here and is not STRICT is told of where it is written.
  if (!isLost || (context.operation === 'UPDATE' && isNamespaceWide(object))) return []
  const isDelete = context.operation === 'DELETE'
  return [
    {
      field: isDelete ? '' : 'spec.selector',
      message: `this makes the whole mesh STRICT: without it, what sets no mode of its own accepts plaintext`,
      remediation: `apply another PeerAuthentication in ${rootNamespace} first, ${ROOT_REMEDIATION}`,
    },
  ]
}

/**
 * Workloads that accept plaintext as soon as a PeerAuthentication goes or changes, and did not before. A mode that is written in it
 * is told of where it is written.
 */
export const weakened: Find = (context, object, params) => {
  if (context.operation === 'CREATE') return []
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const old = before.get(KINDS.peerAuthentication, namespaceOf(object), ownName(object)) ?? object
  const isWide = isNamespaceWide(old) && isNamespaceWide(object)
  const { object: decider } = effectiveMtls(after, { namespace: namespaceOf(object), labels: {} })
  // Only what has its mode from this policy changes, and finds it written here.
  if (isWide && decider !== undefined && isSameObject(decider, object)) return []
  const namespaces = new Set([...namespacesOf(before, old), ...namespacesOf(after, object)])
  const found: PlaintextPort[] = []
  for (const namespace of namespaces) {
    const server = { namespace, labels: {} }
    if (isWide && effectiveMtls(before, server).mode === effectiveMtls(after, server).mode) continue
    const first = firstPlaintext({ mesh: after, before }, namespace, ({ port, decided }, { former }) => {
      const isWrittenHere = decided.object !== undefined && isSameObject(decided.object, object)
      return !isWrittenHere && mtlsUnder(former, port).mode === 'STRICT'
    })
    if (first !== undefined) found.push(first)
  }
  const [first] = found
  if (first === undefined) return []
  const more = found.length === 1 ? '' : ` (and workloads of ${found.length - 1} more namespaces)`
  const field = context.operation === 'DELETE' ? '' : 'spec'
  return [
    {
      field,
      message: `${placeOf(context, first, params)}${more} would accept plaintext, and is STRICT until now: ${reasonOf(context, first.decided, params)}`,
      remediation: 'apply another PeerAuthentication with mode STRICT for these workloads first',
      related: [relatedTo(context, refOf(first.workload.object), params)],
    },
  ]
}

/**
 * Workloads that accept plaintext whatever mix of objects makes them: of a whole namespace on a scan; else those for which a
 * PeerAuthentication sets no mode and inherits none that is STRICT.
 */
export const plaintext: Find = (context, object, params) =>
  kindNameOf(object) === KINDS.namespace
    ? plaintextOfNamespace(context, ownName(object), params)
    : inheritedPlaintext(context, object, params)

const inheritedPlaintext: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (setsMode(object)) return []
  const old = context.before.get(KINDS.peerAuthentication, namespaceOf(object), ownName(object))
  for (const namespace of namespacesOf(mesh, object)) {
    const found = firstPlaintext(
      { mesh, before: context.before },
      namespace,
      ({ port, decided }, { policies, former }) => {
        // What somebody wrote is told of where it is written, and what was STRICT before by another rule.
        if (!isInheritedPast(policies, object, decided)) return false
        return old === undefined || mtlsUnder(former, port).mode !== 'STRICT'
      },
    )
    if (found === undefined) continue
    if (context.knowledge === 'partial' && !isSettled(object, found.decided))
      return [{ field: 'spec.mtls.mode', outcome: 'skip' }]
    return [
      {
        field: 'spec.mtls.mode',
        message: `no mode is set here and none that is STRICT is inherited: ${placeOf(context, found, params)} accepts plaintext, ${reasonOf(context, found.decided, params)}`,
        remediation: 'set spec.mtls.mode to STRICT',
        related: [relatedTo(context, refOf(found.workload.object), params)],
      },
    ]
  }
  return []
}

/**
 * Can no further file change what a policy without a mode inherits? One with a selector has the mode of its namespace's policy, where
 * that sets one; its workloads can have no other policy between.
 */
function isSettled(policy: KubeObject, { object: decider }: EffectiveMtls): boolean {
  return !isNamespaceWide(policy) && decider !== undefined && namespaceOf(decider) === namespaceOf(policy)
}

function plaintextOfNamespace(context: MeshContext, namespace: string, params: JsonObject): readonly MeshFinding[] {
  const mesh = discoveredMesh(context.mesh)
  const all = workloadsIn(mesh, namespace).flatMap((workload) => plaintextPorts(mesh, workload))
  const byReason = Map.groupBy(all, ({ decided }) => reasonOf(context, decided, params))
  return [...byReason].map(([reason, found]) => {
    const workloads = [...new Set(found.map(({ workload }) => workload.name))]
    const shown = workloads.slice(0, 3).join(', ') + (workloads.length > 3 ? ` and ${workloads.length - 3} more` : '')
    const ports = [...new Set(found.flatMap(({ port }) => port ?? []))]
    const where =
      ports.length === 0 || found.some(({ port }) => port === undefined) ? '' : ` on port ${ports.join(', ')}`
    return {
      field: '',
      message: `${shown} in ${namespace} ${workloads.length === 1 ? 'accepts' : 'accept'} plaintext${where}: ${reason}`,
      remediation: `apply a PeerAuthentication with mode STRICT in ${namespace}, or mend the one that decides`,
      related: found
        .slice(0, 1)
        .flatMap(({ decided }) =>
          decided.object === undefined ? [] : [relatedTo(context, refOf(decided.object), params, decided.field)],
        ),
    }
  })
}
