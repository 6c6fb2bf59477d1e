import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import type { ServeOptions } from '../../src/webhook/serve-options.ts'
import { run } from './run-in-process.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-commands-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('list', () => {
  test('shows the rules in force in columns', async () => {
    expect(await run(['list'])).toStrictEqual({
      code: 0,
      stdout: `CODE    POLICY           ACTION  SEVERITY  FILLS  TITLE
TST-01  forbid-loose     Deny    error            Things are strict
TST-02  require-timeout  Warn    warning   yes    Every step has a timeout
TST-03  require-owner    Audit   info             Things have an owner
TST-04  limit-size       Deny    error            Things are small
`,
      stderr: '',
    })
  })

  test('as JSON, with what bindings make of them', async () => {
    const { stdout } = await run([
      'list',
      '-o',
      'json',
      '--only',
      'TST-01',
      '--bindings',
      'test/cli/fixtures/bindings.yaml',
    ])
    expect(JSON.parse(stdout)).toStrictEqual({
      enforcement: 'enforce',
      policies: [
        {
          code: 'TST-01',
          policy: 'forbid-loose',
          area: 'testing',
          severity: 'error',
          actions: ['Warn'],
          defaults: false,
          binding: 'loose-at-first',
          title: 'Things are strict',
        },
      ],
    })
  })

  test('says when a binding names no rule', async () => {
    const file = join(root, 'bindings.yaml')
    writeFileSync(file, readFileSync('test/cli/fixtures/bindings.yaml', 'utf8').replace('TST-01', 'TST-09'))
    expect(await run(['list', '--bindings', file])).toStrictEqual({
      code: 2,
      stdout: '',
      stderr: `${file}:5:13: BINDING-POLICY: no policy is called "TST-09"; did you mean "TST-01"?\n`,
    })
  })
})

describe('explain', () => {
  test('tells what a rule is about, how to set it, and shows its examples as executed', async () => {
    expect(await run(['explain', 'TST-02'])).toStrictEqual({
      code: 0,
      stdout: `TST-02: Every step has a timeout
require-timeout, area testing, severity warning; warn by default

A step without a timeout may take for ever.

What to do: set a timeout, such as 15s

It looks at
  things of example.io (every version), on CREATE and UPDATE

Parameters (a binding sets them)
  timeout: string = 15s
      filled where a step has none

It fills, where absent
  timeout: params.timeout
      in spec.steps[*]
      a step that takes longer is cut off

Example: a step without a timeout gets one
    apiVersion: example.io/v1
    kind: Thing
    metadata:
      name: a
    spec:
      steps:
        - run: x
  +       timeout: 15s
  => filled spec.steps[0].timeout: 15s

Example: a step without a timeout is named
    apiVersion: example.io/v1
    kind: Thing
    metadata:
      name: a
    spec:
      steps:
        - run: x
          timeout: 1s
        - run: z
  => warn spec.steps[1].timeout: has no timeout

Example: a step with a timeout passes
    apiVersion: example.io/v1
    kind: Thing
    metadata:
      name: a
    spec:
      steps:
        - run: x
          timeout: 1s
  => passes
`,
      stderr: '',
    })
  })

  test('shows what a fix changes', async () => {
    const { stdout } = await run(['explain', 'forbid-loose'])
    expect(stdout).toContain('  -   mode: LOOSE\n  +   mode: STRICT\n  => deny spec.mode: mode LOOSE is loose\n')
  })

  test('as JSON', async () => {
    const { stdout } = await run(['explain', '-o', 'json', 'tst-03'])
    expect(JSON.parse(stdout)).toMatchObject({ code: 'TST-03', actions: ['Audit'], reads: [], examples: [{}, {}] })
  })

  test('tells which other objects a rule reads', async () => {
    const shippedPolicies = 'policies/routing/require-known-subsets'
    const kinds = ['ConfigMap', 'DestinationRule.networking.istio.io', 'Namespace', 'Service']
    const reads = [...kinds, 'ServiceEntry.networking.istio.io']
    const { stdout } = await run(['explain', 'VS-05'], { shippedPolicies })
    expect(stdout).toContain(`It reads, of the mesh around\n${reads.map((kind) => `  ${kind}\n`).join('')}`)
    const json = await run(['explain', 'VS-05', '-o', 'json'], { shippedPolicies })
    expect(JSON.parse(json.stdout)).toMatchObject({ reads })
  })

  test('explains errors by the same command', async () => {
    expect(await run(['explain', 'doc-09'])).toStrictEqual({
      code: 0,
      stdout:
        'DOC-09: Two documents describe the same object\n\nKeep one of them. When both are applied, whichever comes last wins.\n',
      stderr: '',
    })
  })

  test.each([
    ['TST-1', '"TST-1" is the code of no rule and no error; did you mean "TST-01"?\n'],
    ['something else', '"something else" is the code of no rule and no error; list the rules with `meshward list`\n'],
  ])('%s is unknown', async (code, stderr) => {
    expect(await run(['explain', code])).toStrictEqual({ code: 2, stdout: '', stderr })
  })
})

