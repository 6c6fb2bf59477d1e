import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { applyPatch } from 'diff'
import { run, THINGS } from './run-in-process.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-fix-'))
afterAll(() => rmSync(root, { recursive: true }))

const MESSY = `# Who asks: the shop team
---
# the first
apiVersion: "example.io/v1"   # the API
kind: Thing
metadata:
    name: 'first'
    labels: {owner: shop,   tier: "1"}
spec:
    steps:
    - run: x   # quick


    - {run: y}
    mode:   'LOOSE'   # TODO: strict
# the end of the first
---
apiVersion: example.io/v1
kind: Thing
metadata: {name: second, labels: {owner: shop}}
spec: {mode: "LOOSE", steps: [{run: z}]} # on one line
`

const MENDED = `# Who asks: the shop team
---
# the first
apiVersion: "example.io/v1"   # the API
kind: Thing
metadata:
    name: 'first'
    labels: {owner: shop,   tier: "1"}
spec:
    steps:
    - run: x   # quick
      timeout: 15s


    - {run: y, timeout: 15s}
    mode:   'STRICT'   # TODO: strict
# the end of the first
---
apiVersion: example.io/v1
kind: Thing
metadata: {name: second, labels: {owner: shop}}
spec: {mode: "STRICT", steps: [{run: z, timeout: 15s}]} # on one line
`

function write(name: string, text: string): string {
  const file = join(root, name)
  writeFileSync(file, text)
  return file
}

