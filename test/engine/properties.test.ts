import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { applyFixes } from '../../src/engine/apply-fixes.ts'
import { decide } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import { valueAt } from '../../src/kube/field-path.ts'
import { isList, isObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { emptySnapshot } from '../../src/mesh/snapshot.ts'
import { policyFrom, policyText } from '../policy/policy-from.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

/*
 * Rules that walk everywhere, fill into maps and lists, rest on each other and mend by every kind of step: harder on the
 * engine than any policy that ships.
 */
const rules = [
  'validations: [{ forEach: "$..a", expression: "target != 1", message: is one, fix: [{ op: replace, path: "", value: 2 }] }]',
  'validations: [{ forEach: "$.spec.*", when: "type(target) == map", expression: "!(\'b\' in target)", field: b, message: has b, fix: [{ op: prune, path: b, besides: [id] }] }]',
  'validations: [{ forEach: "$.spec.list[*]", expression: "type(target) != string", message: a text, fix: [{ op: remove, path: "" }] }]',
  'validations: [{ forEach: ["$..list[0,1]", "$..c"], expression: "has(target.d) && has(target.d.e)", field: d.e, message: no e, fix: [{ op: add, path: "d.e", value: [] }, { op: add, path: "d.e[0]", value: 1 }] }]',
  'defaults: [{ forEach: "$.spec.map.*", when: "type(target) == map", set: { x.y: "1" } }]',
  'defaults: [{ forEach: "$.spec.list[*]", when: "type(target) == map && \'x\' in target", set: { z: "target.x" } }, { forEach: "$.spec.list[*]", when: "type(target) == map && \'z\' in target", set: { w: "[target.z]" } }]',
  'defaults: [{ set: { "spec.block.inner": "{\'k\': [1, 2.5, null, \'t\']}" } }, { when: "!(\'first\' in object.spec)", set: { "spec.first[0].a": "1" } }]',
].map((spec, index) => policyFrom(policyText(spec, { code: `P-${index}`, name: `p-${index}` })))

const policies = policySetOf(rules)
const mesh = emptySnapshot()

const key = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'x',
  'z',
  'id',
  'list',
  'map',
  'block',
  'first',
  'name',
  'k]',
  'p/q~r',
  '8443',
  'constructor',
)
const { value: any } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, 1, 2, 'text', true, 0.5),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))
const spec = fc.record(
  { list: any, map: any, block: any, first: any, a: any, b: any, c: any },
  { requiredKeys: [], noNullPrototype: true },
)
const object = fc.oneof({ arbitrary: spec, weight: 4 }, any).map((body): JsonObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'a' },
  spec: body,
}))

/** The object, somewhat changed: members gone, items in another order, one more. */
const changed = (from: JsonObject): fc.Arbitrary<JsonObject> =>
  fc
    .tuple(any, fc.infiniteStream(fc.nat({ max: 5 })))
    .map(([extra, dice]) => ({ ...from, spec: shake(from.spec ?? null, dice, extra) }))

const pair = object.chain((old) => fc.tuple(fc.constant(old), fc.oneof(changed(old), object)))

test('fixes fit the object that was judged, and end where none is left that mends anything', () => {
  fc.assert(
    fc.property(object, (from) => {
      const decision = judge(from)
      for (const { fix } of decision.findings) if (fix !== undefined) expect(applyJsonPatch(from, fix)).toBeDefined()
      const { object: mended, fixed } = applyFixes(from, (version) => judge(version))
      expect(fixed.length).toBeLessThan(200)
      expect(judge(mended).findings.length).toBeLessThanOrEqual(decision.findings.length)
    }),
    { numRuns: 1500 },
  )
})

