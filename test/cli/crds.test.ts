import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runServerProcess } from '../webhook/server-process.ts'
import { CLEAN, run } from './run-in-process.ts'

const CRDS = 'test/cli/fixtures/crds'
const WARNING = 'CEL-UNKNOWN-FIELD: unknown field "mod" in Thing.spec; did you mean "mode"?'

describe('the fields in policies, by the CRDs that are given', () => {
  let root: string
  let folder: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'meshward-crds-'))
    folder = join(root, 'mode')
    mkdirSync(folder)
    const policy = readFileSync('test/cli/fixtures/policies/mode/policy.yaml', 'utf8')
    writeFileSync(join(folder, 'policy.yaml'), policy.replace("target.mode == 'STRICT'", "target.mod == 'STRICT'"))
    writeFileSync(join(folder, 'tests.yaml'), readFileSync('test/cli/fixtures/policies/mode/tests.yaml'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const line = () => `${join(folder, 'policy.yaml')}:18:48: ${WARNING}`

  test('are told of by check, which goes on and judges', async () => {
    const { code, stderr } = await run(['check', CLEAN, '--policies', folder, '--crds', CRDS])
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${line()}\n` })
  })

  test('are an error under --strict-types', async () => {
    const { code, stdout } = await run([
      'check',
      CLEAN,
      '--policies',
      folder,
      '--crds',
      CRDS,
      '--strict-types',
      '-o',
      'json',
    ])
    const report: unknown = JSON.parse(stdout)
    expect(code).toBe(2)
    expect(report).toMatchObject({
      errors: [
        {
          code: 'CEL-UNKNOWN-FIELD',
          file: join(folder, 'policy.yaml'),
          line: 18,
          column: 48,
          message: 'unknown field "mod" in Thing.spec; did you mean "mode"?',
        },
      ],
    })
  })

  test('are an error of test, told once', async () => {
    const { code, stderr } = await run(['test', folder, '--crds', CRDS])
    expect({ code, stderr }).toEqual({ code: 2, stderr: `${line()}\n` })
  })

  test('are a reason not to serve under --strict-types', async () => {
    const ended = await runServerProcess('--port', '0', '--policies', folder, '--crds', CRDS, '--strict-types')
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(line())
  })

  test('are not looked at without them', async () => {
    expect(await run(['check', CLEAN, '--policies', folder, '--strict-types'])).toMatchObject({ code: 1, stderr: '' })
  })

  test('are all there in the rules that come with the program', async () => {
    expect(await run(['check', CLEAN, '--crds', CRDS, '--strict-types'])).toMatchObject({ code: 0, stderr: '' })
  })

  test.each([
    ['test/cli/fixtures/policies', 'FILE-06: there is no schema of a kind here'],
    ['nowhere.yaml', 'FILE-01: there is no such file or folder'],
  ])('need a schema: %s', async (path, message) => {
    const { code, stderr } = await run(['test', '--crds', path])
    expect(code).toBe(2)
    expect(stderr).toContain(`${path}: ${message}`)
  })
})
