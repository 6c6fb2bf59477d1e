import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { openPolicySource } from '../../src/sources/policy-source.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meshward-policies-'))
})
afterAll(() => rm(root, { recursive: true }))

function policy(code: string, name: string, message = 'wrong', expression = 'has(object.spec)'): string {
  return `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: ${name} }
spec:
  code: ${code}
  title: A rule
  category: mtls
  severity: error
  description: A rule.
  remediation: Do right.
  matchConstraints:
    resourceRules: [{ apiGroups: [a.io], apiVersions: ["*"], resources: [as], operations: [CREATE] }]
  validations: [{ expression: ${expression}, message: ${message} }]
`
}

const binding = (policies: string, action: string): string => `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicyBinding
metadata: { name: mine }
spec: { policies: [${policies}], validationActions: [${action}] }
`

/** A shipped folder with two rules, an own folder, a file of bindings and one with the mode, all of them new. */
async function lay(
  name: string,
  disabled: readonly string[] = [],
  prepare: (set: PolicySet) => Promise<void> = async () => undefined,
) {
  const at = (...path: readonly string[]): string => join(root, name, ...path)
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(at(path), '..'), { recursive: true })
    await writeFile(at(path), text)
  }
  await write('shipped/one/policy.yaml', policy('MTLS-01', 'one'))
  await write('shipped/two/policy.yaml', policy('MTLS-02', 'two'))
  await write('own/README.md', 'rules of our own')
  await write('bindings.yaml', binding('one', 'Warn'))
  await write('mode', 'warn\n')
  await write('disabled', '# none so far\n')
  await write('profile', '')
  await write('profiles/mild.yaml', binding('"*"', 'Audit'))
  const told: string[] = []
  const open = () =>
    openPolicySource({
      shipped: at('shipped'),
      policies: [at('own')],
      bindings: [at('bindings.yaml')],
      disabled,
      disabledFiles: [at('disabled')],
      profileFiles: [at('profile')],
      shippedProfiles: at('profiles'),
      enforcement: 'enforce',
      enforcementFile: at('mode'),
      interval: 5,
      compiler: createPolicyCompiler([]),
      prepare,
      listener: {
        changed: ({ policies, enforcement }, issues) =>
          told.push(`changed: ${policies.map(({ code }) => code).join(' ')}, ${enforcement}, ${issues.length} issues`),
        idle: (reason) => told.push(`idle: ${reason}`),
        refused: (issues) => told.push(...issues.map(({ code, message }) => `refused: ${code} ${message}`)),
        unreadable: (reason) => told.push(`unreadable: ${reason}`),
      },
    })
  return { write, told, open, at }
}

async function opened(name: string) {
  const files = await lay(name)
  const outcome = await files.open()
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  onTestFinished(() => outcome.source.stop())
  return { ...files, source: outcome.source }
}

test('it begins with everything in force: shipped rules, bindings, and the mode of the file', async () => {
  const { source, told } = await opened('begin')
  expect(source.hasSynced()).toBe(true)
  const set = source.current()
  expect(set.enforcement).toBe('warn')
  expect(set.bound.map(({ policy, actions }) => [policy.code, actions])).toEqual([
    ['MTLS-01', ['Warn']],
    ['MTLS-02', ['Deny']],
  ])
  expect(told.at(-1)).toBe('changed: MTLS-01 MTLS-02, warn, 0 issues')
})

test('a profile that is named comes into force below the bindings, and goes again', async () => {
  const { source, write, told } = await opened('profile')
  const actions = () => source.current().bound.map(({ policy, actions: [action] }) => `${policy.code} ${action}`)
  await write('profile', 'mild\n')
  await expect.poll(actions).toEqual(['MTLS-01 Warn', 'MTLS-02 Audit'])
  await write('profile', 'mlid\n')
  await expect
    .poll(() => told.at(-1))
    .toBe(
      'refused: PROFILE-NAME no profile is called "mlid" (did you mean "mild"?): there are mild, and files of your own by their path',
    )
  expect(actions()).toEqual(['MTLS-01 Warn', 'MTLS-02 Audit'])
  await write('profile', '\n')
  await expect.poll(actions).toEqual(['MTLS-01 Warn', 'MTLS-02 Deny'])
})

