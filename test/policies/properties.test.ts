import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { applyFixes } from '../../src/engine/apply-fixes.ts'
import { decide, type DecideInput } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import { formatPath } from '../../src/kube/field-path.ts'
import type { JsonPatch } from '../../src/kube/json-patch.ts'
import { asObject, equal, isList, isObject, own, type Json, type JsonObject } from '../../src/kube/json.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { emptySnapshot } from '../../src/mesh/snapshot.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { policySetOf } from '../engine/policy-set-of.ts'
import { requestFor } from '../engine/request-for.ts'
import { bindingFrom, policyFrom, policyText } from '../policy/policy-from.ts'
import { anyJson, anyObject, meshObject } from './any-object.ts'
import { shippedPolicies } from './shipped-policies.ts'

const policies = shippedPolicies()
const shipped = policySetOf(policies)
const mesh = emptySnapshot()
const anything = fc.oneof({ arbitrary: meshObject, weight: 3 }, { arbitrary: anyObject, weight: 1 })

/** Policies that fail in every way there is, on everything. */
const failing: readonly Policy[] = [
  'validations: [{ expression: "nope", message: x }]',
  'validations: [{ expression: "object.nope.nope == 1", message: x }]',
  'validations: [{ expression: "false", message: x }]',
  'matchConditions: [{ name: a, expression: "object.nope == 1" }]\nvalidations: [{ expression: "true", message: x }]',
  'validations: [{ forEach: "$..*", findings: "[{\'message\': \'x\'}]" }]',
  'validations: [{ expression: "[1, 2].map(a, a).size() > 2", message: x }]',
].map((spec, index) => policyFrom(policyText(spec, { code: `BAD-${index}`, name: `bad-${index}`, resources: '"*"' })))

