import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { run } from './run-in-process.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-bad-input-'))
afterAll(() => rmSync(root, { recursive: true }))

const THING = 'apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a, labels: { owner: x } }\n'
const LAUGHS = Array.from(
  { length: 12 },
  (_, i) =>
    `a${i}: &a${i} [${Array(10)
      .fill(i === 0 ? 'x' : `*a${i - 1}`)
      .join(', ')}]\n`,
).join('')

/** Checks files laid out in a folder of their own; the folder is called HERE in what comes out. */
async function check(files: Readonly<Record<string, string | Uint8Array>>, path = ''): Promise<string> {
  const folder = mkdtempSync(join(root, 'case-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  const { code, stdout, stderr } = await run(['check', join(folder, path)])
  return `${stdout}${stderr}exit ${code}\n`.replaceAll(folder, 'HERE')
}

describe('input that cannot be judged: exit code 2, and a sentence that says what to do', () => {
  test.each<
    readonly [name: string, files: Readonly<Record<string, string | Uint8Array>>, path: string, output: string]
  >([
    [
      'a folder that is empty',
      { 'README.md': 'nothing to judge' },
      '',
      `error[FILE-04] this folder holds no .yaml, .yml or .json file; name the folder that has your manifests
  --> HERE

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'a file that is not there',
      {},
      'nowhere.yaml',
      `error[FILE-01] there is no such file or folder; check the path
  --> HERE/nowhere.yaml

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'a file that is no text',
      { 'a.yaml': new Uint8Array([0xff, 0xfe, 0x00]) },
      'a.yaml',
      `error[FILE-03] this is not UTF-8 text; save it as UTF-8, or leave it out
  --> HERE/a.yaml

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'a file without content',
      { 'a.yaml': '# nothing\n' },
      'a.yaml',
      `error[DOC-10] there is no Kubernetes object in what was given; give at least one manifest

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'a folder of YAML that is no manifest',
      { 'values.yaml': 'replicas: 1\n', 'sub/Chart.yaml': 'apiVersion: v2\nname: x\n' },
      '',
      `error[DOC-10] there is no Kubernetes object in what was given; give at least one manifest

0 objects checked: 1 error
HERE/sub/Chart.yaml: no apiVersion and kind, so no Kubernetes object; passed over
HERE/values.yaml: no apiVersion and kind, so no Kubernetes object; passed over
exit 2
`,
    ],
    [
      'a file that is named and no manifest',
      { 'values.yaml': `kind: Thing\n---\n${THING}` },
      'values.yaml',
      `error[DOC-08] an object of kind "Thing" without apiVersion; write apiVersion and kind, or leave this file out
  --> HERE/values.yaml:1:1
   |
 1 | kind: Thing
   | ^

1 object checked: 1 error
exit 2
`,
    ],
    [
      'tabs',
      { 'a.yaml': `${THING}spec:\n\tmode: STRICT\n` },
      'a.yaml',
      `error[DOC-01] a tab indents this line; YAML allows spaces only
  --> HERE/a.yaml:5:1
   |
 4 | spec:
 5 |     mode: STRICT
   | ^^^^

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'one broken document among three: the others are judged',
      { 'a.yaml': `${THING}---\nkind: [\n---\n${THING.replace('name: a', 'name: b')}spec: { mode: LOOSE }\n` },
      '',
      `deny[TST-01] spec.mode: mode LOOSE is loose
  --> HERE/a.yaml:10:15, Thing default/b
    |
  9 | metadata: { name: b, labels: { owner: x } }
 10 | spec: { mode: LOOSE }
    |               ^^^^^
    = set mode to STRICT
    = write spec.mode: STRICT
    = read more: meshward explain TST-01

error[DOC-01] a bracket is not closed here; write ], and indent what stands between the brackets
  --> HERE/a.yaml:5:8
   |
 5 | kind: [
   |        ^

2 objects checked: 1 deny, 1 error
\`meshward fix\` mends 1 of 1 finding; with --write, in the files
exit 2
`,
    ],
    [
      'a duplicate key',
      { 'a.yaml': `${THING}spec:\n  mode: STRICT\n  mode: LOOSE\n` },
      'a.yaml',
      `error[DOC-02] key "mode" is written twice, in line 5 column 3 and line 6 column 3; keep one of them
  --> HERE/a.yaml:6:3
   |
 5 |   mode: STRICT
 6 |   mode: LOOSE
   |   ^

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'aliases that explode',
      { 'a.yaml': LAUGHS },
      'a.yaml',
      `error[DOC-05] its aliases, written out, make it too large; write the values out where they are used
  --> HERE/a.yaml:7:9
   |
 6 | a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
 7 | a6: &a6 [*a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5]
   |         ^

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'a Helm template',
      { 'a.yaml': `${THING}spec:\n  mode: {{ .Values.mode }}\n` },
      'a.yaml',
      `error[DOC-07] this looks like a Helm template ({{ .Values.mode }}); run \`helm template\` first and check what it prints
  --> HERE/a.yaml:5:10
   |
 4 | spec:
 5 |   mode: {{ .Values.mode }}
   |          ^

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'ten megabytes',
      { 'a.yaml': 'a: 1\n'.repeat(2_100_000) },
      'a.yaml',
      `error[DOC-03] the text has 10.0 MiB; at most 8.0 are read at once, split it
  --> HERE/a.yaml:1:1

0 objects checked: 1 error
exit 2
`,
    ],
    [
      'an object that is given twice',
      { 'a.yaml': THING, 'b.yaml': `# once more\n${THING.replace('v1', 'v1beta1')}` },
      '',
      `error[DOC-09] Thing "a" in namespace "default" is also in HERE/a.yaml:1; keep one of them
  --> HERE/b.yaml:2:1
   |
 1 | # once more
 2 | apiVersion: example.io/v1beta1
   | ^

2 objects checked: 1 error
exit 2
`,
    ],
    [
      'a list with something in it that is no object',
      { 'a.yaml': 'apiVersion: v1\nkind: List\nitems:\n  - 5\n' },
      'a.yaml',
      `error[DOC-08] item 0 of this List: this is no Kubernetes object; write apiVersion and kind
  --> HERE/a.yaml:4:5
   |
 3 | items:
 4 |   - 5
   |     ^

0 objects checked: 1 error
exit 2
`,
    ],
  ])('%s', async (_, files, path, output) => {
    expect(await check(files, path)).toBe(output)
  })

  test('a million brackets', async () => {
    expect(await check({ 'a.yaml': '['.repeat(1_000_000) })).toMatch(
      /^error\[DOC-04\] nested deeper than 200 levels.*exit 2\n$/s,
    )
  })

  test('links that go round in circles are walked once', async () => {
    const folder = mkdtempSync(join(root, 'links-'))
    writeFileSync(join(folder, 'a.yaml'), THING)
    symlinkSync(folder, join(folder, 'again'))
    symlinkSync(join(folder, 'gone'), join(folder, 'dangling.yaml'))
    expect(await run(['check', folder])).toStrictEqual({
      code: 2,
      stdout: `error[FILE-01] there is no such file or folder; check the path\n  --> ${folder}/dangling.yaml\n\n1 object checked: 1 error\n`,
      stderr: '',
    })
  })

  test.each(['a.yaml', 'folder'])('no permission to read %s', async (name) => {
    const folder = mkdtempSync(join(root, 'locked-'))
    mkdirSync(join(folder, 'folder'))
    writeFileSync(join(folder, 'folder/b.yaml'), THING)
    writeFileSync(join(folder, 'a.yaml'), THING)
    chmodSync(join(folder, name), 0)
    try {
      const { code, stdout } = await asNobody(() => run(['check', join(folder, name)]), folder)
      expect({ code, stdout: stdout.replaceAll(folder, 'HERE') }).toStrictEqual({
        code: 2,
        stdout: `error[FILE-02] you may not read this; give yourself read permission on it\n  --> HERE/${name}\n\n0 objects checked: 1 error\n`,
      })
    } finally {
      chmodSync(join(folder, name), 0o700)
    }
  })
})

describe('odd content that can be read is judged', () => {
  test.each<readonly [name: string, text: string, code: number]>([
    ['no spec', `${THING}spec: null\n`, 0],
    ['nulls in lists', `${THING}spec: { steps: [null] }\n`, 0],
    ['a number where a text belongs', `${THING}spec: { mode: 5 }\n`, 1],
    ['keys with a meaning in JavaScript', `${THING}spec: { __proto__: { mode: LOOSE }, constructor: 1 }\n`, 0],
    ['no metadata', 'apiVersion: example.io/v1\nkind: Thing\n', 0],
    ['metadata that is a text', 'apiVersion: example.io/v1\nkind: Thing\nmetadata: x\n', 0],
    ['a merge', `base: &b { mode: LOOSE }\n${THING}spec: { <<: *b }\n`, 1],
    ['a yes that is a boolean', `${THING}spec: { mode: yes }\n`, 1],
    [
      'generateName',
      'apiVersion: example.io/v1\nkind: Thing\nmetadata: { generateName: a-, labels: { owner: x } }\n---\napiVersion: example.io/v1\nkind: Thing\nmetadata: { generateName: a-, labels: { owner: x } }\n',
      0,
    ],
  ])('%s', async (_, stdin, code) => {
    const answer = await run(['check', '-o', 'json', '-'], { stdin })
    expect({ code: answer.code, errors: JSON.parse(answer.stdout).errors }).toStrictEqual({ code, errors: [] })
  })
})

/** Root may read everything, so it steps down for the time being. */
async function asNobody<T>(work: () => Promise<T>, folder: string): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  chmodSync(root, 0o755)
  chmodSync(folder, 0o755)
  process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
