import { decide, type DecideInput } from '../engine/decide.ts'
import type { Decision, Finding } from '../engine/decision.ts'
import type { MeshKnowledge } from '../engine/mesh-knowledge.ts'
import type { AdmissionRequest } from '../engine/request.ts'
import type { FieldPath } from '../kube/field-path.ts'
import type { KubeObject } from '../kube/object.ts'
import { buildSnapshot, refOf, type MeshSnapshot } from '../mesh/snapshot.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { InputError } from '../sources/input-error.ts'
import { locateField, type Manifest, type ManifestsRead } from '../sources/manifests.ts'
import { summarize, type CheckReport, type FindingSource, type ReportedFinding } from './check-report.ts'
import { definedKinds, repeatedObjects, toJudgedObject, type DefinedKinds, type JudgedObject } from './judged-object.ts'

export interface CheckInput {
  readonly read: ManifestsRead
  readonly policies: PolicySet
  /** The mesh around the documents. Each of them replaces the object of its identity there. */
  readonly context: MeshSnapshot
  /** Kinds that the context's CustomResourceDefinitions define. */
  readonly contextKinds: DefinedKinds
  /** partial: what a document refers to may exist without being known here; rules over references are then skipped. */
  readonly knowledge: MeshKnowledge
  /** Of documents that name none. */
  readonly namespace: string
  /** off: as written; inject: after the defaults are filled. */
  readonly defaults: 'off' | 'inject'
}

/** One document judged. */
export interface CheckedObject extends JudgedObject {
  readonly decision: Decision
  /** The findings as they are reported, in the order of the decision. */
  readonly findings: readonly PlacedFinding[]
}

/** A finding as it is reported, and the way to its field in the object. */
export interface PlacedFinding {
  readonly reported: ReportedFinding
  readonly path: FieldPath
}

export interface CheckResult {
  readonly report: CheckReport
  readonly objects: readonly CheckedObject[]
}

/**
 * Judges documents as the webhook would when they are applied, all of them in one mesh. The same function stands
 * behind `meshward check` and `POST /dry-run`. `onObject` is called after each. Pure; never throws.
 */
export function checkDocuments(input: CheckInput, onObject: () => void = () => undefined): CheckResult {
  const judged = judgedObjects(input)
  const mesh = meshAround(input.context, judged)
  const phase = input.defaults === 'inject' ? 'both' : 'validate'
  const objects = judged.map(({ manifest, object, ref, request }): CheckedObject => {
    const around = { mesh, phase, policies: input.policies, knowledge: input.knowledge } as const
    const decision = withScan(decideOn(request, object, around), request, around)
    onObject()
    return { manifest, object, ref, request, decision, findings: placeFindings(manifest, decision) }
  })
  return { report: toReport(input, objects), objects }
}

/** The documents of a check as the requests that the API server would make of them. */
export function judgedObjects({
  read,
  contextKinds,
  namespace,
}: Pick<CheckInput, 'read' | 'contextKinds' | 'namespace'>): readonly JudgedObject[] {
  const kinds = new Map([...contextKinds, ...definedKinds(read.manifests.map(({ object }) => object))])
  return read.manifests.map((manifest) => toJudgedObject(manifest, kinds, namespace))
}

/** The mesh in which documents are judged: they belong to it and win over what was there. */
export function meshAround(
  context: MeshSnapshot,
  judged: readonly { readonly object: JudgedObject['object'] }[],
): MeshSnapshot {
  const objects = judged.map(({ object }) => object)
  // around a few objects a mesh is changed, and from nothing it is built: both give the same
  if (context.size === 0) return buildSnapshot(objects, { istioNamespace: context.istioNamespace })
  return objects.reduce((mesh, object) => mesh.with(object), context)
}

/** Decides on the creation of an object: to itself, the mesh is as it was before. */
export function decideOn(
  request: AdmissionRequest,
  object: KubeObject,
  { mesh, ...rest }: Omit<DecideInput, 'request'>,
): Decision {
  return decide({ request: { ...request, object }, mesh: mesh.without(refOf(object)), meshAfter: mesh, ...rest })
}

/** The decision on an object together with what is to be said of it as it stands: that something is missing. */
function withScan(
  decision: Decision,
  request: AdmissionRequest,
  { mesh, policies, knowledge = 'whole' }: Omit<DecideInput, 'request'>,
): Decision {
  if (knowledge === 'partial') return decision
  const scan = decide({ request: { ...request, operation: 'SCAN' }, mesh, policies, knowledge, phase: 'validate' })
  if (!scan.judged) return decision
  return {
    ...decision,
    judged: true,
    allowed: decision.allowed && scan.allowed,
    findings: [...decision.findings, ...scan.findings],
    evaluated: [...decision.evaluated, ...scan.evaluated],
    skipped: decision.skipped + scan.skipped,
  }
}

/** The findings of a decision with the places where they are written. Skipped rules are counted, not listed. */
function placeFindings(manifest: Manifest, decision: Decision): readonly PlacedFinding[] {
  return decision.findings
    .filter(({ outcome }) => outcome !== 'skip')
    .map((finding) => ({ reported: reportFinding(manifest, decision, finding), path: finding.path }))
}

function reportFinding(manifest: Manifest, decision: Decision, finding: Finding): ReportedFinding {
  const { code, policy, outcome, action, actions, severity, field, message, remediation, fix, related } = finding
  const source: FindingSource = { ...manifest.place, ...locateField(manifest, finding.path) }
  return {
    code,
    policy,
    outcome,
    action,
    actions,
    severity,
    object: decision.object,
    source,
    field,
    message,
    remediation,
    ...(fix === undefined ? {} : { fix }),
    ...(related === undefined ? {} : { related }),
  }
}

function toReport({ read }: CheckInput, objects: readonly CheckedObject[]): CheckReport {
  const findings = objects.flatMap((object) => object.findings.map(({ reported }) => reported))
  const skipped = objects.reduce((sum, { decision }) => sum + skippedRules(decision), 0)
  return {
    documents: objects.length,
    findings,
    errors: [...read.errors, ...repeatedObjects(objects), ...nothingToJudge(read)],
    summary: summarize(findings, skipped),
  }
}

/** An answer of no findings about no objects would look like a clean one. */
function nothingToJudge({ manifests, errors }: ManifestsRead): readonly InputError[] {
  if (manifests.length > 0 || errors.length > 0) return []
  const message = 'there is no Kubernetes object in what was given; give at least one manifest'
  return [{ code: 'DOC-10', file: '', message }]
}

function skippedRules({ skipped, findings }: Decision): number {
  return skipped + findings.filter(({ outcome }) => outcome === 'skip').length
}
