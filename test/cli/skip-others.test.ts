import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { run, type Run } from './run-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'others-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILES = {
  loose: 'apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a, labels: { owner: x } }\nspec: { mode: LOOSE }\n',
  compose: 'services:\n  web: { image: nginx }\n',
  broken: 'a: b: c\n',
}

/** Runs a command on files of these names, and shows what it says with the folder's name left out. */
async function meshward(command: readonly string[], ...names: readonly (keyof typeof FILES)[]): Promise<Run> {
  const paths = names.map((name) => {
    const path = join(folder, `${name}.yaml`)
    writeFileSync(path, FILES[name])
    return path
  })
  const { code, stdout, stderr } = await run([...command, '--only', 'TST-01', ...paths])
  const shown = (text: string): string => text.replaceAll(`${folder}/`, '')
  return { code, stdout: shown(stdout), stderr: shown(stderr) }
}

const NOTE = 'compose.yaml: no apiVersion and kind, so no Kubernetes object; passed over\n'

describe('check --skip-others', () => {
  test('judges the objects and notes what it passed over', async () => {
    const { code, stdout, stderr } = await meshward(['check', '--skip-others', '-o', 'json'], 'compose', 'loose')
    const { documents, summary, errors } = JSON.parse(stdout)
    expect({ code, stderr, documents, summary, errors }).toStrictEqual({
      code: 1,
      stderr: NOTE,
      documents: 1,
      summary: { deny: 1, warn: 0, audit: 0, error: 0, skipped: 0 },
      errors: [],
    })
  })

  test('finds nothing wrong where no file holds an object', async () => {
    expect(await meshward(['check', '--skip-others'], 'compose')).toStrictEqual({
      code: 0,
      stdout: '0 objects checked: nothing found\n',
      stderr: NOTE,
    })
  })

  test('still cannot judge what is no YAML', async () => {
    expect(await meshward(['check', '--skip-others'], 'compose', 'broken')).toMatchObject({ code: 2 })
  })

  test('is needed: a named file that is no object is an error', async () => {
    expect(await meshward(['check'], 'compose', 'loose')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('error[DOC-08]'),
    })
  })
})

describe('fix --skip-others', () => {
  test('mends the objects and leaves the rest as it is', async () => {
    expect(await meshward(['fix', '--write', '--skip-others'], 'compose', 'loose')).toStrictEqual({
      code: 0,
      stdout: 'fixed TST-01 in loose.yaml, Thing default/a: spec.mode: mode LOOSE is loose\n',
      stderr: `${NOTE}loose.yaml written\n`,
    })
    expect(readFileSync(join(folder, 'loose.yaml'), 'utf8')).toBe(FILES.loose.replace('LOOSE', 'STRICT'))
    expect(readFileSync(join(folder, 'compose.yaml'), 'utf8')).toBe(FILES.compose)
  })

  test('has nothing to do where no file holds an object', async () => {
    expect(await meshward(['fix', '--write', '--skip-others'], 'compose')).toStrictEqual({
      code: 0,
      stdout: '',
      stderr: NOTE,
    })
  })

  test('is needed: a named file that is no object is an error', async () => {
    expect(await meshward(['fix'], 'compose')).toMatchObject({ code: 2 })
  })
})