describe('for any object, right, wrong or odd', () => {
  test('a decision is made, and everything it says holds', () => {
    const operation = fc.constantFrom('CREATE', 'UPDATE', 'DELETE')
    const phase = fc.constantFrom('mutate', 'validate', 'both')
    fc.assert(
      fc.property(anything, fc.option(anything), operation, phase, (object, old, operation, phase) => {
        const request = requestFor(frozen(object), frozen(old), {
          operation,
          ...(operation === 'DELETE' ? { object: null } : {}),
        })
        const decision = decide({ request, policies: shipped, mesh, phase })
        expect(decision.allowed).toBe(decision.findings.every(({ action }) => action !== 'Deny'))
        for (const { field, path, message, remediation, actions, action } of decision.findings) {
          expect(field).toBe(formatPath(path))
          expect(actions).toContain(action)
          expect(`${message}${remediation}`).not.toMatch(/\n|undefined|\[object/)
          expect([message.trim(), remediation.trim()]).not.toContain('')
        }
        if (request.object === null) return
        const completed = applyJsonPatch(object, decision.patch)
        expect(completed).toBeDefined()
        for (const { fix } of decision.findings)
          if (fix !== undefined && canBeApplied(fix)) expect(applyJsonPatch(completed ?? {}, fix)).toBeDefined()
      }),
      { numRuns: 4000 },
    )
  })

  test('whatever the request calls itself', () => {
    fc.assert(
      fc.property(anyJson, anyJson, fc.constantFrom(...shipped.bound), (object, old, { policy }) => {
        const [rule] = policy.match.resourceRules
        const [group = '', resource = ''] = [rule?.apiGroups[0], rule?.resources[0]]
        const request = requestFor({}, null, {
          kind: { group, version: 'v1', kind: 'Any' },
          resource: { group, version: 'v1', resource },
          operation: 'UPDATE',
          object: isObject(object) ? frozen(object) : null,
          oldObject: isObject(old) ? frozen(old) : null,
        })
        expect(decide({ request, policies: shipped, mesh, phase: 'both' }).uid).toBe('u')
      }),
      { numRuns: 3000 },
    )
  })

  test('the order of the policies does not matter', () => {
    const shuffled = fc.shuffledSubarray([...policies], { minLength: policies.length }).map((list) => policySetOf(list))
    fc.assert(
      fc.property(anything, fc.option(anything), shuffled, (object, old, others) => {
        const input = { request: requestFor(object, old), mesh, phase: 'both' } as const
        expect(decide({ ...input, policies: others })).toEqual(decide({ ...input, policies: shipped }))
      }),
      { numRuns: 1000 },
    )
  })

  test.each<[string, PolicySet, Partial<DecideInput>]>([
    [
      'Audit bindings',
      policySetOf([...policies, ...failing], [bindingFrom('policies: ["*"]\nvalidationActions: [Audit]')]),
      {},
    ],
    [
      'Warn bindings',
      policySetOf(
        [...policies, ...failing],
        [bindingFrom('policies: ["*"]\nvalidationActions: [Warn]\nunchangedFindings: Deny')],
      ),
      {},
    ],
    [
      'Audit and Warn bindings whose labels nobody knows',
      policySetOf(
        [...policies, ...failing],
        [
          bindingFrom(
            'policies: ["*"]\nvalidationActions: [Warn, Audit]\nmatch: { namespaceSelector: { matchLabels: { a: b } } }',
          ),
        ],
      ),
      {},
    ],
    [
      'bindings over a mesh that is too old',
      policySetOf([...policies, ...failing], [bindingFrom('policies: ["*"]\nvalidationActions: [Warn]')]),
      { knowledge: { stale: new Map(Object.values(KINDS).map((kind) => [kind, 'too old'])) } },
    ],
    ['Deny bindings under enforcement warn', policySetOf([...policies, ...failing], [], 'warn'), {}],
    ['anything under enforcement off', policySetOf([...policies, ...failing], [], 'off'), {}],
  ])('%s never deny, whatever fails', (_, set, more) => {
    fc.assert(
      fc.property(anything, fc.option(anything), fc.constantFrom('validate', 'both'), (object, old, phase) => {
        const decision = decide({ request: requestFor(object, old), policies: set, mesh, phase, ...more })
        expect(decision.allowed).toBe(true)
        expect(decision.findings.filter(({ actions }) => actions.includes('Deny'))).toEqual([])
      }),
      { numRuns: 600 },
    )
  })

  test('while under Deny the same policies do', () => {
    fc.assert(
      fc.property(anything, (object) => {
        expect(
          decide({ request: requestFor(object), policies: policySetOf(failing), mesh, phase: 'validate' }).allowed,
        ).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

describe('filling defaults', () => {
  test('a second time fills nothing, on CREATE', () => {
    fc.assert(
      fc.property(anything, (object) => {
        const once = completed(object, mutate(frozen(object)))
        expect(mutate(once)).toMatchObject({ patch: [], filled: [] })
      }),
      { numRuns: 3000 },
    )
  })

  test('and on UPDATE: what comes out of a mutation goes through the next one as it is', () => {
    fc.assert(
      fc.property(anything, anything, (object, old) => {
        const once = completed(object, mutate(frozen(object), frozen(old)))
        expect(mutate(once, old)).toMatchObject({ patch: [] })
      }),
      { numRuns: 3000 },
    )
  })

  test('adds, and changes nothing that is written', () => {
    fc.assert(
      fc.property(anything, fc.option(anything), (object, old) => {
        const { patch, filled } = mutate(object, old)
        const after = completed(object, { patch })
        expect(withoutRecord(after)).toSatisfy((whole: JsonObject) => contains(whole, withoutRecord(object)))
        expect(patch.length).toBeLessThanOrEqual(filled.length + 1)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('old debt', () => {
  test('an update that changes nothing is not judged', () => {
    fc.assert(
      fc.property(anything, (object) => {
        expect(validate({ ...object, status: { seen: true } }, object)).toMatchObject({ judged: false, findings: [] })
      }),
      { numRuns: 500 },
    )
  })

  test('never blocks an update of something else', () => {
    fc.assert(
      fc.property(meshObject, (object) => {
        const metadata = asObject(object.metadata)
        // Labels of another type would be mended by this, and so be another object.
        fc.pre(isObject(metadata.labels ?? {}))
        const labelled = { ...object, metadata: { ...metadata, labels: { ...asObject(metadata.labels), team: 'x' } } }
        const { findings } = validate(labelled, object)
        expect(findings.filter(({ action }) => action === 'Deny')).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })

  test('never blocks a controller that moves weights, and a new route with the same fault is refused', () => {
    const host = fc.constantFrom('reviews-primary', 'reviews-canary', 'ratings')
    const split = fc.array(fc.record({ destination: fc.record({ host }), weight: fc.nat({ max: 100 }) }), {
      minLength: 1,
      maxLength: 3,
    })
    const http = fc.array(
      fc.record(
        { route: split, retries: fc.constantFrom({ attempts: 9 }, { attempts: 2 }) },
        { requiredKeys: ['route'] },
      ),
      { minLength: 1, maxLength: 4 },
    )
    const moved = http.chain((routes) =>
      fc.tuple(
        fc.constant(routes),
        fc.tuple(
          ...routes.map(({ route, ...rest }) =>
            fc
              .tuple(...route.map((to) => fc.nat({ max: 100 }).map((weight) => ({ ...to, weight }))))
              .map((to) => ({ ...rest, route: to })),
          ),
        ),
      ),
    )
    fc.assert(
      fc.property(moved, fc.nat(), ([before, after], at) => {
        const old = virtualService(before)
        expect(validate(virtualService(after), old).allowed).toBe(true)
        expect(validate(old, virtualService(after)).allowed).toBe(true)
        const added = { match: [{ uri: { prefix: '/new' } }], route: [{ destination: { host: 'new' } }] }
        const grown = virtualService([
          ...after.slice(0, at % (after.length + 1)),
          added,
          ...after.slice(at % (after.length + 1)),
        ])
        expect(validate(grown, old).allowed).toBe(false)
      }),
      { numRuns: 800 },
    )
  })
})

describe('fixes', () => {
  test('all that there are together leave only what has none', () => {
    fc.assert(
      fc.property(meshObject, (object) => {
        const { decision } = applyFixes(object, validate)
        expect(
          decision.findings
            .filter(({ fix }) => fix !== undefined && canBeApplied(fix))
            .map(({ code, field, message }) => `${code} ${field}: ${message}`),
        ).toEqual([])
      }),
      { numRuns: 1500 },
    )
  })
})

function mutate(object: JsonObject, old: JsonObject | null = null): Decision {
  return decide({ request: requestFor(object, old), policies: shipped, mesh, phase: 'mutate' })
}

function validate(object: JsonObject, old: JsonObject | null = null): Decision {
  return decide({ request: requestFor(object, old), policies: shipped, mesh, phase: 'validate' })
}

function completed(object: JsonObject, { patch }: Pick<Decision, 'patch'>): JsonObject {
  const result = applyJsonPatch(object, patch)
  if (result === undefined) throw new Error(`the patch does not fit: ${JSON.stringify(patch)}`)
  return result
}

function virtualService(http: Json): JsonObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec: { hosts: ['reviews'], http },
  }
}

/** The library that applies patches does not write to a key of this name. */
function canBeApplied(patch: JsonPatch): boolean {
  return patch.every(({ path }) => !path.includes('__proto__'))
}

/** Is everything of `part` in `whole`, but for nulls? */
function contains(whole: Json | undefined, part: Json | undefined): boolean {
  if (part === null || part === undefined) return true
  if (isList(part))
    return isList(whole) && whole.length === part.length && part.every((item, index) => contains(whole[index], item))
  if (!isObject(part)) return equal(whole, part)
  return isObject(whole) && Object.keys(part).every((key) => contains(own(whole, key), own(part, key)))
}

/** Our own record of what was filled is the one thing that may go. */
function withoutRecord(object: JsonObject): JsonObject {
  const annotations = asObject(object.metadata).annotations
  if (!isObject(annotations)) return object
  const { 'meshward.io/filled': _, ...others } = annotations
  return { ...object, metadata: { ...asObject(object.metadata), annotations: others } }
}

/** The same object, which throws when somebody writes to it. */
function frozen<T extends Json>(value: T): T {
  const parts: readonly (Json | undefined)[] = isList(value) ? value : isObject(value) ? Object.values(value) : []
  for (const part of parts) if (part !== undefined) frozen(part)
  return Object.freeze(value)
}
