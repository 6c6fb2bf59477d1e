import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createPolicyCompiler, type PolicyCompiler } from '../../src/policy/compile-policy.ts'
import { loadPolicySet } from '../../src/sources/policy-files.ts'
import { readDocuments, rememberDocuments, rememberPolicies } from '../../src/sources/read-documents.ts'

let folder: string
const path = (name: string): string => join(folder, `${name}.yaml`)
const write = (name: string, title: string): void =>
  writeFileSync(
    path(name),
    `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: ${name} }
spec:
  code: ${name.toUpperCase()}-01
  title: ${title}
  severity: error
  matchConstraints:
    resourceRules:
      - { apiGroups: [networking.istio.io], apiVersions: ["*"], resources: [sidecars], operations: [CREATE] }
  validations:
    - { expression: "has(object.spec)", message: no spec }
`,
  )

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshward-documents-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('the documents of a file that says the same are the same objects, and others as soon as it says another thing', () => {
  write('own', 'First')
  const read = rememberDocuments()
  const first = read(path('own'))
  expect(read(path('own'))).toBe(first)
  write('own', 'Second')
  const second = read(path('own'))
  expect(JSON.stringify(second)).toEqual(JSON.stringify(readDocuments(path('own'))))
  expect(JSON.stringify(second)).not.toEqual(JSON.stringify(first))
})

test('a file that is gone cannot be read, whatever it said', () => {
  write('gone', 'First')
  const read = rememberDocuments()
  read(path('gone'))
  rmSync(path('gone'))
  expect(() => read(path('gone'))).toThrow('ENOENT')
})

test('of two policies only the changed one is compiled again, and the set is that of a compiler that knows nothing', () => {
  write('a', 'First')
  write('b', 'First')
  const plain = createPolicyCompiler([])
  const compiled: string[] = []
  const counting: PolicyCompiler = {
    compile: (document, file) => {
      compiled.push(file)
      return plain.compile(document, file)
    },
  }
  const options = { policies: [path('a'), path('b')], bindings: [], enforcement: 'enforce' } as const
  const compiler = rememberPolicies(counting)
  const read = rememberDocuments()
  const load = () => loadPolicySet({ ...options, read }, compiler)
  load()
  expect(compiled.splice(0)).toEqual([path('a'), path('b')])
  load()
  expect(compiled.splice(0)).toEqual([])
  write('b', 'Second')
  const outcome = load()
  expect(compiled).toEqual([path('b')])
  const [a, b] = [outcome, loadPolicySet(options, plain)].map(
    (one) => one.ok && one.set.policies.map(({ name, title }) => ({ name, title })),
  )
  expect(a).toEqual([
    { name: 'a', title: 'First' },
    { name: 'b', title: 'Second' },
  ])
  expect(a).toEqual(b)
})
