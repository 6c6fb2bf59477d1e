import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, expect, test } from 'vitest'

import { run } from './run-in-process.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-progress-'))
afterAll(() => rmSync(root, { recursive: true }))

function layThings(count: number): string {
  const folder = mkdtempSync(join(root, 'things-'))
  for (let index = 0; index < count; index += 1) {
    const text = `apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a${index}, labels: { owner: x } }\n`
    writeFileSync(join(folder, `${index}.yaml`), text)
  }
  return folder
}

/** A terminal that keeps what is drawn on it. */
function terminal(): PassThrough {
  return Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns: 100 })
}

test.each([
  [300, /reading \[.*\] \d+\/300/],
  [10, /^$/],
])('%i files on a terminal', async (count, drawn) => {
  const progress = terminal()
  expect(await run(['check', layThings(count)], { progress })).toStrictEqual({
    code: 0,
    stdout: `${count} objects checked: nothing found\n`,
    stderr: '',
  })
  expect(String(progress.read() ?? '')).toMatch(drawn)
})
