import { applyFixes } from '../engine/apply-fixes.ts'
import type { Decision, Filled, Finding } from '../engine/decision.ts'
import { applyJsonPatch } from '../kube/apply-patch.ts'
import type { JsonObject } from '../kube/json.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import { isKubeObject } from '../kube/object.ts'
import { setPatch } from '../kube/set-patch.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import type { Manifest } from '../sources/manifests.ts'
import { decideOn, judgedObjects, meshAround, type CheckInput } from './check-documents.ts'
import type { JudgedObject } from './judged-object.ts'

/** What became of one document. */
export interface FixedObject {
  readonly manifest: Manifest
  readonly ref: JudgedObject['ref']
  /** The object as it was written, with everything mended. */
  readonly object: JsonObject
  /** From the object as it was written to `object`; empty where there was nothing to mend. */
  readonly patch: JsonPatch
  readonly filled: readonly Filled[]
  readonly fixed: readonly Finding[]
}

/** A fix may call for a default and a default for a fix; more rounds than these are a circle. */
const MOST_ROUNDS = 8

/** Mending one object may change what is right for another one; so often the mesh is looked at anew. */
const MOST_MESHES = 4

/**
 * Fills the defaults of documents and applies the safe fixes of their findings, over and over until nothing changes.
 * The annotation that records filled defaults is left out: in a file that people own, the value is theirs. Pure.
 */
export function fixDocuments(input: CheckInput): readonly FixedObject[] {
  const judged = judgedObjects(input)
  let current = judged.map(untouched)
  for (let round = 0; round < MOST_MESHES; round += 1) {
    const mesh = meshAround(input.context, current)
    const next = current.map((fixing) => mend(fixing, input, mesh))
    const done = next.every((fixing, index) => fixing.patch.length === current[index]?.patch.length)
    current = next
    if (done) break
  }
  return current.map(toFixedObject)
}

/** An object on its way; `object` has the namespace that it is judged in. */
interface Fixing {
  readonly judged: JudgedObject
  readonly object: JudgedObject['object']
  readonly patch: JsonPatch
  readonly filled: readonly Filled[]
  readonly fixed: readonly Finding[]
}

function untouched(judged: JudgedObject): Fixing {
  return { judged, object: judged.object, patch: [], filled: [], fixed: [] }
}

function mend(start: Fixing, input: CheckInput, mesh: MeshSnapshot): Fixing {
  let fixing = start
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = fixing.patch.length
    if (input.defaults === 'inject') fixing = fill(fixing, input, mesh)
    fixing = applyAll(fixing, input, mesh)
    if (fixing.patch.length === before) break
  }
  return fixing
}

function fill(fixing: Fixing, { policies, knowledge }: CheckInput, mesh: MeshSnapshot): Fixing {
  const { filled } = decideOn(fixing.judged.request, fixing.object, { policies, mesh, knowledge, phase: 'mutate' })
  let next = fixing
  for (const field of filled) {
    const patch = setPatch(next.object, field.path, field.value)
    next = { ...patched(next, patch), filled: [...next.filled, field] }
  }
  return next
}

function applyAll(fixing: Fixing, { policies, knowledge }: CheckInput, mesh: MeshSnapshot): Fixing {
  const judge = (object: JsonObject): Decision =>
    decideOn(fixing.judged.request, isKubeObject(object) ? object : fixing.object, {
      policies,
      mesh,
      knowledge,
      phase: 'validate',
    })
  const { fixed } = applyFixes(fixing.object, judge)
  const patch = fixed.flatMap((finding) => finding.fix ?? [])
  return { ...patched(fixing, patch), fixed: [...fixing.fixed, ...fixed] }
}

function patched(fixing: Fixing, patch: JsonPatch): Fixing {
  const object = patch.length === 0 ? undefined : applyJsonPatch(fixing.object, patch)
  return isKubeObject(object) ? { ...fixing, object, patch: [...fixing.patch, ...patch] } : fixing
}

function toFixedObject({ judged, patch, filled, fixed }: Fixing): FixedObject {
  const { manifest, ref } = judged
  // the namespace that the object was judged in stays out of the file
  const object = applyJsonPatch(manifest.object, patch) ?? manifest.object
  return { manifest, ref, object, patch, filled, fixed }
}
