import { decide } from '../engine/decide.ts'
import type { Decision, Finding } from '../engine/decision.ts'
import { whyStale, type MeshKnowledge } from '../engine/mesh-knowledge.ts'
import type { AdmissionRequest } from '../engine/request.ts'
import { isKubeObject } from '../kube/object.ts'
import type { KindName } from '../mesh/kinds.ts'
import { refOf, type MeshSnapshot } from '../mesh/snapshot.ts'
import { readsMesh, type Policy } from '../policy/policy.ts'
import type { PolicySet } from '../policy/policy-set.ts'

/** A request that was allowed, and what was found then. */
export interface Admitted {
  readonly request: AdmissionRequest
  readonly decision: Decision
}

/** What a request is judged by the second time. */
export interface RecheckSurroundings {
  readonly policies: PolicySet
  readonly mesh: MeshSnapshot
  readonly knowledge: MeshKnowledge
}

/**
 * Judges a request again in the mesh as it is by now: what is found that was not found then. Two changes that are fine
 * each for itself can be wrong together, and neither request could know of the other. Pure; never throws.
 */
export function recheck({ request, decision }: Admitted, around: RecheckSurroundings): readonly Finding[] {
  const known = new Set(decision.findings.map(keyOf))
  const again = decide({ request, ...around, mesh: meshBefore(request, around.mesh), phase: 'validate' })
  return again.findings.filter((finding) => finding.outcome === 'fail' && !known.has(keyOf(finding)))
}

/** Is there a reason to judge again? Only rules that read other objects can come to another answer. */
export function dependsOnMesh(decision: Decision, policies: PolicySet): boolean {
  return meshPolicies(decision, policies).length > 0
}

/** Is the mesh too old for one of the rules that can come to another answer? */
export function isPastRecheck(decision: Decision, { policies, knowledge }: RecheckSurroundings): boolean {
  return meshPolicies(decision, policies).some((policy) => whyStale(policy, knowledge) !== undefined)
}

/**
 * Is what was admitted no longer what is there? Another webhook may have refused it after all, and what has changed or
 * gone since was judged for itself. Told by uid and generation, which the object of a request has by then (kube: rest/create.go,
 * rest/update.go, before validating admission); of a kind that is not watched nothing is told.
 */
export function isSuperseded(
  { request }: Admitted,
  mesh: MeshSnapshot,
  isWatched: (kind: KindName) => boolean,
): boolean {
  const object = request.object ?? request.oldObject
  if (!isKubeObject(object)) return false
  const { kind, namespace, name } = refOf(object)
  const stored = mesh.get(kind, namespace, name)?.metadata
  if (request.operation === 'DELETE') return stored !== undefined && stored.deletionTimestamp === undefined
  if (stored === undefined) return isWatched(kind)
  return stored.uid !== object.metadata.uid || stored.generation !== object.metadata.generation
}

function meshPolicies({ evaluated }: Decision, { policies }: PolicySet): readonly Policy[] {
  const names = new Set(evaluated)
  return policies.filter((policy) => names.has(policy.name) && readsMesh(policy))
}

/** Everybody else's changes, without the one that is judged. */
function meshBefore({ object, oldObject }: AdmissionRequest, mesh: MeshSnapshot): MeshSnapshot {
  if (isKubeObject(oldObject)) return mesh.with(oldObject)
  return isKubeObject(object) ? mesh.without(refOf(object)) : mesh
}

function keyOf({ code, field, message }: Finding): string {
  return JSON.stringify([code, field, message])
}
