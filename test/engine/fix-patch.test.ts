import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import type { JsonObject } from '../../src/kube/json.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicySet } from '../../src/policy/policy-set.ts'
import { policyFrom, policyText } from '../policy/policy-from.ts'

/** The one finding of a policy whose fix has these steps, on `spec.a`. */
function fixOf(steps: string, spec: JsonObject): { patch: unknown; fixed: unknown } {
  const text = `validations:\n  - { forEach: $.spec.a, expression: "false", message: wrong, fix: ${steps} }`
  const outcome = createPolicySet({ policies: [policyFrom(policyText(text))], bindings: [], enforcement: 'enforce' })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'x' }, spec }
  const request = {
    uid: 'u',
    operation: 'CREATE' as const,
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    resource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    subResource: '',
    name: 'x',
    namespace: 'shop',
    object,
    oldObject: null,
    userInfo: { username: '', groups: [] },
    dryRun: false,
  }
  const { findings } = decide({ request, policies: outcome.set, mesh: buildSnapshot([]), phase: 'validate' })
  const patch = findings[0]?.fix
  return { patch, fixed: patch === undefined ? undefined : applyJsonPatch(object, patch)?.spec }
}

describe('the steps of a fix', () => {
  test.each<[string, string, JsonObject, unknown]>([
    [
      'two fields whose parents are missing both arrive',
      '[{ op: add, path: b.c, value: 1 }, { op: add, path: b.d, value: 2 }]',
      { a: {} },
      { a: { b: { c: 1, d: 2 } } },
    ],
    [
      'a field is set where an earlier step removed what stood there',
      '[{ op: remove, path: b }, { op: add, path: b.d, value: 2 }]',
      { a: { b: { c: 1 } } },
      { a: { b: { d: 2 } } },
    ],
    [
      'what a step leaves empty, the next one prunes',
      '[{ op: remove, path: b.c }, { op: prune, path: b.d }]',
      { a: { b: { c: 1, d: 2 }, e: 3 } },
      { a: { e: 3 } },
    ],
    [
      'a step that removes what is absent does nothing',
      '[{ op: remove, path: constructor }, { op: replace, path: b, value: 2 }]',
      { a: { b: 1 } },
      { a: { b: 2 } },
    ],
    [
      'an item of a list is removed from its place',
      '[{ op: remove, path: "b[0]" }, { op: replace, path: "b[0].c", value: 3 }]',
      { a: { b: [{ c: 1 }, { c: 2 }] } },
      { a: { b: [{ c: 3 }] } },
    ],
    [
      'an item after the last is appended',
      '[{ op: add, path: "b[1]", value: 2 }, { op: add, path: "c[0].d", value: 3 }]',
      { a: { b: [1] } },
      { a: { b: [1, 2], c: [{ d: 3 }] } },
    ],
    [
      'a null where a value or its parent belongs is replaced, also in a list',
      '[{ op: add, path: "b[0].c", value: 1 }, { op: add, path: d.e, value: 2 }]',
      { a: { b: [null, 5], d: null } },
      { a: { b: [{ c: 1 }, 5], d: { e: 2 } } },
    ],
    [
      'a value goes with every parent that it leaves empty, fields beside it aside',
      '[{ op: prune, path: b.c.d, besides: [id] }]',
      { a: { b: { c: { d: 1, id: 2 } }, e: 3 } },
      { a: { e: 3 } },
    ],
    [
      'a list that is left with other items stays',
      '[{ op: prune, path: "b[0].c", besides: [id] }]',
      {
        a: {
          b: [
            { c: 1, id: 1 },
            { c: 2, id: 2 },
          ],
        },
      },
      { a: { b: [{ c: 2, id: 2 }] } },
    ],
  ])('%s', (_, steps, spec, fixed) => {
    expect(fixOf(steps, spec).fixed).toEqual(fixed)
  })

  test.each([
    [
      'a value that cannot be computed',
      '[{ op: add, path: b, value: 1 }, { op: add, path: c, valueExpression: "1 / 0" }]',
    ],
    ['an item beyond the end of a list', '[{ op: add, path: b, value: 1 }, { op: add, path: "c[1]", value: 1 }]'],
    ['a key of a list', '[{ op: add, path: "b[0]", value: 1 }, { op: add, path: b.c, value: 1 }]'],
    ['a value that is null', '[{ op: add, path: b, value: 1 }, { op: add, path: c, valueExpression: "dyn(null)" }]'],
  ])('%s leaves the finding without a fix', (_, steps) => {
    expect(fixOf(steps, { a: {} }).patch).toBeUndefined()
  })
})
