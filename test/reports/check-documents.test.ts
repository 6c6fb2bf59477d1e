import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { buildSnapshot, emptySnapshot } from '../../src/mesh/snapshot.ts'
import { checkDocuments, type CheckInput } from '../../src/reports/check-documents.ts'
import { describeObjects } from '../../src/reports/describe-objects.ts'
import { fixDocuments } from '../../src/reports/fix-documents.ts'
import { onlyPolicies } from '../../src/reports/only-policies.ts'
import { readManifests } from '../../src/sources/manifests.ts'
import { fixturePolicies } from './fixture-policies.ts'

const POLICIES = fixturePolicies()

function input(text: string, more: Partial<CheckInput> = {}): CheckInput {
  return {
    read: readManifests([{ file: '-', text, origin: 'named' }]),
    policies: POLICIES,
    context: emptySnapshot(),
    contextKinds: new Map(),
    knowledge: 'partial',
    namespace: 'default',
    defaults: 'off',
    ...more,
  }
}

const THING = `apiVersion: example.io/v1
kind: Thing
metadata: { name: a, labels: { owner: x } }
`

function codes({ report }: ReturnType<typeof checkDocuments>): readonly string[] {
  return report.findings.map(({ code, action, field }) => `${code} ${action} ${field}`)
}

describe('defaults', () => {
  const text = `${THING}spec: { mode: LOOSE, steps: [{ run: x }] }\n`

  test('off: the document as it is written', () => {
    expect(codes(checkDocuments(input(text)))).toStrictEqual([
      'TST-01 Deny spec.mode',
      'TST-02 Warn spec.steps[0].timeout',
    ])
  })

  test('injected: the document as it would be stored', () => {
    expect(codes(checkDocuments(input(text, { defaults: 'inject' })))).toStrictEqual(['TST-01 Deny spec.mode'])
  })

  test('each object is described with its patch, its diff and what was filled', () => {
    const texts = [{ file: '-', text: `${THING}---\n${text.replace('name: a', 'name: b')}`, origin: 'named' }] as const
    const { objects } = checkDocuments(input('', { read: readManifests(texts), defaults: 'inject' }))
    const filled = '[{"field":"spec.steps[0].timeout","value":"15s","code":"TST-02"}]'
    expect(describeObjects(objects, texts)).toStrictEqual([
      {
        object: { apiVersion: 'example.io/v1', kind: 'Thing', namespace: 'default', name: 'a' },
        allowed: true,
        findings: [],
        patch: [],
        diff: '',
        filled: [],
      },
      {
        object: { apiVersion: 'example.io/v1', kind: 'Thing', namespace: 'default', name: 'b' },
        allowed: false,
        findings: [0],
        patch: [
          { op: 'add', path: '/spec/steps/0/timeout', value: '15s' },
          { op: 'add', path: '/metadata/annotations', value: { 'meshward.io/filled': filled } },
        ],
        diff: `--- a/manifest.yaml
+++ b/manifest.yaml
@@ -4,5 +4,5 @@
 ---
 apiVersion: example.io/v1
 kind: Thing
-metadata: { name: b, labels: { owner: x } }
-spec: { mode: LOOSE, steps: [{ run: x }] }
+metadata: { name: b, labels: { owner: x }, annotations: { meshward.io/filled: "${filled.replaceAll('"', '\\"')}" } }
+spec: { mode: LOOSE, steps: [{ run: x, timeout: 15s }] }
`,
        filled: [{ field: 'spec.steps[0].timeout', value: '15s', code: 'TST-02' }],
      },
    ])
  })
})