describe('in the files', () => {
  test('comments, order, quoting and white space stay; what was done is told', async () => {
    const file = write('messy.yaml', MESSY)
    const { code, stdout, stderr } = await run(['fix', '--write', file])
    expect(readFileSync(file, 'utf8')).toBe(MENDED)
    expect({ code, stdout: stdout.replaceAll(root, 'HERE'), stderr: stderr.replaceAll(root, 'HERE') }).toStrictEqual({
      code: 0,
      stdout: `fixed TST-01 in HERE/messy.yaml, Thing default/first: spec.mode: mode LOOSE is loose
filled TST-02 in HERE/messy.yaml, Thing default/first: spec.steps[0].timeout: 15s (a step that takes longer is cut off)
filled TST-02 in HERE/messy.yaml, Thing default/first: spec.steps[1].timeout: 15s (a step that takes longer is cut off)
fixed TST-01 in HERE/messy.yaml, Thing default/second: spec.mode: mode LOOSE is loose
filled TST-02 in HERE/messy.yaml, Thing default/second: spec.steps[0].timeout: 15s (a step that takes longer is cut off)
`,
      stderr: 'HERE/messy.yaml written\n',
    })
  })

  test('a second time there is nothing to do, and check is content', async () => {
    const file = write('again.yaml', MENDED)
    expect(await run(['fix', '--write', file])).toStrictEqual({ code: 0, stdout: '', stderr: '' })
    expect(readFileSync(file, 'utf8')).toBe(MENDED)
    expect((await run(['check', '--fail-on', 'audit', file])).code).toBe(0)
  })

  test('Windows line breaks and byte order marks stay', async () => {
    const file = write('windows.yaml', `\uFEFF${MESSY.replaceAll('\n', '\r\n')}`)
    await run(['fix', '--write', file])
    expect(readFileSync(file, 'utf8')).toBe(`\uFEFF${MENDED.replaceAll('\n', '\r\n')}`)
  })

  test('JSON stays JSON, items of lists included', async () => {
    const list = (mode: string, step: object): string =>
      `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'example.io/v1', kind: 'Thing', metadata: { name: 'a', labels: { owner: 'x' } }, spec: { mode, steps: [step] } }] }, null, 4)}\n`
    const file = write('list.json', list('LOOSE', { run: 'x' }))
    expect((await run(['fix', '--write', file])).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(list('STRICT', { run: 'x', timeout: '15s' }))
  })

  test('what no fix mends is left and told, and counts', async () => {
    const file = write('left.yaml', readFileSync(THINGS, 'utf8'))
    const { code, stdout } = await run(['fix', '--write', file])
    expect({ code, left: stdout.split('\n').filter((line) => line.startsWith('left')) }).toStrictEqual({
      code: 1,
      left: [
        `left audit TST-03 at ${file}:18:11: metadata.labels.owner: nobody owns this; set the label owner to your team`,
        `left deny TST-04 at ${file}:21:9: spec.size: the rule could not be evaluated: "huge" is no int in int(target); correct the field if it has an unexpected type, else show this to the owner of the policy "limit-size"`,
      ],
    })
  })

  test('a change that would change something else as well is not made, and told', async () => {
    const shared = `apiVersion: example.io/v1
kind: Thing
metadata: { name: a, labels: { owner: x }, annotations: &shared { mode: LOOSE } }
spec: *shared
`
    const file = write('shared.yaml', shared)
    expect((await run(['fix', '--write', file])).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(shared.replace('spec: *shared', 'spec:\n  mode: STRICT'))
    const anchored = `apiVersion: example.io/v1
kind: Thing
metadata: { name: a, labels: { owner: x } }
spec: &shared { mode: LOOSE }
other: *shared
`
    const other = write('anchored.yaml', anchored)
    const { code, stdout } = await run(['fix', '--write', other])
    expect(readFileSync(other, 'utf8')).toBe(anchored)
    expect({ code, stdout: stdout.replaceAll(root, 'HERE') }).toStrictEqual({
      code: 1,
      stdout: `not changed: HERE/anchored.yaml, Thing default/a: its values are shared with others by an anchor or a merge; apply this by hand: [{"op":"replace","path":"/spec/mode","value":"STRICT"}]
left deny TST-01 at HERE/anchored.yaml:4:23: spec.mode: mode LOOSE is loose; set mode to STRICT
`,
    })
  })

  test('broken documents are left as they are, the others mended, and the run fails', async () => {
    const broken = `${MESSY}---\na: b: c\n`
    const file = write('broken.yaml', broken)
    const { code, stderr } = await run(['fix', '--write', file])
    expect(code).toBe(2)
    expect(stderr).toContain(`${file}:24:4: DOC-01: a second ": " on one line`)
    expect(readFileSync(file, 'utf8')).toBe(`${MENDED}---\na: b: c\n`)
  })

  test('a file that may not be written is an error and stays', async () => {
    const file = write('locked.yaml', MESSY)
    chmodSync(file, 0o444)
    chmodSync(root, 0o755)
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid?.(65534)
    try {
      const { code, stderr } = await run(['fix', '--write', file])
      expect({ code, stderr: stderr.replaceAll(root, 'HERE') }).toStrictEqual({
        code: 2,
        stderr: 'HERE/locked.yaml: FILE-05: this cannot be written (EACCES); nothing in it has changed\n',
      })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  test('standard input cannot be written', async () => {
    expect(await run(['fix', '--write', '-'], { stdin: MESSY })).toStrictEqual({
      code: 2,
      stdout: '',
      stderr: 'standard input: CLI-02: standard input cannot be written in place; leave out --write and use -o yaml\n',
    })
  })
})

describe('on standard output', () => {
  test('as a diff that patch takes; what was done is commentary', async () => {
    const file = write('diff.yaml', MESSY)
    const { code, stdout, stderr } = await run(['fix', file])
    expect(readFileSync(file, 'utf8')).toBe(MESSY)
    expect(applyPatch(MESSY, stdout)).toBe(MENDED)
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toStrictEqual({ code: 0, lines: 5 })
  })

  test('as a diff: nothing where nothing is to be done', async () => {
    expect((await run(['fix', '-'], { stdin: MENDED })).stdout).toBe('')
  })

  test('whole', async () => {
    expect((await run(['fix', '-o', 'yaml', '-'], { stdin: MESSY })).stdout).toBe(MENDED)
  })

  test('whole, several files as one stream', async () => {
    const one = write('one.yaml', 'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: a, labels: {owner: x}}')
    const two = write('two.yaml', MENDED)
    const { stdout } = await run(['fix', '-o', 'yaml', one, two])
    expect(stdout).toBe(`${readFileSync(one, 'utf8')}\n---\n${MENDED}`)
  })

  test('as JSON Patches, one for each object', async () => {
    const { stdout } = await run(['fix', '-o', 'patch', '--only', 'TST-01', '-'], { stdin: MESSY })
    const object = (name: string) => ({ apiVersion: 'example.io/v1', kind: 'Thing', namespace: 'default', name })
    const patch = [{ op: 'replace', path: '/spec/mode', value: 'STRICT' }]
    expect(JSON.parse(stdout)).toStrictEqual([
      { object: object('first'), source: { file: '-', document: 0 }, patch },
      { object: object('second'), source: { file: '-', document: 1 }, patch },
    ])
  })

  test('without defaults only what is found is mended', async () => {
    const { stdout } = await run(['fix', '-o', 'yaml', '--defaults', 'off', '-'], { stdin: MESSY })
    expect(stdout).toBe(MESSY.replace("'LOOSE'", "'STRICT'").replace('"LOOSE"', '"STRICT"'))
  })

  test('no annotation of ours goes into files that people own', async () => {
    expect((await run(['fix', '-o', 'yaml', '-'], { stdin: MESSY })).stdout).not.toContain('meshward.io')
  })
})
