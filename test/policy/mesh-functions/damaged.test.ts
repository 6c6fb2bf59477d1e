import { describe, expect, test } from 'vitest'

import { asList, type JsonObject } from '../../../src/kube/json.ts'
import { isKubeObject, type KubeObject } from '../../../src/kube/object.ts'
import { createPolicyCompiler } from '../../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../../src/policy/mesh-functions/all.ts'
import type { PolicyTest } from '../../../src/policy/policy-tests.ts'
import { readPolicyFolders } from '../../../src/sources/policy-folders.ts'
import { ask, type Question } from './ask.ts'
import { damaged, shifted } from './damage.ts'

// Objects can be damaged in ways that a schema allows, and files in any way: there is an answer all the same.

const { folders } = readPolicyFolders(['policies'], createPolicyCompiler(MESH_FUNCTIONS))
/** Each function with the first example of its policy that has a finding. */
const EXAMPLES = folders.flatMap(({ policy, tests }) => {
  const example = tests.find(({ findings }) => findings !== undefined && findings.length > 0)
  return [...(policy.program?.functions ?? [])].flatMap((name) =>
    example === undefined ? [] : [[name.replace(/^mesh\./, ''), example, policy.params.default] as const],
  )
})

describe('whatever a place of the object holds', () => {
  test.each(EXAMPLES)('%s answers', (name, example, params) => {
    const question = toQuestion(example, params)
    const answers = [...damaged(question.object)].flatMap((object) =>
      isKubeObject(object) ? ask(name, { ...question, object }) : [],
    )
    expect(answers.filter((answer) => !isFinding(answer))).toEqual([])
  })
})

describe('whatever a place of another object holds', () => {
  test.each(EXAMPLES)('%s answers', (name, example, params) => {
    const question = toQuestion(example, params)
    const answers = (question.mesh ?? []).flatMap((other, index, mesh) =>
      [...damaged(other)].flatMap((odd) =>
        isKubeObject(odd) ? ask(name, { ...question, mesh: mesh.with(index, odd) }) : [],
      ),
    )
    expect(answers.filter((answer) => !isFinding(answer))).toEqual([])
  })
})

describe('an empty place in every list', () => {
  const named = /\[(\d+)\]/g

  test.each(EXAMPLES)('counts, for %s', (name, example, params) => {
    const question = toQuestion(example, params)
    const fields = (object: KubeObject): readonly string[] =>
      ask(name, { ...question, object }).map(({ field }) => JSON.stringify(field))
    const expected = fields(question.object).map((field) =>
      field.replaceAll(named, (_, index) => `[${Number(index) + 1}]`),
    )
    expect(fields(shifted(question.object))).toEqual(expected)
  })
})

test('every function has an example', () => {
  expect(new Set(EXAMPLES.map(([name]) => `mesh.${name}`))).toEqual(new Set(MESH_FUNCTIONS.map(({ name }) => name)))
})

function toQuestion(example: PolicyTest, defaults: JsonObject): Question {
  const { object, oldObject, operation, mesh, params } = example
  const asked = object ?? oldObject
  if (!isKubeObject(asked)) throw new Error('an example is about an object')
  return {
    object: asked,
    mesh: mesh.filter((each): each is KubeObject => isKubeObject(each)),
    operation,
    params: { ...defaults, ...params },
  }
}

/** A skipped place, or what people can read: a field and a message in one line, and a patch where there is a fix. */
function isFinding({ field, outcome, message, fix }: JsonObject): boolean {
  if (typeof field !== 'string') return false
  if (outcome === 'skip') return message === undefined
  const isReadable = typeof message === 'string' && message !== '' && !/\n|undefined|\[object/.test(message)
  return isReadable && asList(fix).every((step) => JSON.stringify(step).includes('"path":"/'))
}
