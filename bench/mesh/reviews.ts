import { join } from 'node:path'

import { decide } from '../../src/engine/decide.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import type { MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readsMesh } from '../../src/policy/policy.ts'
import { createPolicySet, type PolicySet } from '../../src/policy/policy-set.ts'
import { loadPolicySet } from '../../src/sources/policy-files.ts'
import { validationResponse } from '../../src/webhook/admission-response.ts'
import { readAdmissionReview } from '../../src/webhook/admission-review.ts'
import { parseJson } from '../../src/webhook/parse-json.ts'
import { MESH_REVIEWS, reviewBody } from './mesh-reviews.ts'
import { summarizeLong, timed, type Row, type Time } from './times.ts'

/** What a handler does with the body of a review, HTTP aside. Returns the text of the answer. */
function answer(body: Buffer, policies: PolicySet, mesh: MeshSnapshot): string {
  const json = parseJson(body, 'an AdmissionReview')
  const request = json.ok ? readAdmissionReview(json.value) : json
  if (!request.ok) throw new Error(request.problem.message)
  return JSON.stringify(validationResponse(decide({ request: request.value, policies, mesh, phase: 'validate' })))
}

const NAMESPACES = 50
const ROUNDS = 6
const WARM_UP = 2

/**
 * Reviews in a mesh, each after an event of a watch, so that nothing that was worked out about the mesh as a whole is still there.
 * As many namespaces in either mesh.
 */
export function measureReviews(whole: MeshSnapshot, namespaces: number, policies: PolicySet): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>()
  let mesh = whole
  for (const [name, make] of Object.entries(MESH_REVIEWS)) {
    const times: Time[] = []
    for (let sample = 0; sample < (ROUNDS + WARM_UP) * NAMESPACES; sample++) {
      const namespace = `team-${(sample % NAMESPACES) * Math.floor(namespaces / NAMESPACES)}`
      const review = make(mesh, namespace)
      if (review === undefined) continue
      const body = reviewBody(review)
      mesh = withEvent(mesh, namespace, sample)
      const time = timed(() => answer(body, policies, mesh))
      if (sample >= WARM_UP * NAMESPACES) times.push(time)
    }
    rows.set(name, summarizeLong(times))
  }
  return rows
}

/**
 * Processor time of a review that no rule over the mesh is for, with all policies as a multiple of that with the others alone: the
 * median of some rounds in turn.
 */
export function costOfUnasked(mesh: MeshSnapshot): number {
  const [all, others] = [shippedPolicies('all'), shippedPolicies('without the mesh')]
  const body = reviewBody({ object: UNASKED, oldObject: undefined })
  const round = (policies: PolicySet): number =>
    timed(() => {
      for (let each = 0; each < 3000; each++) answer(body, policies, mesh)
    }).processor
  const ratios = Array.from({ length: 11 }, () => {
    const [first, whole, last] = [round(others), round(all), round(others)]
    return (2 * whole) / (first + last)
  })
  return ratios.sort((a, b) => a - b)[5] ?? Number.NaN
}

/** Of a kind that only rules over the object itself are for. */
const UNASKED: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly', namespace: 'team-1' },
  spec: {
    schedule: '0 3 * * *',
    jobTemplate: {
      spec: { template: { spec: { containers: [{ name: 'nightly', image: 'registry.example/nightly' }] } } },
    },
  },
}

function withEvent(mesh: MeshSnapshot, namespace: string, sample: number): MeshSnapshot {
  const pods = mesh.inNamespace(KINDS.pod, namespace)
  const pod = pods[sample % pods.length]
  if (pod === undefined) return mesh
  return mesh.with({ ...pod, metadata: { ...pod.metadata, resourceVersion: String(sample) } })
}

/** All shipped policies, or those of them that look at nothing but the object. */
export function shippedPolicies(which: 'all' | 'without the mesh'): PolicySet {
  const compiler = createPolicyCompiler(MESH_FUNCTIONS)
  const options = {
    policies: [join(import.meta.dirname, '..', '..', 'policies')],
    bindings: [],
    enforcement: 'enforce',
  } as const
  const loaded = loadPolicySet(options, compiler)
  if (!loaded.ok) throw new Error(loaded.issues[0]?.message)
  if (which === 'all') return loaded.set
  const policies = loaded.set.policies.filter((policy) => !readsMesh(policy))
  const without = createPolicySet({ policies, bindings: [], enforcement: 'enforce' })
  if (!without.ok) throw new Error(without.issues[0]?.message)
  return without.set
}
