import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'

import { CLEAN, THINGS } from './run-in-process.ts'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program as people do, with nothing of this process's environment but the path. */
async function meshward(
  args: readonly string[],
  options: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    env: { PATH: process.env.PATH, ...options.env },
  })
  child.stdin.end(options.stdin ?? '')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

const OWN = ['--policies', 'test/cli/fixtures/policies', '--only', 'TST']
const LOOSE = 'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: a, labels: {owner: x}}\nspec: {mode: LOOSE}\n'

describe('the program', () => {
  test('judges standard input: the answer on stdout, nothing on stderr, the result as exit code', async () => {
    expect(await meshward(['check', ...OWN, '-'], { stdin: LOOSE })).toStrictEqual({
      code: 1,
      stdout: `deny[TST-01] spec.mode: mode LOOSE is loose
  --> standard input:4:14, Thing default/a
   |
 3 | metadata: {name: a, labels: {owner: x}}
 4 | spec: {mode: LOOSE}
   |              ^^^^^
   = set mode to STRICT
   = write spec.mode: STRICT
   = read more: meshward explain TST-01

1 object checked: 1 deny
\`meshward fix\` mends 1 of 1 finding; with --write, in the files
`,
      stderr: '',
    })
  })

  test('comes with its rules and finds nothing wrong in what breaks none', async () => {
    expect(await meshward(['check', CLEAN])).toStrictEqual({
      code: 0,
      stdout: '1 object checked: nothing found\n',
      stderr: '',
    })
  })

  test('mends a pipe', async () => {
    expect(await meshward(['fix', ...OWN, '-o', 'yaml', '-'], { stdin: LOOSE })).toStrictEqual({
      code: 0,
      stdout: LOOSE.replace('LOOSE', 'STRICT'),
      stderr: 'fixed TST-01 in standard input, Thing default/a: spec.mode: mode LOOSE is loose\n',
    })
  })

  test('colours by FORCE_COLOR, never by NO_COLOR', async () => {
    const coloured = await meshward(['check', ...OWN, THINGS], { env: { FORCE_COLOR: '1' } })
    expect(coloured.stdout).toContain('\u001B[31m')
    const plain = await meshward(['check', ...OWN, THINGS], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
    expect(plain.stdout).not.toContain('\u001B')
  })

  test('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'check', ...OWN, '-o', 'json', '-'])
    const stderr = text(child.stderr)
    child.stdout.destroy()
    child.stdin
      .on('error', () => undefined)
      .end(Array.from({ length: 2000 }, (_, i) => LOOSE.replace('name: a', `name: a${i}`)).join('---\n'))
    await once(child, 'close')
    expect(await stderr).toBe('')
  })

  test('is asked wrongly: 2, and a sentence on stderr', async () => {
    expect(await meshward(['check', '--only', 'x'])).toStrictEqual({
      code: 2,
      stdout: '',
      stderr:
        'CLI-06: there is nothing to judge; name a file, a folder or -, or give --cluster for what is in a cluster\n',
    })
  })

  test('begins to serve and ends in order', async () => {
    const child = spawn(process.execPath, [
      'src/cli/main.ts',
      'serve',
      '--port',
      '0',
      '--shutdown-delay',
      '0ms',
      '--log-level',
      'silent',
    ])
    const [first] = await once(child.stdout.setEncoding('utf8'), 'data')
    expect(first).toMatch(/^Meshward .* is ready on https:\/\/127\.0\.0\.1:\d+\n$/)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
