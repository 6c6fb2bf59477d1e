import { describe, expect, test } from 'vitest'

import { CLEAN, run, THINGS } from './run-in-process.ts'

const PEER_AUTHENTICATION = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: shop
spec: { selector: {},
  mtls: { mode: PERMISSIVE } }
`

describe('the answer as JSON', () => {
  test('is the one that the design shows', async () => {
    const { code, stdout, stderr } = await run(['check', '-o', 'json', '--only', 'MTLS-02', '-'], {
      stdin:
        'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata:\n  name: default\n  namespace: shop\nspec:\n  mtls: { mode: PERMISSIVE }\n',
      shippedPolicies: 'policies',
    })
    const report: unknown = JSON.parse(stdout)
    expect(report).toStrictEqual({
      documents: 1,
      findings: [
        {
          code: 'MTLS-02',
          policy: 'require-strict-mtls',
          outcome: 'fail',
          action: 'Deny',
          actions: ['Deny'],
          severity: 'error',
          object: {
            apiVersion: 'security.istio.io/v1',
            kind: 'PeerAuthentication',
            namespace: 'shop',
            name: 'default',
          },
          source: { file: '-', document: 0, line: 7, column: 17 },
          field: 'spec.mtls.mode',
          message: expect.stringContaining('PERMISSIVE'),
          remediation: expect.stringContaining('STRICT'),
          fix: [{ op: 'replace', path: '/spec/mtls/mode', value: 'STRICT' }],
        },
      ],
      errors: [],
      summary: { deny: 1, warn: 0, audit: 0, error: 0, skipped: 0 },
    })
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: '' })
  })

  test('counts by action, and rules that could not be evaluated beside', async () => {
    const { stdout } = await run(['check', '-o', 'json', THINGS])
    const { documents, summary, findings } = JSON.parse(stdout)
    expect({ documents, summary }).toStrictEqual({
      documents: 2,
      summary: { deny: 2, warn: 1, audit: 1, error: 1, skipped: 0 },
    })
    expect(findings.map(({ code, outcome }: { code: string; outcome: string }) => `${code} ${outcome}`)).toStrictEqual([
      'TST-01 fail',
      'TST-02 fail',
      'TST-03 fail',
      'TST-04 error',
    ])
  })

  test('names items of lists and counts them one by one', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'example.io/v1', kind: 'Thing', metadata: { name: 'a', labels: { owner: 'x' } } },
        {
          apiVersion: 'example.io/v1',
          kind: 'Thing',
          metadata: { name: 'b', labels: { owner: 'x' } },
          spec: { mode: 'LOOSE' },
        },
      ],
    }
    const stdin = JSON.stringify(list, null, 2)
    const { stdout } = await run(['check', '-o', 'json', '-'], { stdin })
    const { documents, findings } = JSON.parse(stdout)
    expect(documents).toBe(2)
    expect(findings.map(({ source }: { source: unknown }) => source)).toStrictEqual([
      {
        file: '-',
        document: 0,
        item: 1,
        line: stdin.split('\n').findIndex((line) => line.includes('LOOSE')) + 1,
        column: 17,
      },
    ])
  })
})

describe('the answer for people', () => {
  test('shows the line, what to write and where to read more', async () => {
    const { code, stdout, stderr } = await run(['check', THINGS])
    expect(stdout).toBe(`deny[TST-01] spec.mode: mode LOOSE is loose
  --> test/cli/fixtures/manifests/things.yaml:9:9, Thing shop/first
   |
 8 | spec:
 9 |   mode: 'LOOSE'   # for now
   |         ^^^^^^^
   = set mode to STRICT
   = write spec.mode: STRICT
   = read more: meshward explain TST-01

warn[TST-02] spec.steps[1].timeout: has no timeout
  --> test/cli/fixtures/manifests/things.yaml:13:7, Thing shop/first
    |
 12 |       timeout: 1s
 13 |     - run: y # no timeout yet
    |       ^^^^^^^^^^^^^^^^^^^^^^^
    = set a timeout, such as 15s
    = read more: meshward explain TST-02

audit[TST-03] metadata.labels.owner: nobody owns this
  --> test/cli/fixtures/manifests/things.yaml:17:11, Thing default/second
    |
 16 | kind: Thing
 17 | metadata: { name: second }
    |           ^^^^^^^^^^^^^^^^
    = set the label owner to your team
    = read more: meshward explain TST-03