test('a rule that is added, replaced and removed again comes into force each time', async () => {
  const { source, write, at } = await opened('rules')
  const rules = () => source.current().policies.map(({ code, name }) => `${code} ${name}`)
  await write('own/three/policy.yaml', policy('OWN-01', 'three'))
  await expect.poll(rules).toEqual(['MTLS-01 one', 'MTLS-02 two', 'OWN-01 three'])
  await write('own/better/policy.yaml', policy('MTLS-02', 'better'))
  await expect.poll(rules).toEqual(['MTLS-01 one', 'MTLS-02 better', 'OWN-01 three'])
  await rm(at('own/better'), { recursive: true })
  await expect.poll(rules).toEqual(['MTLS-01 one', 'MTLS-02 two', 'OWN-01 three'])
})

test('a set stays as it is for whoever holds it; the next one is another', async () => {
  const { source, write } = await opened('whole')
  const before = source.current()
  await write('bindings.yaml', binding('"*"', 'Audit'))
  await expect.poll(() => source.current()).not.toBe(before)
  expect(before.bound.map(({ actions }) => actions)).toEqual([['Warn'], ['Deny']])
  expect(source.current().bound.map(({ actions }) => actions)).toEqual([['Audit'], ['Audit']])
})

test('a changed set is in force when it was prepared, in the mode of then; one that was there at the start at once', async () => {
  const prepared: string[] = []
  let release = (): void => undefined
  const files = await lay('prepared', [], ({ policies }) => {
    prepared.push(policies.map(({ code }) => code).join(' '))
    return new Promise((resolve) => (release = resolve))
  })
  const outcome = await files.open()
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  const { source } = outcome
  onTestFinished(() => source.stop())
  expect([source.current().policies.length, prepared]).toEqual([2, []])
  await files.write('own/three/policy.yaml', policy('OWN-01', 'three'))
  await expect.poll(() => prepared).toEqual(['MTLS-01 MTLS-02 OWN-01'])
  await files.write('mode', 'off')
  await expect.poll(() => source.current().enforcement).toBe('off')
  expect(source.current().policies).toHaveLength(2)
  release()
  await expect.poll(() => source.current().policies.length).toBe(3)
  expect(source.current().enforcement).toBe('off')
})

test('what is no set of policies is refused with the reason, and the last good set stays in force', async () => {
  const { source, write, told } = await opened('refused')
  const before = source.current()
  await write('bindings.yaml', binding('onee', 'Warn'))
  await expect.poll(() => told.at(-1)).toBe('refused: BINDING-POLICY no policy is called "onee"; did you mean "one"?')
  expect(source.current()).toBe(before)
  await write('bindings.yaml', binding('two', 'Warn'))
  await expect.poll(() => source.current().bound.map(({ actions }) => actions)).toEqual([['Deny'], ['Warn']])
})

test('a rule that does not compile is in force all the same, to answer by its failure policy', async () => {
  const { source, write, told } = await opened('broken')
  await write('own/three/policy.yaml', policy('OWN-01', 'three', 'wrong', 'nonsense(object)'))
  await expect.poll(() => told.at(-1)).toBe('changed: MTLS-01 MTLS-02 OWN-01, warn, 1 issues')
  expect(source.current().policies.find(({ code }) => code === 'OWN-01')?.program).toBeUndefined()
})

test('the mode follows its file at once; a word that is none changes nothing', async () => {
  const { source, write, told } = await opened('mode')
  await write('mode', 'off')
  await expect.poll(() => source.current().enforcement).toBe('off')
  await write('mode', 'sometimes')
  await expect
    .poll(() => told.at(-1))
    .toMatch(/^unreadable: .*mode says "sometimes", which is none of enforce, warn and off$/)
  expect(source.current().enforcement).toBe('off')
  await write('own/three/policy.yaml', policy('OWN-01', 'three'))
  await expect.poll(() => source.current().policies).toHaveLength(3)
  expect(source.current().enforcement).toBe('off')
})