describe('the mesh around the documents', () => {
  const onlyLabelled = `apiVersion: meshward.io/v1alpha1
kind: MeshPolicyBinding
metadata: { name: labelled }
spec: { policies: [TST-01], match: { namespaceSelector: { matchLabels: { strict: "true" } } } }
`
  const loose = `${THING}spec: { mode: LOOSE }\n`
  const namespace = (strict: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: default, labels: { strict: "${strict}" } }\n`
  const asContext = (text: string) =>
    buildSnapshot(readManifests([{ file: 'c.yaml', text, origin: 'named' }]).manifests.map(({ object }) => object))
  const policies = fixturePolicies(onlyLabelled)

  test.each<readonly [name: string, text: string, context: string, findings: readonly string[]]>([
    ['a label that nobody knows: the policy answers by its failure policy', loose, '', ['TST-01 Deny ']],
    ['a label from the context', loose, namespace('true'), ['TST-01 Deny spec.mode']],
    ['another value from the context', loose, namespace('false'), []],
    ['a label from a document beside it', `${namespace('true')}---\n${loose}`, '', ['TST-01 Deny spec.mode']],
    ['documents win over the context', `${namespace('false')}---\n${loose}`, namespace('true'), []],
    [
      'the context itself is not judged',
      THING,
      `${namespace('true')}---\n${loose.replace('name: a', 'name: other')}`,
      [],
    ],
  ])('%s', (_, text, context, findings) => {
    const policiesAndMesh = { policies, context: asContext(context) }
    expect(codes(checkDocuments(input(text, policiesAndMesh)))).toStrictEqual(findings)
  })
})

describe('the order of documents', () => {
  test('does not matter to what is found in each', () => {
    const documents = [
      `${THING}spec: { mode: LOOSE }\n`,
      `${THING.replace('name: a', 'name: b')}spec: { steps: [{ run: x }] }\n`,
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: default }\n',
      'apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: c }\nspec: { size: 11 }\n',
    ]
    const found = (order: readonly string[]): readonly string[] =>
      checkDocuments(input(order.join('---\n')))
        .report.findings.map(({ code, object, field }) => `${object.name} ${code} ${field}`)
        .toSorted()
    fc.assert(
      fc.property(fc.shuffledSubarray(documents, { minLength: documents.length }), (order) => {
        expect(found(order)).toStrictEqual(found(documents))
      }),
    )
  })
})

describe('fixing', () => {
  test('any thing: what is fixed has no finding with a fix left, and fixing again changes nothing', () => {
    const spec = fc.record(
      {
        mode: fc.constantFrom('LOOSE', 'STRICT', 5, null),
        size: fc.constantFrom(1, 11, 'x', null),
        steps: fc.array(
          fc.record({ run: fc.string(), timeout: fc.constantFrom('1s', null) }, { requiredKeys: ['run'] }),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(spec, (value) => {
        const text = JSON.stringify({
          apiVersion: 'example.io/v1',
          kind: 'Thing',
          metadata: { name: 'a' },
          spec: value,
        })
        const [once] = fixDocuments(input(text, { defaults: 'inject' }))
        const again = input(JSON.stringify(once?.object), { defaults: 'inject' })
        expect(fixDocuments(again).flatMap(({ patch }) => patch)).toStrictEqual([])
        expect(
          checkDocuments({ ...again, defaults: 'off' }).report.findings.filter(({ fix }) => fix !== undefined),
        ).toStrictEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describe('only some rules', () => {
  test.each<readonly [only: readonly string[], codes: readonly string[]]>([
    [[], ['TST-01', 'TST-02', 'TST-03', 'TST-04']],
    [['tst-03'], ['TST-03']],
    [
      ['size', 'forbid-loose'],
      ['TST-01', 'TST-04'],
    ],
  ])('%j', (only, expected) => {
    const outcome = onlyPolicies(POLICIES, only)
    const set = outcome.ok ? outcome.set : undefined
    expect({
      policies: set?.policies.map(({ code }) => code),
      bound: set?.bound.map(({ policy }) => policy.code),
      matching: set?.matching('example.io', 'things', 'CREATE').map(({ policy }) => policy.code),
    }).toStrictEqual({ policies: expected, bound: expected, matching: expected })
  })

  test('that are none are refused with the nearest name', () => {
    expect([['TST-02', 'TST-5'], ['forbid-lose'], ['']].map((only) => onlyPolicies(POLICIES, only))).toMatchObject([
      { ok: false, message: expect.stringMatching(/^"TST-5" is no rule, area or policy; did you mean "TST-0\d"\?$/) },
      { ok: false, message: '"forbid-lose" is no rule, area or policy; did you mean "forbid-loose"?' },
      { ok: false },
    ])
  })
})