describe('test', () => {
  function layPolicy(name: string, edit: (policy: string) => string, tests: string | undefined): string {
    const folder = join(root, name)
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'policy.yaml'),
      edit(readFileSync('test/cli/fixtures/policies/mode/policy.yaml', 'utf8')),
    )
    if (tests !== undefined) writeFileSync(join(folder, 'tests.yaml'), tests)
    return folder
  }
  const TESTS = readFileSync('test/cli/fixtures/policies/mode/tests.yaml', 'utf8')
  const asIs = (policy: string): string => policy

  test('runs the examples of the shipped rules', async () => {
    expect(await run(['test'])).toStrictEqual({
      code: 0,
      stdout: `ok   TST-03 require-owner 2/2
ok   TST-01 forbid-loose 2/2
ok   TST-04 limit-size 2/2
ok   TST-02 require-timeout 3/3
4 policies, 9 examples: 9 passed, 0 failed
`,
      stderr: '',
    })
  })

  test('shows what came out where another thing was expected', async () => {
    const folder = layPolicy('wrong', asIs, TESTS.replace('field: spec.mode', 'field: spec.mood'))
    const { code, stdout } = await run(['test', folder])
    expect({ code, stdout: stdout.replaceAll(folder, 'HERE') }).toStrictEqual({
      code: 1,
      stdout: `FAIL TST-01 forbid-loose 1/2
     LOOSE is refused and becomes STRICT (HERE/tests.yaml:2)
       missing: {"field":"spec.mood","message":"mode LOOSE is loose","action":"Deny"}
       not expected: fail at "spec.mode": mode LOOSE is loose (Deny)
1 policies, 2 examples: 1 passed, 1 failed
`,
    })
  })

  test.each<
    readonly [name: string, edit: (policy: string) => string, tests: string | undefined, code: number, message: string]
  >([
    [
      'examples that all pass',
      asIs,
      `tests:\n${TESTS.slice(TESTS.indexOf('  - name: STRICT'))}`,
      1,
      'no example fails: write at least one object that must have a finding',
    ],
    [
      'no examples',
      asIs,
      undefined,
      2,
      'tests.yaml:1:1: POLICY-TESTS: there are no examples to read; write at least one that fails and one that passes',
    ],
    ['examples that are no YAML', asIs, 'tests: [', 2, 'tests.yaml:1:9: DOC-01: a bracket is not closed here'],
    ['a policy that is no YAML', () => 'spec: [', TESTS, 2, 'policy.yaml:1:8: DOC-01: a bracket is not closed here'],
    [
      'a policy with an unknown field',
      (policy) => policy.replace('remediation:', 'remedy:'),
      TESTS,
      2,
      'policy.yaml:11:3: POLICY-SHAPE: unknown field "remedy" in spec',
    ],
    [
      'a policy with an unknown function',
      (policy) => policy.replace('string(target', 'strin(target'),
      TESTS,
      2,
      'policy.yaml:20:37: CEL-UNKNOWN-FUNCTION: unknown function "strin"; did you mean "string"?',
    ],
  ])('%s', async (name, edit, tests, code, message) => {
    const folder = layPolicy(name.replaceAll(' ', '-'), edit, tests)
    const result = await run(['test', folder])
    expect(result.code).toBe(code)
    expect(`${result.stdout}${result.stderr}`).toContain(message)
  })

  test('a folder without policies is a wrong path', async () => {
    const folder = join(root, 'nothing')
    mkdirSync(folder)
    expect(await run(['test', folder])).toStrictEqual({
      code: 2,
      stdout: '0 policies, 0 examples: 0 passed, 0 failed\n',
      stderr: `${folder}: POLICY-FILE: there is no policy here: name a folder with policy.yaml files in it or below, or a file of policies\n`,
    })
  })

  test('as JSON', async () => {
    const { stdout } = await run(['test', '-o', 'json', 'test/cli/fixtures/policies/label'])
    expect(JSON.parse(stdout)).toStrictEqual({
      policies: [
        {
          code: 'TST-03',
          policy: 'require-owner',
          file: 'test/cli/fixtures/policies/label/tests.yaml',
          missing: [],
          tests: [
            { name: 'a thing without an owner', line: 2, passed: true, problems: [] },
            { name: 'a thing with an owner', line: 8, passed: true, problems: [] },
          ],
        },
      ],
      errors: [],
    })
  })
})

describe('serve', () => {
  test('hands its options to the server and exits as the server does', async () => {
    const asked: ServeOptions[] = []
    const serve = (options: ServeOptions): Promise<2> => {
      asked.push(options)
      return Promise.resolve(2)
    }
    const { code } = await run(['serve', '--port', '0', '--bindings', 'b.yaml'], { serve })
    expect({ code, asked }).toMatchObject({ code: 2, asked: [{ port: 0, host: '127.0.0.1', bindings: ['b.yaml'] }] })
  })
})