deny[TST-04] spec.size: the rule could not be evaluated: "huge" is no int in int(target)
  --> test/cli/fixtures/manifests/things.yaml:20:9, Thing default/second
    |
 19 |   mode: STRICT
 20 |   size: huge
    |         ^^^^
    = correct the field if it has an unexpected type, else show this to the owner of the policy "limit-size"
    = read more: meshward explain TST-04

2 objects checked: 2 deny, 1 warn, 1 audit
\`meshward fix\` mends 1 of 4 findings; with --write, in the files
`)
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: '' })
  })

  test('says so when there is nothing to say', async () => {
    expect(await run(['check', CLEAN])).toStrictEqual({
      code: 0,
      stdout: '1 object checked: nothing found\n',
      stderr: '',
    })
  })

  test('is coloured only where that is wanted', async () => {
    const coloured = await run(['check', '--only', 'TST-01', THINGS], { colour: true })
    expect(coloured.stdout).toContain('\u001B[31m')
    const plain = await run(['check', '--only', 'TST-01', '--no-color', THINGS], { colour: true })
    expect(plain.stdout).not.toContain('\u001B[')
  })

  test('takes no orders from what stands in a manifest', async () => {
    const stdin =
      'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: "a\\u001b[31m\\nb", labels: {owner: x}}\nspec: {mode: "\\u001b]0;x\\u0007\u202e"}\n'
    const { stdout } = await run(['check', '-'], { stdin })
    expect(stdout).not.toMatch(/[^\P{C}\n]/u)
  })

  test('points at the key of a block that lacks something', async () => {
    const stdin = 'apiVersion: example.io/v1\nkind: Thing\nmetadata:\n  name: a\nspec: {}\n'
    const { stdout } = await run(['check', '--only', 'TST-03', '-'], { stdin })
    expect(stdout).toContain('standard input:4:3')
    expect(stdout).toContain(' 3 | metadata:\n   | ^^^^^^^^\n')
  })
})

