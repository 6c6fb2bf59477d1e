import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { run } from './run-in-process.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-cel-'))
afterAll(() => rmSync(root, { recursive: true }))

const DEPLOYMENT =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { replicas: 3, hosts: [a, b] }\n'

async function cel(expression: string, ...more: readonly string[]): Promise<unknown> {
  const { code, stdout } = await run(['cel', expression, '-f', '-', '-o', 'json', ...more], { stdin: DEPLOYMENT })
  const answer: object = JSON.parse(stdout)
  return { code, ...answer }
}

describe('an expression and an object', () => {
  test.each<readonly [expression: string, value: unknown, type: string]>([
    ['1 + 1', 2, 'int'],
    ['object.spec.replicas', 3, 'int'],
    ['object.spec.hosts', ['a', 'b'], 'list'],
    ['object.spec.hosts.all(host, host.size() == 1)', true, 'bool'],
    ['oldObject', null, 'null_type'],
    ['request.operation + " " + request.resource.resource', 'CREATE deployments', 'string'],
    ['object.metadata.namespace', 'default', 'string'],
    ['params', {}, 'map'],
  ])('%s', async (expression, value, type) => {
    expect(await cel(expression)).toStrictEqual({ code: 0, value, type, cost: expect.any(Number) })
  })

  test('costs more where more is looked at', async () => {
    const costOf = async (expression: string): Promise<number> =>
      JSON.parse((await run(['cel', expression, '-o', 'json'])).stdout).cost
    expect(await costOf('[1, 2, 3, 4].all(x, x > 0)')).toBeGreaterThan(await costOf('[1].all(x, x > 0)'))
  })

  test('parameters come from a file', async () => {
    const file = join(root, 'params.yaml')
    writeFileSync(file, 'most: 2\n')
    expect(await cel('object.spec.replicas > params.most', '--params', file)).toMatchObject({ code: 0, value: true })
  })

  test('for people: the value as YAML, its type and cost', async () => {
    const { code, stdout } = await run(['cel', 'object.spec', '-f', '-'], { stdin: DEPLOYMENT })
    expect(stdout).toMatch(/^replicas: 3\nhosts:\n {2}- a\n {2}- b\n\ntype map, cost \d+\n$/)
    expect(code).toBe(0)
  })
})

describe('what goes wrong is 2, and points at the part that is wrong', () => {
  test.each<readonly [expression: string, code: string, start: number]>([
    ['objct.spec', 'CEL-UNKNOWN-NAME', 0],
    ['object.spec.x', 'CEL-RUNTIME', 12],
    ["1 + 'a'", 'CEL-TYPE', 0],
  ])('%s', async (expression, code, start) => {
    expect(await cel(expression)).toMatchObject({ code: 2, error: { code, message: expect.any(String), start } })
  })

  test('for people: with a marker', async () => {
    expect(await run(['cel', 'objct.a\n  + 1'])).toStrictEqual({
      code: 2,
      stdout: 'error[CEL-UNKNOWN-NAME] unknown name "objct"; did you mean "object"?\n  | objct.a\n  | ^^^^^\n',
      stderr: '',
    })
  })

  test.each<readonly [name: string, stdin: string, stderr: string]>([
    [
      'two objects',
      `${DEPLOYMENT}---\n${DEPLOYMENT}`,
      'standard input: CLI-03: this holds 2 documents; give exactly one\n',
    ],
    ['no object', '', 'standard input: CLI-03: this holds no document; give exactly one\n'],
    [
      'no YAML',
      'a: b: c',
      'standard input:1:4: DOC-01: a second ": " on one line; put quotes around a value that contains ": ", or check the indentation\n',
    ],
  ])('%s', async (_, stdin, stderr) => {
    expect(await run(['cel', '1', '-f', '-'], { stdin })).toStrictEqual({ code: 2, stdout: '', stderr })
  })
})