describe('policies that are disabled', () => {
  const rules = ({ policies }: PolicySet) => policies.map(({ code }) => code)

  test.each([
    ['by code', ['MTLS-02'], ['MTLS-01']],
    ['by name', ['two'], ['MTLS-01']],
    ['by a pattern', ['t*'], ['MTLS-01']],
    ['all of them, though a binding names one', ['*'], []],
    ['none, by a part of a name', ['MTLS', 'on'], ['MTLS-01', 'MTLS-02']],
  ])('are not in the set: %s', async (_, patterns, left) => {
    const { open } = await lay(`disabled ${patterns.join()}`, patterns)
    const outcome = await open()
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
    onTestFinished(() => outcome.source.stop())
    expect(rules(outcome.source.current())).toEqual(left)
  })

  test('follow their file, and come back', async () => {
    const { source, write } = await opened('disabled by file')
    await write('disabled', 'MTLS-01\n\n')
    await expect.poll(() => rules(source.current())).toEqual(['MTLS-02'])
    await write('disabled', '')
    await expect.poll(() => rules(source.current())).toEqual(['MTLS-01', 'MTLS-02'])
  })

  test('that are not there are told each time with the nearest name, and keep nothing from its place', async () => {
    const { source, write, told } = await opened('disabled in vain')
    await write('disabled', 'MTLS-99\nMTLS-0\nMTLS-02\nunlike-anything')
    await expect
      .poll(() => told.slice(-4))
      .toEqual([
        'changed: MTLS-01, warn, 0 issues',
        'idle: no policy is called "MTLS-99"; did you mean "MTLS-01"?',
        'idle: no policy is called "MTLS-0"; did you mean "MTLS-01"?',
        'idle: no policy is called "unlike-anything"; list the policies by `meshward list`',
      ])
    expect(rules(source.current())).toEqual(['MTLS-01'])
  })

  test('need not compile, and do not replace what is shipped under their code', async () => {
    const { source, write, told } = await opened('disabled and broken')
    await write('disabled', 'three')
    await write('own/three/policy.yaml', policy('MTLS-02', 'three', 'wrong', 'nonsense(object)'))
    await write('own/four/policy.yaml', policy('OWN-01', 'four'))
    await expect.poll(() => source.current().policies.map(({ name }) => name)).toEqual(['one', 'two', 'four'])
    expect(told.at(-1)).toBe('changed: MTLS-01 MTLS-02 OWN-01, warn, 0 issues')
  })

  test('in a file that is not there at the start are an issue with its name', async () => {
    const { open, at } = await lay('disabled file missing')
    await rm(at('disabled'))
    expect(await open()).toMatchObject({ ok: false, issues: [{ code: 'POLICY-FILE', file: at('disabled') }] })
  })
})

test('a file that goes away is told once and missed no further', async () => {
  const { source, told, at, write } = await opened('gone')
  const before = source.current()
  await rm(at('bindings.yaml'))
  await expect.poll(() => told.at(-1)).toMatch(/^unreadable: ENOENT/)
  const count = told.length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(told).toHaveLength(count)
  expect(source.current()).toBe(before)
  await write('bindings.yaml', binding('two', 'Warn'))
  await expect.poll(() => source.current().bound.map(({ actions }) => actions)).toEqual([['Deny'], ['Warn']])
})

test('without a good set there is nothing to begin with', async () => {
  const { write, open } = await lay('none')
  await write('bindings.yaml', 'kind: [')
  const outcome = await open()
  expect(outcome).toMatchObject({ ok: false, issues: [{ code: 'DOC-01', line: 1 }] })
})

test('a path that is not there is an issue with its name', async () => {
  const { open, at } = await lay('missing')
  await rm(at('own'), { recursive: true })
  expect(await open()).toMatchObject({ ok: false, issues: [{ code: 'POLICY-FILE', file: at('own') }] })
})

test('a mounted ConfigMap: each key is a policy, and a swap of its files is one change without a word about the old ones', async () => {
  const { write, told, open, at } = await lay('mounted')
  await rm(at('own'), { recursive: true })
  const swap = async (version: string, files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) await write(`own/..${version}/${name}`, text)
    await symlink(`..${version}`, at('own/..new'))
    await rename(at('own/..new'), at('own/..data'))
    for (const name of Object.keys(files)) await symlink(`..data/${name}`, at('own', name)).catch(() => undefined)
  }
  await swap('v1', { 'three.yaml': policy('MTLS-03', 'three'), 'policy.yaml': policy('MTLS-04', 'four') })
  const outcome = await open()
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  onTestFinished(() => outcome.source.stop())
  const codes = () => outcome.source.current().policies.map(({ code }) => code)
  expect(codes()).toEqual(['MTLS-01', 'MTLS-02', 'MTLS-03', 'MTLS-04'])
  await swap('v2', { 'three.yaml': policy('MTLS-05', 'three'), 'policy.yaml': policy('MTLS-04', 'four') })
  await rm(at('own/..v1'), { recursive: true })
  await expect.poll(codes).toEqual(['MTLS-01', 'MTLS-02', 'MTLS-04', 'MTLS-05'])
  expect(told.filter((line) => !line.startsWith('changed: '))).toEqual([])
})