describe('exit codes are the same in every format', () => {
  const deny = THINGS
  const warn =
    'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: a, labels: {owner: x}}\nspec: {steps: [{run: x}]}\n'
  const audit = 'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: a}\n'
  const broken = `${warn}---\na: b: c\n`
  const cases: readonly (readonly [name: string, args: readonly string[], stdin: string, code: number])[] = [
    ['clean', [CLEAN], '', 0],
    ['something that denies', [deny], '', 1],
    ['something that denies, allowed to', ['--fail-on', 'never', deny], '', 0],
    ['only a warning', ['-'], warn, 0],
    ['a warning that counts', ['--fail-on', 'warn', '-'], warn, 1],
    ['a warning where audits count too', ['--fail-on', 'audit', '-'], warn, 1],
    ['only an audit where warnings count', ['--fail-on', 'warn', '-'], audit, 0],
    ['an audit that counts', ['--fail-on', 'audit', '-'], audit, 1],
    ['a broken document beside findings', ['--fail-on', 'warn', '-'], broken, 2],
    ['a broken document, whatever may be found', ['--fail-on', 'never', '-'], broken, 2],
    ['a default that ends the warning', ['--defaults', 'inject', '--fail-on', 'warn', '-'], warn, 0],
    ['nothing at all', ['-'], '', 2],
    ['an unknown rule', ['--only', 'TST-77', CLEAN], '', 2],
    ['bindings that are not there', ['--bindings', 'nowhere.yaml', CLEAN], '', 2],
    ['a kind that no rule knows', ['-'], 'apiVersion: other.io/v1\nkind: Other\n', 0],
  ]
  test.each(cases)('%s', async (_, args, stdin, code) => {
    const formats = ['text', 'json', 'sarif', 'junit', 'github']
    const runs = await Promise.all(formats.map((format) => run(['check', '-o', format, ...args], { stdin })))
    expect(runs.map((one) => one.code)).toStrictEqual(formats.map(() => code))
    expect(runs.every(({ stdout }) => stdout.endsWith('\n'))).toBe(true)
  })

  test.each<readonly [name: string, args: readonly string[], message: string]>([
    [
      'no path',
      ['check'],
      'CLI-06: there is nothing to judge; name a file, a folder or -, or give --cluster for what is in a cluster\n',
    ],
    ['an unknown command', ['chek', 'x'], "error: unknown command 'chek'\n(Did you mean check?)\n"],
    ['an unknown option', ['check', '--onyl', 'x', CLEAN], "error: unknown option '--onyl'\n(Did you mean --only?)\n"],
    [
      'an unknown format',
      ['check', '-o', 'xml', CLEAN],
      "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are text, json, sarif, junit, github.\n",
    ],
  ])('%s is 2, with a sentence', async (_, args, message) => {
    expect(await run(args)).toStrictEqual({ code: 2, stdout: '', stderr: message })
  })

  test('help and version are answers', async () => {
    expect(await run(['--version'])).toStrictEqual({ code: 0, stdout: '1.2.3\n', stderr: '' })
    expect(await run(['check', '--help'])).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('what is judged, and in which surroundings', () => {
  test.each<readonly [name: string, args: readonly string[], codes: readonly string[]]>([
    ['all rules', [], ['TST-01', 'TST-02', 'TST-03', 'TST-04']],
    ['one rule by code', ['--only', 'TST-01'], ['TST-01']],
    ['rules by name and by code, in any case', ['--only', 'require-owner,tst-04'], ['TST-03', 'TST-04']],
    ['rules by area', ['--only', 'size'], ['TST-04']],
    ['rules by the letters of their code', ['--only', 'TST'], ['TST-01', 'TST-02', 'TST-03', 'TST-04']],
    ['the option twice', ['--only', 'TST-01', '--only', 'TST-02'], ['TST-01', 'TST-02']],
    ['all rules but some', ['--disable', 'TST-01,require-*'], ['TST-04']],
    ['an area but one of it', ['--only', 'TST', '--disable', 'TST-02'], ['TST-01', 'TST-03', 'TST-04']],
  ])('%s', async (_, args, codes) => {
    const { stdout } = await run(['check', '-o', 'json', ...args, THINGS])
    expect(JSON.parse(stdout).findings.map(({ code }: { code: string }) => code)).toStrictEqual(codes)
  })

  test('a rule that is disabled in vain is told, and changes nothing', async () => {
    const plain = await run(['check', THINGS])
    const stderr = '--disable: no policy is called "TST-1"; did you mean "TST-01"?\n'
    expect(await run(['check', '--disable', 'TST-1', THINGS])).toStrictEqual({
      ...plain,
      stderr: `${stderr}${plain.stderr}`,
    })
  })

  test('bindings change actions, scope and parameters without touching a rule', async () => {
    const bindings = 'test/cli/fixtures/bindings.yaml'
    const { stdout } = await run(['check', '-o', 'json', '--bindings', bindings, '-n', 'playground', THINGS])
    expect(
      JSON.parse(stdout).findings.map(({ code, action }: { code: string; action: string }) => `${code} ${action}`),
    ).toStrictEqual(['TST-01 Warn', 'TST-02 Deny', 'TST-03 Audit'])
  })

  test('-n is the namespace of those that name none', async () => {
    const { stdout } = await run(['check', '-o', 'json', '-n', 'mine', '--only', 'TST-03', THINGS])
    expect(JSON.parse(stdout).findings[0].object.namespace).toBe('mine')
  })

  test('--enforcement warn lets nothing deny', async () => {
    const { code, stdout } = await run(['check', '-o', 'json', '--enforcement', 'warn', THINGS])
    expect({ code, summary: JSON.parse(stdout).summary }).toStrictEqual({
      code: 0,
      summary: { deny: 0, warn: 3, audit: 1, error: 1, skipped: 0 },
    })
  })

  test('rules of your own come beside the shipped ones', async () => {
    const args = ['check', '-o', 'json', '--policies', 'test/cli/fixtures/policies', '-']
    const { stdout } = await run(args, {
      stdin: PEER_AUTHENTICATION + '---\napiVersion: example.io/v1\nkind: Thing\nmetadata: {name: a}\n',
      shippedPolicies: 'policies',
    })
    expect(JSON.parse(stdout).findings.map(({ code }: { code: string }) => code)).toStrictEqual(['MTLS-02', 'TST-03'])
  })
})