describe('filling', () => {
  test('comes to an end, and a second time fills nothing', () => {
    fc.assert(
      fc.property(object, (from) => {
        const once = completed(from, mutate(from))
        expect(mutate(once)).toMatchObject({ filled: [], patch: [] })
      }),
      { numRuns: 3000 },
    )
  })

  test('on UPDATE, too', () => {
    fc.assert(
      fc.property(pair, ([old, next]) => {
        const once = completed(next, mutate(next, old))
        expect(mutate(once, old)).toMatchObject({ filled: [], patch: [] })
      }),
      { numRuns: 3000 },
    )
  })

  test('writes what it says, where nothing was', () => {
    fc.assert(
      fc.property(pair, fc.boolean(), ([old, next], update) => {
        const decision = mutate(next, update ? old : null)
        const after = completed(next, decision)
        for (const { path, value } of decision.filled) {
          expect(valueAt(next, path) ?? null).toBeNull()
          expect(valueAt(after, path)).toEqual(value)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('an object that was filled, sent again as it was written, is stored as it is', () => {
    fc.assert(
      fc.property(object, (from) => {
        const stored = completed(from, mutate(from))
        const again = { ...from, metadata: { name: 'a', labels: { changed: 'yes' } } }
        expect(completed(again, mutate(again, stored)).spec).toEqual(stored.spec)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('findings of an update', () => {
  test('are all old when only a label changes', () => {
    fc.assert(
      fc.property(object, (old) => {
        const next = { ...old, metadata: { name: 'a', labels: { changed: 'yes' } } }
        const { findings, allowed } = judge(next, old)
        expect(allowed).toBe(true)
        expect(findings.every(({ unchanged }) => unchanged)).toBe(true)
      }),
      { numRuns: 1500 },
    )
  })

  test('are old no more often than the old object had them', () => {
    fc.assert(
      fc.property(pair, ([old, next]) => {
        const before = Map.groupBy(judge(old).findings, ({ code }) => code)
        const demoted = Map.groupBy(
          judge(next, old).findings.filter(({ unchanged }) => unchanged),
          ({ code }) => code,
        )
        for (const [code, findings] of demoted)
          expect(findings.length).toBeLessThanOrEqual(before.get(code)?.length ?? 0)
      }),
      { numRuns: 2000 },
    )
  })

  test('are the same findings as without an old object', () => {
    fc.assert(
      fc.property(pair, ([old, next]) => {
        const said = ({ findings }: Decision): unknown =>
          findings.map(({ code, field, message }) => [code, field, message])
        const update = judge(next, old)
        if (update.judged) expect(said(update)).toEqual(said(judge(next)))
      }),
      { numRuns: 1500 },
    )
  })
})

test('the order of the rules does not matter', () => {
  const shuffled = fc.shuffledSubarray([...rules], { minLength: rules.length }).map((list) => policySetOf(list))
  fc.assert(
    fc.property(pair, shuffled, ([old, next], others) => {
      const input = { request: requestFor(next, old), mesh, phase: 'both' } as const
      expect(decide({ ...input, policies: others })).toEqual(decide({ ...input, policies }))
    }),
    { numRuns: 1500 },
  )
})

function judge(next: JsonObject, old: JsonObject | null = null): Decision {
  return decide({ request: requestFor(next, old), policies, mesh, phase: 'validate' })
}

function mutate(next: JsonObject, old: JsonObject | null = null): Decision {
  return decide({ request: requestFor(next, old), policies, mesh, phase: 'mutate' })
}

function completed(from: JsonObject, { patch }: Decision): JsonObject {
  const result = applyJsonPatch(from, patch)
  if (result === undefined) throw new Error(`the patch does not fit: ${JSON.stringify(patch)}`)
  return result
}

function shake(value: Json, dice: Iterator<number>, extra: Json): Json {
  const roll = dice.next().value
  if (isList(value)) {
    const items = value.map((item) => shake(item, dice, extra))
    return roll === 0 ? items.toReversed() : roll === 1 ? [extra, ...items] : roll === 2 ? items.slice(1) : items
  }
  if (!isObject(value)) return roll === 0 ? extra : value
  const members = Object.entries(value).map(([name, member]) => [name, shake(member ?? null, dice, extra)] as const)
  return Object.fromEntries(roll === 0 ? members.slice(1) : members)
}
