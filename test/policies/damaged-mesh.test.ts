import { expect, test } from 'vitest'

import { isList, isObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { isKubeObject, type KubeObject } from '../../src/kube/object.ts'
import { buildSnapshot, refOf } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { kindsReadBy, MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { PolicyTest } from '../../src/policy/policy-tests.ts'
import { readPolicyFolders } from '../../src/sources/policy-folders.ts'

// One object that is damaged in one place must not keep a rule from judging any other: its functions never throw.

const { folders } = readPolicyFolders(['policies'], createPolicyCompiler(MESH_FUNCTIONS))
const reading = folders.filter(({ policy }) => kindsReadBy(policy).length > 0)

let tried = 0

test.each(reading.map(({ folder, policy, tests }) => [folder, policy, tests] as const))(
  '%s judges whatever one object of the mesh holds',
  (_folder, policy, tests) => {
    const thrown = tests.flatMap((example) => [...thrownBy(policy, example)])
    expect(thrown.slice(0, 3)).toEqual([])
  },
)

test('there was something to judge', () => {
  expect(tried).toBeGreaterThan(1000)
})

/** What a value turns into. */
const DAMAGE: readonly Json[] = [null, true, -1, 'x', '', [], [null], {}, { a: null }]

/** What the functions of a policy throw where one value of one object of an example is another one. */
function* thrownBy(policy: Policy, example: PolicyTest): Generator<string> {
  const target = example.object ?? example.oldObject
  if (!isKubeObject(target)) return
  const params: Json = { ...policy.params.default, ...example.params }
  const called = MESH_FUNCTIONS.filter(({ name }) => policy.program?.functions.has(name) === true)
  for (const [index, victim] of example.mesh.entries()) {
    for (const [path, damaged] of damages(victim)) {
      const value = DAMAGE[tried++ % DAMAGE.length] ?? null
      const object = damaged(value)
      if (!isKubeObject(object)) continue
      const around = buildSnapshot(example.mesh.with(index, object))
      const mesh = example.object === null ? around.without(refOf(target)) : around.with(target)
      const subject = { apiVersion: target.apiVersion, ...refOf(target) }
      const context = { mesh, before: around, knowledge: 'whole', operation: example.operation, subject } as const
      for (const { name, call } of called) {
        try {
          call(context, [target, params])
        } catch (error) {
          yield `${example.name}: ${name}: ${victim.kind} ${path} = ${JSON.stringify(value)}: ${String(error)}`
        }
      }
    }
  }
}

/** Every place in an object but its identity, and the object with another value there. */
function* damages({ apiVersion, kind, ...rest }: KubeObject): Generator<[string, (value: Json) => JsonObject]> {
  const own: Json = JSON.parse(JSON.stringify(rest))
  for (const path of places(own))
    yield [path.join('.'), (value) => ({ apiVersion, kind, ...asMembers(replaced(own, path, value)) })]
}

function* places(value: Json): Generator<readonly (string | number)[]> {
  const members = isList(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : []
  for (const [key, member] of members) {
    yield [key]
    if (member !== undefined) for (const path of places(member)) yield [key, ...path]
  }
}

function replaced(value: Json, [key, ...rest]: readonly (string | number)[], to: Json): Json {
  if (key === undefined) return to
  if (isList(value)) return value.map((item, index) => (index === key ? replaced(item, rest, to) : item))
  if (!isObject(value)) return value
  return { ...value, [key]: replaced(value[key] ?? null, rest, to) }
}

function asMembers(value: Json): JsonObject {
  return isObject(value) ? value : {}
}
