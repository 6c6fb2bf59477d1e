import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { isKubeObject } from '../../src/kube/object.ts'
import type { KindName } from '../../src/mesh/kinds.ts'
import { buildSnapshot, refOf } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { kindsReadBy, MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { PolicyTest } from '../../src/policy/policy-tests.ts'
import { readPolicyFolders } from '../../src/sources/policy-folders.ts'

// What a policy declares to read decides what is watched, and what the chart asks for: it must be what is really read.

const { folders } = readPolicyFolders(['policies'], createPolicyCompiler(MESH_FUNCTIONS))
const reading = folders.filter(({ policy }) => kindsReadBy(policy).length > 0)

test.each(reading.map(({ folder, policy, tests }) => [folder, policy, tests] as const))(
  '%s reads no kind that it does not declare',
  (_folder, policy, tests) => {
    const read = new Set(tests.flatMap((example) => kindsRead(policy, example)))
    const declared = new Set(kindsReadBy(policy))
    expect([...read].filter((kind) => !declared.has(kind))).toEqual([])
  },
)

function kindsRead(policy: Policy, { object, oldObject, operation, mesh, params }: PolicyTest): readonly KindName[] {
  const target = object ?? oldObject
  if (!isKubeObject(target)) return []
  const around = buildSnapshot(mesh)
  const before = around.recording()
  const after = (object === null ? around.without(refOf(target)) : around.with(target)).recording()
  const subject = { apiVersion: target.apiVersion, ...refOf(target) }
  const context = { mesh: after, before, knowledge: 'whole', operation, subject }
  const given: Json = { ...policy.params.default, ...params }
  for (const { name, call } of MESH_FUNCTIONS)
    if (policy.program?.functions.has(name) === true) call(context, [target, given])
  return [...before.kindsRead, ...after.kindsRead]
}
