import { describe, expect, test } from 'vitest'

import { applyFixes } from '../../src/engine/apply-fixes.ts'
import { decide } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { policyFrom, policyText } from '../policy/policy-from.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

describe('fixing an object', () => {
  test.each<[string, readonly string[], Json, Json, number, readonly string[]]>([
    [
      'mends one place after the other',
      [
        '{ forEach: "$.spec.items[*]", expression: has(target.a), field: a, message: x, fix: [{ op: add, path: a, value: 1 }] }',
      ],
      { items: [{}, { a: 0 }, { b: 1 }] },
      { items: [{ a: 1 }, { a: 0 }, { a: 1, b: 1 }] },
      2,
      [],
    ],
    [
      'follows places that move when others go',
      [`{ forEach: "$.spec.items[*]", expression: "target != '*'", message: x, fix: [{ op: remove, path: "" }] }`],
      { items: ['*', 'a', '*', '*'] },
      { items: ['a'] },
      3,
      [],
    ],
    [
      'goes on from what a fix brought about',
      [
        '{ expression: has(object.spec.a), message: x, fix: [{ op: add, path: spec.a, value: {} }] }',
        '{ forEach: $.spec.a, expression: has(target.b), message: z, fix: [{ op: add, path: b, value: 1 }] }',
      ],
      {},
      { a: { b: 1 } },
      2,
      [],
    ],
    [
      'leaves what has no fix',
      [
        '{ forEach: $.spec.a, expression: "false", message: unfixable }',
        '{ expression: has(object.spec.b), message: x, fix: [{ op: add, path: spec.b, value: 1 }] }',
      ],
      { a: 1 },
      { a: 1, b: 1 },
      1,
      ['unfixable'],
    ],
    [
      'leaves a place whose fix does not mend it',
      ['{ expression: has(object.spec.a), message: x, fix: [{ op: add, path: spec.other, value: 1 }] }'],
      {},
      {},
      0,
      ['x'],
    ],
    [
      'ends where two rules want opposite things',
      [
        '{ expression: "!has(object.spec.a) || object.spec.a != 1", message: not 1, fix: [{ op: replace, path: spec.a, value: 2 }] }',
        '{ expression: "!has(object.spec.a) || object.spec.a != 2", message: not 2, fix: [{ op: replace, path: spec.a, value: 1 }] }',
      ],
      { a: 1 },
      { a: 1 },
      2,
      ['not 1'],
    ],
    ['does nothing to what is well', ['{ expression: "true", message: x }'], { a: 1 }, { a: 1 }, 0, []],
  ])('%s', (_, validations, spec, mended, count, left) => {
    const result = fix(
      policyFrom(policyText(`validations:\n${validations.map((text) => `  - ${text}`).join('\n')}`)),
      spec,
    )
    expect(result.object.spec).toEqual(mended)
    expect(result.fixed).toHaveLength(count)
    expect(result.decision.findings.map(({ message }) => message)).toEqual(left)
  })

  test('never writes to the object it was given', () => {
    const object = routes({ items: [{}] })
    const before = structuredClone(object)
    fix(
      policyFrom(
        policyText(
          'validations: [{ expression: has(object.spec.a), message: x, fix: [{ op: add, path: spec.a, value: 1 }] }]',
        ),
      ),
      object.spec ?? null,
    )
    expect(object).toEqual(before)
  })
})

function routes(spec: Json): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' }, spec }
}

function fix(policy: Policy, spec: Json): ReturnType<typeof applyFixes> {
  const policies = policySetOf([policy])
  const judge = (object: JsonObject): Decision =>
    decide({ request: requestFor(object), policies, mesh: buildSnapshot([]), phase: 'validate' })
  return applyFixes(routes(spec), judge)
}
